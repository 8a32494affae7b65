package needs

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/script"
)

// Of lists what all pages of an app need: what its scripts and style sheets do,
// what the libraries of its package.json and its plugins are known to, and what
// the bridge of a platform is made of. Platform "" means all that the app ships
// to.
func Of(a *app.App, platform string) []Need {
	list := ofPlatform(a, platform)
	list = append(list, ofPlugins(a, platform)...)
	list = append(list, inPackages(&a.Package)...)
	for i := range a.Scripts {
		if f := &a.Scripts[i]; !isPlatform(f.Name) {
			list = append(list, InScript(script.New(f, app.Span{End: len(f.Data)}))...)
		}
	}
	for i := range a.Styles {
		f := &a.Styles[i]
		list = append(list, inStyles(f, app.Span{End: len(f.Data)})...)
	}
	return list
}

// InScript lists what one stretch of JavaScript needs, each once.
func InScript(s *script.Source) []Need {
	f := finder{s: s, data: s.File.Data[s.Span.Start:s.Span.End]}
	for _, sign := range signs {
		mark := []byte(sign.text)
		for at := 0; ; {
			n := bytes.Index(f.data[at:], mark)
			if n < 0 {
				break
			}
			at += n
			if !s.InComment(s.Span.Start + at) {
				sign.look(&f, at)
			}
			at += len(mark)
		}
	}
	return f.list
}

// signs are the texts that scripts are searched for, and what is looked at where
// one stands. The search goes over the bytes as they are: in minified code a
// string that is taken for none must hide nothing.
var signs = []struct {
	text string
	look func(*finder, int)
}{
	{"createElement", (*finder).element},
	{"<style", (*finder).styleMarkup},
	{"<object", (*finder).objectMarkup},
	{"<embed", (*finder).objectMarkup},
	{"srcdoc", (*finder).writtenFrame},
	{"setAttribute(", (*finder).attribute},
	{" style=", (*finder).styleAttribute},
	{" on", (*finder).handler},
	{"createObjectURL(", (*finder).objectURL},
	{"toDataURL(", (*finder).dataURL},
	{"readAsDataURL(", (*finder).dataURL},
	{"toInternalURL(", (*finder).internalURL},
	{"data:", (*finder).dataText},
	{"cdvfile://", (*finder).scheme},
	{"content://", (*finder).scheme},
	{"filesystem:", (*finder).scheme},
	{"ionic://", (*finder).scheme},
	{"capacitor://", (*finder).scheme},
	{"Worker(", (*finder).worker},
	{"WebAssembly.", (*finder).wasm},
	{"eval(", (*finder).eval},
	{"Function(", (*finder).function},
	{"setTimeout(", (*finder).timer},
	{"setInterval(", (*finder).timer},
	{"document.write", (*finder).written},
}

// finder collects the needs of one stretch of JavaScript.
type finder struct {
	s    *script.Source
	data []byte
	list []Need
}

// need notes one, unless the same stretch needs the same already.
func (f *finder) need(at, length int, directive, source, what, by string) {
	if slices.ContainsFunc(f.list, func(n Need) bool {
		return n.Directive == directive && n.Source == source && n.Fails == ""
	}) {
		return
	}
	start := f.s.Span.Start + at
	f.list = append(f.list, Need{Directive: directive, Source: source, What: what, By: by,
		Place: f.s.File.Place(start, start+length)})
}

// fails notes a need that is never met, with what becomes of it.
func (f *finder) fails(at, length int, directive, source, what, fails string) {
	if slices.ContainsFunc(f.list, func(n Need) bool { return n.Directive == directive && n.Fails == fails }) {
		return
	}
	start := f.s.Span.Start + at
	f.list = append(f.list, Need{Directive: directive, Source: source, What: what, Fails: fails,
		Place: f.s.File.Place(start, start+length)})
}

// before and after are the bytes around an offset, at most n of them.
func (f *finder) before(at, n int) []byte { return f.data[max(0, at-n):at] }
func (f *finder) after(at, n int) []byte  { return f.data[min(at, len(f.data)):min(len(f.data), at+n)] }

