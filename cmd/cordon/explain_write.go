package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/cordon-sec/cordon/internal/output"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// lineWriter writes decisions in one of the formats of cordon explain. It
// stops at the first failed write and returns it from close.
type lineWriter struct {
	*explainer
	out    *bufio.Writer
	format string
	buffer []byte
	count  int
	err    error
}

func newLineWriter(w io.Writer, format string, e *explainer) *lineWriter {
	return &lineWriter{explainer: e, out: bufio.NewWriterSize(w, 256<<10), format: format}
}

// decide asks about one URL and writes the answer.
func (w *lineWriter) decide(url string) {
	if w.err != nil {
		return
	}
	w.buffer = w.buffer[:0]
	if w.format == "text" {
		w.table(url)
	} else {
		w.objects(url)
	}
	_, w.err = w.out.Write(w.buffer)
	w.count++
}

// close ends the output.
func (w *lineWriter) close() error {
	if w.err == nil {
		w.buffer = w.buffer[:0]
		switch w.format {
		case "json":
			w.endJSON()
		case "text":
			w.summary()
		}
		_, w.err = w.out.Write(w.buffer)
	}
	if w.err == nil {
		w.err = w.out.Flush()
	}
	if w.err != nil {
		return environment(fmt.Errorf("write the answer: %w", w.err))
	}
	return nil
}

// endJSON ends the list of decisions, and says what is not known.
func (w *lineWriter) endJSON() {
	if w.count == 0 {
		w.buffer = append(w.buffer, output.Begin(1)+"\n  \"decisions\": ["...)
	} else {
		w.buffer = append(w.buffer, "\n  "...)
	}
	w.buffer = append(w.buffer, ']')
	for i, u := range w.unknown() {
		if i == 0 {
			w.buffer = append(w.buffer, ",\n  \"unknown\": [\n    "...)
		} else {
			w.buffer = append(w.buffer, ",\n    "...)
		}
		w.buffer = append(w.buffer, `{"what":`...)
		w.buffer = appendString(w.buffer, u.What)
		w.buffer = append(w.buffer, `,"file":`...)
		w.buffer = appendString(w.buffer, u.Place.File)
		w.buffer = fmt.Appendf(w.buffer, `,"line":%d}`, u.Place.Line)
	}
	if len(w.unknown()) > 0 {
		w.buffer = append(w.buffer, "\n  ]"...)
	}
	w.buffer = append(w.buffer, "\n}\n"...)
}

// summary says behind the tables what could not be established: a verdict that
// blocks may be another one in the app that ships.
func (w *lineWriter) summary() {
	for i, u := range w.unknown() {
		if i == 0 {
			w.buffer = append(w.buffer, "\nnot known, so that more may be open than is said above:\n"...)
		}
		w.buffer = fmt.Appendf(w.buffer, "  %s\n", sayUnknown(u))
	}
}

// sayUnknown writes what is not known, with its place.
func sayUnknown(u configxml.Unknown) string {
	if u.Place.IsZero() {
		return wording.Printable(u.What)
	}
	return fmt.Sprintf("%s: %s", u.Place, wording.Printable(u.What))
}

// abandon flushes what is written, for a run that ends in an error. A JSON
// array stays open, so that nobody takes it for a whole answer.
func (w *lineWriter) abandon() error {
	if w.err == nil {
		w.err = w.out.Flush()
	}
	return w.err
}

func (w *lineWriter) objects(url string) {
	for i, p := range w.policies {
		for _, kind := range w.kinds {
			d := w.explainer.decide(p, kind, url)
			if w.format == "json" {
				w.buffer = append(w.buffer, w.separator()...)
			}
			w.buffer = w.appendDecision(w.buffer, url, i, kind, d)
			if w.format == "jsonl" {
				w.buffer = append(w.buffer, '\n')
			}
		}
	}
}

func (w *lineWriter) separator() string {
	if w.count == 0 && len(w.buffer) == 0 {
		return output.Begin(1) + "\n  \"decisions\": [\n    "
	}
	return ",\n    "
}

