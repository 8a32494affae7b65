package needs

import (
	"bytes"
	"regexp"

	"github.com/cordon-sec/cordon/policy/app"
)

// pages are the directives of what pages show, for URLs whose kind cannot be told:
// none of them makes code of what it loads.
var shown = []string{"img-src", "media-src"}

// requests are the functions whose argument is a URL that connect-src governs.
var requests = map[string]bool{"fetch": true, "XMLHttpRequest": true, "Request": true, "get": true, "sendBeacon": true}

// window is how far around a URL what it is made for is looked for.
const window = 250

var (
	forFrame    = regexp.MustCompile(`(?i)iframe`)
	forWorker   = regexp.MustCompile(`\bnew (?:\w+\.)?(?:Shared)?Worker\(`)
	forMedia    = regexp.MustCompile(`(?i)\b(?:video|audio|MediaSource|SourceBuffer)\b`)
	forImage    = regexp.MustCompile(`(?i)\b(?:img|image|Image|createImageBitmap|picture|photo)`)
	forDownload = regexp.MustCompile(
		"(?i)\\.download\\b|createElement\\([\"'`]a[\"'`]\\)|\\.href\\s*=|window\\.open|saveAs",
	)
)

// objectURL looks at createObjectURL, which makes a blob: URL, and for what.
func (f *finder) objectURL(at int) {
	if !f.code(at) {
		return
	}
	const length = len("createObjectURL")
	around := append(bytes.Clone(f.before(at, window)), f.after(at, window)...)
	name, _ := f.called(f.objectOf(at))
	followed := f.follow(f.objectOf(at), at, length, "blob:")
	switch {
	case forWorker.Match(around):
		f.need(at, length, "worker-src", "blob:", "starts workers from blob: URLs", "")
	case requests[name]:
		f.need(at, length, "connect-src", "blob:", "requests blob: URLs", "")
	case followed:
	case forFrame.Match(around):
		f.need(at, length, "frame-src", "blob:", "shows blob: URLs in frames", "")
		f.inherits(at, length)
	case forMedia.Match(around) && !forImage.Match(around):
		f.need(at, length, "media-src", "blob:", "plays blob: URLs", "")
	case forImage.Match(around):
		f.need(at, length, "img-src", "blob:", "shows blob: URLs", "")
	case !forDownload.Match(around):
		for _, directive := range shown {
			f.need(at, length, directive, "blob:", "makes blob: URLs", "")
		}
	}
}

// objectOf returns where the object begins whose member stands at an offset, as
// in window.URL.createObjectURL.
func (f *finder) objectOf(at int) int {
	for at > 0 && (f.data[at-1] == '.' || f.data[at-1] == '_' || f.data[at-1] == '$' ||
		'a' <= f.data[at-1]|0x20 && f.data[at-1]|0x20 <= 'z') {
		at--
	}
	return at
}

// dataURL looks at what makes data: URLs of canvases and files.
func (f *finder) dataURL(at int) {
	if f.code(at) {
		f.need(at, bytes.IndexByte(f.data[at:], '('), "img-src", "data:", "makes data: URLs", "")
	}
}

func (f *finder) internalURL(at int) {
	for _, directive := range shown {
		f.need(at, len("toInternalURL"), directive, "cdvfile:", "makes cdvfile: URLs", "")
	}
}

// scheme looks at a string that begins with a scheme without a host.
func (f *finder) scheme(at int) {
	if at == 0 || !isQuote(f.data[at-1]) {
		return
	}
	name, ok := f.called(at - 1)
	if !ok {
		return
	}
	length := bytes.IndexByte(f.data[at:], ':') + 1
	source := string(f.data[at : at+length])
	if requests[name] {
		f.need(at, length, "connect-src", source, "requests "+source+" URLs", "")
		return
	}
	for _, directive := range shown {
		f.need(at, length, directive, source, "makes "+source+" URLs", "")
	}
}

func isQuote(c byte) bool { return c == '"' || c == '\'' || c == '`' }

// mime matches what may follow "data:" in a URL.
var mime = regexp.MustCompile(
	"^(?:(image|audio|video|font|text|application)/[\\w.+-]+|;base64|[\"'`]\\s*(?:\\+|\\.concat)|\\$\\{)",
)