// code reports whether an offset stands in code rather than in a string.
func (f *finder) code(at int) bool { return f.s.Masked[at] == f.data[at] }

// called returns the name of the function whose argument a string at an offset
// is, "" for none; ok is false where the string is looked for and not used.
func (f *finder) called(quote int) (name string, ok bool) {
	p := script.PrecedingOf(f.s.Before(f.s.Span.Start+quote, 96))
	if p.Compares() {
		return "", false
	}
	if p.Separator == "(" {
		return p.Name, true
	}
	return "", true
}

// objectElement matches what makes an element that object-src governs.
var objectElement = regexp.MustCompile("^createElement\\(\\s*[\"'`](object|embed)[\"'`]")

// objectMarkup looks at such an element in a string.
func (f *finder) objectMarkup(at int) {
	name := "object"
	if bytes.HasPrefix(f.after(at, 6), []byte("<embed")) {
		name = "embed"
	}
	next := f.after(at+1+len(name), 1)
	if !f.code(at) && len(next) == 1 && (next[0] == '>' || next[0] == ' ') {
		f.fails(at, 1+len(name), "object-src", "'self'", "writes an <"+name+"> into the page", noObjects)
	}
}

// setsFrame matches what writes the page of a frame.
var setsFrame = regexp.MustCompile("(?:\\.srcdoc\\s*=[^=]|setAttribute\\(\\s*[\"'`]srcdoc[\"'`]\\s*,)")

// writtenFrame looks at pages that scripts write into frames. A frame that is written
// so is held by the policy of the page around it.
func (f *finder) writtenFrame(at int) {
	around := f.data[max(0, at-30):min(len(f.data), at+len("srcdoc")+12)]
	if setsFrame.Match(around) {
		f.inherits(at, len("srcdoc"))
	}
}

var styleElement = regexp.MustCompile("^createElement(?:NS)?\\(\\s*(?:[^()\"'`]{1,60},\\s*)?[\"'`]style[\"'`]")

// element looks at createElement("style"). React makes one only for a <style>
// with a precedence, and the build of Vue for browsers only for custom elements.
func (f *finder) element(at int) {
	if m := objectElement.FindSubmatch(f.after(at, 120)); m != nil {
		f.fails(at, len("createElement"), "object-src", "'self'", "makes an <"+string(m[1])+">", noObjects)
		return
	}
	if !styleElement.Match(f.after(at, 120)) {
		return
	}
	around := append(f.before(at, 200), f.after(at, 200)...)
	if bytes.Contains(around, []byte("precedence")) {
		return
	}
	base := f.s.File.Name[strings.LastIndexByte(f.s.File.Name, '/')+1:]
	if strings.HasPrefix(base, "vue.") && bytes.Contains(f.before(at, 600), []byte("_applyStyles")) {
		return
	}
	f.need(at, len("createElement"), "style-src-elem", UnsafeInline, putsStyles, libraryAt(f.data, at))
}

// styleMarkup looks at a style element in a string.
func (f *finder) styleMarkup(at int) {
	if next := f.after(at+len("<style"), 1); !f.code(at) && len(next) == 1 && (next[0] == '>' || next[0] == ' ') {
		f.need(at, len("<style"), "style-src-elem", UnsafeInline, putsStyles, libraryAt(f.data, at))
	}
}

var (
	setsStyle   = regexp.MustCompile("^setAttribute\\(\\s*(?:[^()\"'`]{1,40},\\s*)?[\"'`]style[\"'`]")
	setsHandler = regexp.MustCompile("^setAttribute\\(\\s*[\"'`]on[a-z]+[\"'`]")
)