// appendDecision appends {"url","platform","kind","verdict","rule","line",
// "reason"}, and where it applies "file" and "plugin" of a rule that is not the
// config.xml's own, "assumed" where nothing names the platform's version, and "refused"
// where the web view refuses what no list stops. It is
// written by hand because a list of a million URLs spends more time in a general
// encoder than in deciding.
func (w *lineWriter) appendDecision(b []byte, url string, target int, kind policy.Kind, d policy.Decision) []byte {
	rule, line := "", 0
	if d.Rule != nil {
		rule, line = d.Rule.Text, d.Rule.Place.Line
	}
	b = append(b, `{"url":`...)
	b = appendString(b, url)
	b = append(b, `,"platform":`...)
	b = appendString(b, w.names[target])
	b = append(b, `,"kind":"`...)
	b = append(b, kind.String()...)
	b = append(b, `","verdict":"`...)
	b = append(b, d.Verdict.String()...)
	b = append(b, `","rule":`...)
	b = appendString(b, rule)
	b = append(b, `,"line":`...)
	b = fmt.Appendf(b, "%d", line)
	b = append(b, `,"reason":"`...)
	b = append(b, d.Reason.String()...)
	b = append(b, '"')
	if d.Rule != nil && !d.Rule.Implicit() && len(w.app.Plugins) > 0 {
		if plugin := w.app.PluginAt(d.Rule.Place); plugin != nil {
			b = append(b, `,"file":`...)
			b = appendString(b, d.Rule.Place.File)
			b = append(b, `,"plugin":`...)
			b = appendString(b, plugin.ID)
		}
	}
	if w.assumed[target] {
		b = append(b, `,"assumed":true`...)
	}
	if w.mixed(target, kind, url, d) {
		b = append(b, `,"refused":"mixed-content"`...)
	}
	return append(b, '}')
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string. Bytes that are no UTF-8 become
// U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(b, s[start:i]...)
				b = append(b, `\ufffd`...)
				start = i + 1
			}
			i += size
			continue
		}
		if c < ' ' || c == '"' || c == '\\' || c == 0x7f {
			b = append(b, s[start:i]...)
			if c == '"' || c == '\\' {
				b = append(b, '\\', c)
			} else {
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			start = i + 1
		}
		i++
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// table writes one URL as a table, platforms down, kinds across, with the
// deciding rules below it.
func (w *lineWriter) table(url string) {
	width := len("platform")
	names := make([]string, len(w.names))
	for i, name := range w.names {
		if names[i] = name; w.assumed[i] {
			names[i] += " (assumed)"
		}
		width = max(width, len(names[i]))
	}
	if w.count > 0 {
		w.buffer = append(w.buffer, '\n')
	}
	w.buffer = append(w.buffer, wording.Printable(url)...)
	w.buffer = fmt.Appendf(w.buffer, "\n  %-*s", width, "platform")
	for _, kind := range w.kinds {
		w.buffer = fmt.Appendf(w.buffer, "  %-*s", cellWidth(kind), kind)
	}
	w.endRow()
	notes := noteList{app: w.app}
	for i, p := range w.policies {
		w.buffer = fmt.Appendf(w.buffer, "  %-*s", width, names[i])
		for _, kind := range w.kinds {
			d := w.explainer.decide(p, kind, url)
			refusing := ""
			if w.mixed(i, kind, url, d) {
				refusing = strings.TrimSuffix(w.origins[i].Prefix(), "/")
			}
			cell := fmt.Sprintf("%s %d", d.Verdict, notes.number(d, refusing))
			w.buffer = fmt.Appendf(w.buffer, "  %-*s", cellWidth(kind), cell)
		}
		w.endRow()
	}
	for i, note := range notes.list {
		w.buffer = fmt.Appendf(w.buffer, "  %2d  %s\n", i+1, note)
	}
}

// cellWidth is the width of a column: "bypass 12" fits.
func cellWidth(kind policy.Kind) int { return max(len(kind.String()), len("bypass 12")) }

func (w *lineWriter) endRow() {
	for len(w.buffer) > 0 && w.buffer[len(w.buffer)-1] == ' ' {
		w.buffer = w.buffer[:len(w.buffer)-1]
	}
	w.buffer = append(w.buffer, '\n')
}

// noteList numbers the reasons of a table, each once.
type noteList struct {
	app  *app.App
	list []string
}

// number is that of the reason of a decision. The origin is that of the app's pages
// where the web view refuses the request all the same, else "".
func (l *noteList) number(d policy.Decision, refusing string) int {
	note := explanation(l.app, d)
	if refusing != "" {
		note += "; the web view refuses it as mixed content, because the app's own pages come from " +
			wording.Printable(refusing)
	}
	for i, known := range l.list {
		if known == note {
			return i + 1
		}
	}
	l.list = append(l.list, note)
	return len(l.list)
}

// explanation says in a line why a decision came out as it did.
func explanation(read *app.App, d policy.Decision) string {
	because := fmt.Sprintf("%s: %s", d.Reason, d.Reason.Explain())
	switch {
	case d.Rule == nil:
		return because
	case d.Rule.Implicit():
		return fmt.Sprintf("%s [%s]", because, wording.Printable(d.Rule.Text))
	}
	if d.Rule.Note != "" {
		because += " (" + wording.Printable(d.Rule.Note) + ")"
	}
	if plugin := read.PluginAt(d.Rule.Place); plugin != nil {
		because += ", added by the plugin " + wording.Printable(plugin.ID)
	}
	return fmt.Sprintf("%s  <%s> %s  %s", d.Rule.Place, d.Rule.Element, wording.Printable(d.Rule.Text), because)
}