// dataText looks at a data: URL in a string, on its own or in a style sheet.
func (f *finder) dataText(at int) {
	m := mime.FindSubmatch(f.after(at+len("data:"), 60))
	if m == nil || at == 0 {
		return
	}
	kind, quote := string(m[0]), f.data[at-1]
	if css := f.before(at, 5); quote == '(' || bytes.HasSuffix(bytes.TrimRight(css, "\\\"'"), []byte("url(")) {
		if bytes.HasSuffix(bytes.TrimRight(css, "\\\"'"), []byte("url(")) {
			f.inData(at, styleDirective(f.data, at, kind), "has style sheets with data: URLs")
		}
		return
	}
	if !isQuote(quote) {
		return
	}
	name, ok := f.called(at - 1)
	if !ok {
		return
	}
	before := f.before(at, window)
	if !isFont(kind) && !hasPrefix(kind, "image/", "audio/", "video/") && f.follow(at-1, at, len("data:"), "data:") {
		return
	}
	switch {
	case requests[name]:
		f.inData(at, "connect-src", "requests data: URLs")
	case bytes.HasSuffix(bytes.TrimRight(f.before(at-1, 12), " "), []byte("import(")):
		f.inData(at, "script-src", "loads scripts from data: URLs")
	case name == "Worker" || name == "SharedWorker":
		f.inData(at, "worker-src", "starts workers from data: URLs")
	case isFont(kind):
		f.inData(at, "font-src", "loads fonts from data: URLs")
	case hasPrefix(kind, "image/"):
		f.inData(at, "img-src", "shows data: URLs")
	case hasPrefix(kind, "audio/", "video/"):
		f.inData(at, "media-src", "plays data: URLs")
	case hasPrefix(kind, "text/", "application/"):
		if forFrame.Match(before) {
			f.inData(at, "frame-src", "shows data: URLs in frames")
			f.inherits(at, len("data:"))
		}
	default:
		for _, directive := range shown {
			f.inData(at, directive, "makes data: URLs")
		}
	}
}

func (f *finder) inData(at int, directive, what string) {
	f.need(at, len("data:"), directive, "data:", what, "")
}

func hasPrefix(kind string, prefixes ...string) bool {
	for _, p := range prefixes {
		if len(kind) >= len(p) && kind[:len(p)] == p {
			return true
		}
	}
	return false
}

// isFont reports whether a media type is one of those that fonts are given.
func isFont(kind string) bool {
	return hasPrefix(kind, "font/", "application/font", "application/x-font", "application/vnd.ms-fontobject")
}

// styleDirective is the directive of a URL in a style sheet: fonts stand in
// @font-face, whatever their type says.
func styleDirective(data []byte, at int, kind string) string {
	before := data[max(0, at-2000):at]
	if isFont(kind) || bytes.LastIndex(before, []byte("@font-face")) > bytes.LastIndexByte(before, '}') {
		return "font-src"
	}
	return "img-src"
}

var styleURL = regexp.MustCompile(`url\(\s*["']?data:`)

// inStyles lists what a style sheet needs, or a stretch of a page that is one.
func inStyles(file *app.File, span app.Span) []Need {
	var list []Need
	seen := map[string]bool{}
	data := file.Data[span.Start:span.End]
	for _, m := range styleURL.FindAllIndex(data, -1) {
		directive := styleDirective(data, m[0], string(data[m[1]:min(len(data), m[1]+40)]))
		if !seen[directive] {
			seen[directive] = true
			list = append(list, Need{Directive: directive, Source: "data:", What: "has data: URLs",
				Place: file.Place(span.Start+m[1]-len("data:"), span.Start+m[1])})
		}
	}
	return list
}

// worker looks at new Worker(…) whose script is made at run time.
func (f *finder) worker(at int) {
	start := f.objectOf(at)
	if start > 0 && at > 0 && !bytes.HasSuffix(bytes.TrimRight(f.before(start, 8), " \t\r\n"), []byte("new")) {
		return
	}
	rest := f.after(at+len("Worker("), 120)
	switch {
	case len(rest) == 0 || isQuote(rest[0]) && !bytes.HasPrefix(rest[1:], []byte("blob:")):
	case bytes.HasPrefix(rest, []byte("new URL(")):
	case bytes.Contains(rest, []byte("createObjectURL")), bytes.Contains(rest, []byte("blob:")),
		bytes.Contains(f.before(at, 800), []byte("createObjectURL")):
		f.need(at, len("Worker"), "worker-src", "blob:", "starts workers from blob: URLs", "")
	}
}
