package report

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/lint"
)

// TextOptions say how a report is written for people.
type TextOptions struct {
	// Colour marks severities and places with terminal escapes.
	Colour bool
	// Known is how many findings a baseline left out.
	Known int
	// Repairable is how many of the findings cordon fix repairs.
	Repairable int
}

// WriteText writes a report for people: each finding with its line and a
// caret, then a summary. Secrets are not printed, and control characters of
// the files are made visible.
func WriteText(w io.Writer, p *app.App, r *lint.Report, o TextOptions) error {
	t := &textWriter{project: p, colour: o.Colour, secrets: secretSpans(r), told: make(map[string]bool)}
	for i := range r.Findings {
		t.finding(&r.Findings[i], r.IsNew(&r.Findings[i]))
	}
	t.summary(r, o)
	_, err := w.Write(t.out.Bytes())
	return err
}

type textWriter struct {
	out     bytes.Buffer
	project *app.App
	colour  bool
	secrets map[string][]app.Span
	told    map[string]bool // rules whose remedy was printed
}

// secretSpans lists what must not be printed, by file: a line may be shown
// because of another finding.
func secretSpans(r *lint.Report) map[string][]app.Span {
	spans := make(map[string][]app.Span)
	add := func(f *lint.Finding) {
		if f.Secret {
			spans[f.Place.File] = append(spans[f.Place.File], app.Span{Start: f.Place.Start, End: f.Place.End})
		}
	}
	for i := range r.Findings {
		add(&r.Findings[i])
	}
	for i := range r.Suppressed {
		add(&r.Suppressed[i].Finding)
	}
	return spans
}

var severityColours = [...]string{lint.Info: "36", lint.Low: "34", lint.Medium: "33", lint.High: "31",
	lint.Critical: "1;31"}

func (t *textWriter) paint(code, s string) string {
	if !t.colour {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// newNote says of a finding that a newer rule set found it.
func newNote(f *lint.Finding) string {
	return fmt.Sprintf("(new: it fails from rule set %d on, which the next major release takes)", f.Set)
}

func (t *textWriter) finding(f *lint.Finding, isNew bool) {
	place := f.Place
	place.File = t.project.Shown(place.File)
	fmt.Fprintf(&t.out, "%s: %s: %s [%s]\n", t.paint("1", visible(place.String())),
		t.paint(severityColours[f.Rule.Severity], f.Rule.Severity.String()), visible(f.Message), f.Rule.ID)
	t.line(f)
	if isNew {
		fmt.Fprintf(&t.out, "      %s\n", newNote(f))
	}
	if len(f.Targets) > 0 {
		fmt.Fprintf(&t.out, "      on: %s\n", joinTargets(t.project, f.Targets))
	}
	if plugin := t.project.PluginAt(f.Place); plugin != nil {
		fmt.Fprintf(&t.out, "      added by the plugin %s\n", visible(plugin.ID))
	}
	if !t.told[f.Rule.ID] {
		t.told[f.Rule.ID] = true
		fmt.Fprintf(&t.out, "      remedy: %s\n", f.Rule.Remedy)
	}
	if f.Fix != nil {
		fmt.Fprintf(&t.out, "      fix: %s\n", f.Fix.Summary)
	}
	t.out.WriteByte('\n')
}

func joinTargets(p *app.App, targets []policy.Target) string {
	list := make([]string, len(targets))
	for i, target := range targets {
		if list[i] = target.String(); p.Assumes(target) {
			list[i] += " (assumed)"
		}
	}
	return wording.Join(list)
}

// width is how many characters of a line are shown.
const width = 110

// line shows the finding's line with a caret below the place.
func (t *textWriter) line(f *lint.Finding) {
	data := t.project.Content(f.Place.File)
	if len(data) == 0 || f.Place.Start >= len(data) {
		return
	}
	start := f.Place.Start - (f.Place.Column - 1)
	end := len(data)
	if n := bytes.IndexByte(data[start:], '\n'); n >= 0 {
		end = start + n
	}
	text := []byte(strings.TrimRight(string(data[start:end]), "\r"))
	text = t.redact(f.Place.File, text, start)
	from := min(f.Place.Column-1, len(text))
	to := min(max(f.Place.End-start, from+1), len(text))
	before, marked, after := visible(string(text[:from])), visible(string(text[from:max(to, from)])), ""
	if to > from {
		after = visible(string(text[to:]))
	}
	if n := utf8.RuneCountInString(before); n > width/2 {
		runes := []rune(before)
		before = "…" + string(runes[n-width/2:])
	}
	room := max(width-utf8.RuneCountInString(before), 20)
	if utf8.RuneCountInString(marked) >= room {
		marked, after = clip(marked, room), ""
	}
	after = clip(after, room-utf8.RuneCountInString(marked))
	carets := strings.Repeat("^", max(utf8.RuneCountInString(marked), 1))
	number := fmt.Sprintf("%5d", f.Place.Line)
	fmt.Fprintf(&t.out, "%s | %s%s%s\n", number, before, marked, after)
	fmt.Fprintf(&t.out, "%s | %s%s\n", strings.Repeat(" ", len(number)),
		strings.Repeat(" ", utf8.RuneCountInString(before)), t.paint("31", carets))
}

// redact replaces the secrets of a line by as many asterisks, so that carets
// still fit.
func (t *textWriter) redact(file string, text []byte, start int) []byte {
	for _, s := range t.secrets[file] {
		for i := max(s.Start-start, 0); i < min(s.End-start, len(text)); i++ {
			text[i] = '*'
		}
	}
	return text
}

func clip(s string, room int) string {
	runes := []rune(s)
	if len(runes) <= room {
		return s
	}
	return string(runes[:max(room-1, 0)]) + "…"
}

// visible replaces what would move the cursor or change the terminal: every
// control and format character becomes one that is seen.
func visible(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\t':
			return ' '
		case c == utf8.RuneError, unicode.IsControl(c), unicode.Is(unicode.Cf, c), c == '\u2028', c == '\u2029':
			return '\uFFFD'
		}
		return c
	}, s)
}