func (f *finder) attribute(at int) {
	switch rest := f.after(at, 100); {
	case setsStyle.Match(rest):
		f.need(at, len("setAttribute"), "style-src-attr", UnsafeInline, "sets style attributes", libraryAt(f.data, at))
	case setsHandler.Match(rest) && !bytes.Contains(rest[:min(len(rest), 40)], []byte(`"return;"`)): // React asks so
		f.need(at, len("setAttribute"), "script-src-attr", UnsafeInline, "sets inline event handlers", "")
	}
}

// inTag matches what stands between the beginning of a tag and an attribute.
var inTag = regexp.MustCompile(`<[a-zA-Z][^<>]*$`)

// quoted matches the beginning of an attribute's value in a string.
var quoted = regexp.MustCompile(`^(?:["'` + "`" + `]|\\["'])`)

func (f *finder) styleAttribute(at int) {
	if quoted.Match(f.after(at+len(" style="), 2)) && inTag.Match(f.before(at, 300)) {
		f.need(at+1, len("style"), "style-src-attr", UnsafeInline, "writes markup with style attributes", "")
	}
}

var handlerName = regexp.MustCompile("^ on[a-z]{3,24}=(?:[\"'`]|\\\\[\"'])")

func (f *finder) handler(at int) {
	if handlerName.Match(f.after(at, 40)) && inTag.Match(f.before(at, 300)) {
		f.need(at+1, len("on"), "script-src-attr", UnsafeInline, "writes markup with inline event handlers", "")
	}
}

var scriptMarkup = regexp.MustCompile(`^document\.write(?:ln)?\(\s*["'` + "`" + `]<scr[^>]*>`)

// written looks at scripts that are written as text.
func (f *finder) written(at int) {
	if m := scriptMarkup.Find(f.after(at, 200)); m != nil && !bytes.Contains(m, []byte("src=")) {
		f.need(at, len("document.write"), "script-src-elem", UnsafeInline, "writes inline scripts", "")
	}
}

func (f *finder) wasm(at int) {
	rest := f.after(at+len("WebAssembly."), 20)
	for _, name := range []string{"instantiate", "compile", "Module("} {
		if f.code(at) && bytes.HasPrefix(rest, []byte(name)) {
			f.need(at, len("WebAssembly"), "script-src", WasmEval, "compiles WebAssembly", "")
		}
	}
}

// eval looks at calls of eval, by its own name and as a member of the window.
func (f *finder) eval(at int) {
	before := f.before(at, 16)
	if !f.code(at) || bytes.HasPrefix(f.after(at, 16), []byte(`eval("quire"`)) {
		return
	}
	if n := len(before); n > 0 && (script.IsIdentifier(before[n-1]) || before[n-1] == '.' &&
		!bytes.HasSuffix(before, []byte("window.")) && !bytes.HasSuffix(before, []byte("globalThis."))) {
		return
	}
	f.evaluates(at, len("eval"))
}

// harmless matches calls of Function that are made only where nothing else gives
// the global object, and that are caught where they fail.
var harmless = regexp.MustCompile(`^Function\(\s*(?:\)|["']return this["']|["']r["'],\s*["']regeneratorRuntime)`)

func (f *finder) function(at int) {
	before := f.before(at, 1)
	if !f.code(at) || harmless.Match(f.after(at, 60)) ||
		len(before) == 1 && (script.IsIdentifier(before[0]) || before[0] == '.') {
		return
	}
	f.evaluates(at, len("Function"))
}

// timer looks at code that is given to a timer as text.
func (f *finder) timer(at int) {
	i := at + bytes.IndexByte(f.data[at:], '(') + 1
	rest := bytes.TrimLeft(f.after(i, 20), " \t\r\n")
	if f.code(at) && len(rest) > 0 && (rest[0] == '"' || rest[0] == '\'') {
		f.evaluates(at, len("setTimeout"))
	}
}

// evaluates notes that text becomes code. AngularJS tries whether it may, and
// does without where not.
func (f *finder) evaluates(at, length int) {
	if !bytes.Contains(f.data, []byte("noUnsafeEval")) {
		f.need(at, length, "script-src", UnsafeEval, "makes code of text (eval, new Function)", "")
	}
}
