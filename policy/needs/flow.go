package needs

import (
	"bytes"
	"regexp"

	"github.com/cordon-sec/cordon/policy/script"
)

// reach is how far behind its assignment a variable is followed, and mostUses how many
// of its uses are looked at: names of one letter stand everywhere in minified code.
const (
	reach    = 8000
	mostUses = 200
)

// sink matches code that ends where the URL of something that loads begins.
var sink = regexp.MustCompile("(?:\\.(?:src|poster)\\s*=|\\[[\"'`](?:src|poster)[\"'`]\\]\\s*=|" +
	"\\b(?:object|embed)\\w*\\.data\\s*=|\\.setAttribute\\(\\s*[\"'`](?:src|data|poster)[\"'`]\\s*,|\\bsrc\\s*:|" +
	"\\bnew (?:\\w+\\.)?(?:(?:Shared)?Worker|Audio)\\(|\\bfetch\\()\\s*$")

// loaders are what loads a URL, by what the code before it names.
var loaders = []struct {
	signs           *regexp.Regexp
	directive, does string
}{
	{regexp.MustCompile(`(?i)(?:\bimg|image|picture|photo)`), "img-src", "shows"},
	{regexp.MustCompile(`(?i)(?:video|audio|sound|MediaSource)`), "media-src", "plays"},
	{regexp.MustCompile(`(?i)(?:iframe|\bframe)`), "frame-src", "opens frames of"},
	{regexp.MustCompile("(?i)(?:createElement\\([\"'`](?:object|embed)|\\b(?:object|embed)\\w*\\.data)"), "object-src",
		"opens plug-ins of"},
	{forWorker, "worker-src", "starts workers from"},
	{regexp.MustCompile(`\bfetch\(`), "connect-src", "requests"},
}

// follow looks for what the variable is used for that an expression at an offset is
// assigned to, and notes at another one what that needs of URLs of a scheme. It reports
// whether the variable becomes the URL of something that loads.
func (f *finder) follow(expression, at, length int, scheme string) bool {
	p := script.PrecedingOf(f.s.Before(f.s.Span.Start+expression, 96))
	if p.Separator != "=" || p.Name == "" || p.Name == "src" || p.Name == "href" {
		return false
	}
	found := false
	for _, code := range f.uses([]byte(p.Name), at+length) {
		if !sink.Match(code) {
			continue
		}
		found = true
		directive, does := loadedBy(code)
		if directive == "frame-src" {
			f.inherits(at, length)
		}
		if directive != "" {
			f.need(at, length, directive, scheme, does+" "+scheme+" URLs", "")
			continue
		}
		for _, directive := range shown {
			f.need(at, length, directive, scheme, "makes "+scheme+" URLs", "")
		}
	}
	return found
}

// inherits notes that the page of a frame that scripts write, or that comes from a
// blob: or data: URL, is held by the policy of the page around it.
func (f *finder) inherits(at, length int) {
	f.fails(at, length, "script-src-elem", UnsafeInline,
		"shows pages in frames that it makes itself (srcdoc, blob:, data:)",
		" where they have inline scripts, event handlers or style elements: the page's own policy is theirs too")
}

// uses returns the code before the uses of a variable behind an offset where its value
// is given to something: what a member of an object holds is known by its name alone.
func (f *finder) uses(name []byte, from int) [][]byte {
	var list [][]byte
	end := min(len(f.data), from+reach)
	for n := 0; n < mostUses; n++ {
		next := bytes.Index(f.data[min(from, end):end], name)
		if next < 0 {
			break
		}
		use := from + next
		from = use + len(name)
		if !f.code(use) || script.IsIdentifier(f.data[use-1]) ||
			from < len(f.data) && script.IsIdentifier(f.data[from]) {
			continue
		}
		for use > 0 && (f.data[use-1] == '.' || script.IsIdentifier(f.data[use-1])) {
			use--
		}
		code := bytes.TrimRight(f.before(use, window), " \t\r\n")
		if len(code) > 0 && bytes.IndexByte([]byte("=,:("), code[len(code)-1]) >= 0 {
			list = append(list, code)
		}
	}
	return list
}

// loadedBy returns the directive that governs what loads at the end of some code, and
// what the code does, "" where nothing tells. What is named last is what it is for.
func loadedBy(code []byte) (directive, does string) {
	last := -1
	for i := range loaders {
		each := &loaders[i]
		for _, m := range each.signs.FindAllIndex(code, -1) {
			if m[0] >= last {
				last, directive, does = m[0], each.directive, each.does
			}
		}
	}
	return directive, does
}