func (t *textWriter) summary(r *lint.Report, o TextOptions) {
	looked := fmt.Sprintf("%d %s, %d %s", len(t.project.Pages), wording.Plural(len(t.project.Pages), "page", "pages"),
		len(t.project.Scripts), wording.Plural(len(t.project.Scripts), "script", "scripts"))
	if t.project.Config != nil {
		looked = t.project.Shown(t.project.Config.Name()) + ", " + looked
	}
	if t.project.Web != "" {
		looked += " of a web app (" + t.project.Web + ")"
	}
	if len(r.Targets) > 0 {
		looked += "; read as " + joinTargets(t.project, r.Targets)
	}
	var counts [lint.Critical + 1]int
	news := 0
	for i := range r.Findings {
		counts[r.Findings[i].Rule.Severity]++
		if r.IsNew(&r.Findings[i]) {
			news++
		}
	}
	var parts []string
	for s := lint.Critical; ; s-- {
		if counts[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
		}
		if s == lint.Info {
			break
		}
	}
	line := "no findings"
	if n := len(r.Findings); n > 0 {
		line = fmt.Sprintf("%d %s: %s", n, wording.Plural(n, "finding", "findings"), strings.Join(parts, ", "))
	}
	if news > 0 {
		line += fmt.Sprintf("; %d new (%s nothing before the next major release, or with --rules %d)", news,
			wording.Plural(news, "it fails", "they fail"), lint.LatestSet)
	}
	if n := o.Repairable; n > 0 {
		line += fmt.Sprintf("; %d %s can be repaired: cordon fix", n, wording.Plural(n, "finding", "findings"))
	}
	if n := len(r.Suppressed); n > 0 {
		line += fmt.Sprintf("; %d suppressed", n)
	}
	if o.Known > 0 {
		line += fmt.Sprintf("; %d in the baseline", o.Known)
	}
	fmt.Fprintf(&t.out, "%s (%s)\n", line, looked)
	if what := t.project.NotJudged(); what != "" {
		fmt.Fprintf(&t.out, "not judged: %s\n", what)
	}
	t.missing()
	if t.project.Artifact && len(r.Findings) > 0 {
		fmt.Fprintf(&t.out, "what was built is not repaired: mend the project that it is built from%s, and build "+
			"again\n", t.sources(r))
	}
}

// sourcesOf says where a project keeps what stands in a package under the names that
// begin so. What Cordova's tools write into native files, config.xml and plugins say.
var sourcesOf = []struct{ built, cordova, capacitor string }{
	{"res/xml/config.xml", "config.xml", ""},
	{"config.xml", "config.xml", ""},
	{"assets/www/", "www/", ""},
	{"www/", "www/", ""},
	{"assets/public/", "", "the folder that webDir names"},
	{"public/", "", "the folder that webDir names"},
	{"assets/capacitor.config.json", "", "capacitor.config.*"},
	{"capacitor.config.json", "", "capacitor.config.*"},
	{"AndroidManifest.xml", "<edit-config> and <config-file> in config.xml and plugin.xml",
		"android/app/src/main/AndroidManifest.xml"},
	{"Info.plist", "<edit-config> and <config-file> in config.xml and plugin.xml", "ios/App/App/Info.plist"},
	{"res/", "<resource-file> in config.xml and plugin.xml", "android/app/src/main/res/"},
}

// sources says where the findings of a package are to be mended, "" for one that may be
// of either kind.
func (t *textWriter) sources(r *lint.Report) string {
	var list []string
	isCordova := slices.ContainsFunc(t.project.Scripts, func(f app.File) bool {
		return path.Base(f.Name) == "cordova.js"
	})
	if len(t.project.Capacitor.Data) == 0 && !isCordova {
		return ""
	}
	for i := range r.Findings {
		for _, row := range sourcesOf {
			source := row.cordova
			if len(t.project.Capacitor.Data) > 0 {
				source = row.capacitor
			}
			if file := r.Findings[i].Place.File; !strings.HasPrefix(file, row.built) {
				continue
			}
			if text := source + " for " + row.built; source != "" && !slices.Contains(list, text) {
				list = append(list, text)
			}
			break
		}
	}
	if len(list) == 0 {
		return ""
	}
	return " (" + wording.Join(list) + ")"
}

// missing names the platforms that are newer than what is known, and the plugins that
// are named and not there: more may be open than was found.
func (t *textWriter) missing() {
	for _, u := range t.project.Newer {
		fmt.Fprintf(&t.out, "not known: %s\n", visible(u.What))
	}
	list := t.project.Missing()
	if len(list) == 0 {
		return
	}
	var names []string
	for _, plugin := range list {
		names = append(names, visible(plugin.ID))
	}
	fmt.Fprintf(&t.out, "not known: what %s %s to the list, of which no plugin.xml is there (run npm install, or "+
		"cordova prepare)\n", wording.Join(names), wording.Plural(len(names), "adds", "add"))
}
