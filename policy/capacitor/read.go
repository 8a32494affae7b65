package capacitor

import (
	"strings"

	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/policy"
)

// reader takes values out of a document and keeps the first mistake.
type reader struct {
	name string
	data []byte
	root jsonspan.Value
	err  *Error
}

func (r *reader) place(v jsonspan.Value) policy.Place {
	return policy.PlaceIn(r.name, r.data, v.Start, v.End)
}

// fail notes a mistake, unless one is known that stands before it.
func (r *reader) fail(v jsonspan.Value, why string) *Error {
	if r.err == nil || v.Start < r.err.Place.Start {
		r.err = &Error{r.place(v), why}
	}
	return r.err
}

func (r *reader) server() Server {
	s := Server{
		Hostname:      r.text("server", "hostname"),
		AndroidScheme: r.text("server", "androidScheme"),
		IOSScheme:     r.text("server", "iosScheme"),
		URL:           r.text("server", "url"),
		Cleartext:     r.flag("server", "cleartext"),
		ErrorPath:     r.text("server", "errorPath"),
		AppStartPath:  r.text("server", "appStartPath"),
	}
	if hosts := r.list("server", "allowNavigation"); hosts != nil {
		s.AllowNavigation = hosts.Items
	}
	return s
}

func (r *reader) android() Android {
	a := Android{
		Path:                  r.text("android", "path"),
		AllowMixedContent:     r.flag("android", "allowMixedContent"),
		WebContentsDebugging:  r.flag("android", "webContentsDebuggingEnabled"),
		UseLegacyBridge:       r.flag("android", "useLegacyBridge"),
		CaptureInput:          r.flag("android", "captureInput"),
		ResolveServiceWorkers: r.flag("android", "resolveServiceWorkerRequests"),
		LoggingBehavior:       r.ownText("android", "loggingBehavior"),
		AppendUserAgent:       r.ownText("android", "appendUserAgent"),
		OverrideUserAgent:     r.ownText("android", "overrideUserAgent"),
		IncludePlugins:        r.list("android", "includePlugins"),
	}
	if form := a.AllowMixedContent.Form; form != Boolean && form != Quoted {
		if top := r.flag("allowMixedContent"); top.Written() {
			a.AllowMixedContent = top
		}
	}
	return a
}

func (r *reader) ios() IOS {
	return IOS{
		Path:                 r.text("ios", "path"),
		LimitsNavigations:    r.flag("ios", "limitsNavigationsToAppBoundDomains"),
		WebContentsDebugging: r.flag("ios", "webContentsDebuggingEnabled"),
		LoggingBehavior:      r.ownText("ios", "loggingBehavior"),
		AppendUserAgent:      r.ownText("ios", "appendUserAgent"),
		OverrideUserAgent:    r.ownText("ios", "overrideUserAgent"),
		Scheme:               r.text("ios", "scheme"),
		IncludePlugins:       r.list("ios", "includePlugins"),
	}
}

// text takes a text, if it is there.
func (r *reader) text(keys ...string) Text {
	return r.textOf(r.root.At(keys...), strings.Join(keys, "."))
}

func (r *reader) textOf(v jsonspan.Value, what string) Text {
	if v.IsNull() {
		return Text{}
	}
	text, ok := v.Text()
	if !ok {
		r.fail(v, what+" must be a text in quotes")
		return Text{}
	}
	return Text{text, r.place(v)}
}

// ownText takes the text of a platform's section, or the one at the top that
// stands in for it.
func (r *reader) ownText(section, key string) Text {
	own, top := r.text(section, key), r.text(key)
	if own.Written() {
		return own
	}
	return top
}

func (r *reader) flag(keys ...string) Flag {
	v := r.root.At(keys...)
	if v.IsNull() {
		return Flag{}
	}
	f := Flag{Form: Unread, Place: r.place(v)}
	switch value := v.Scalar.(type) {
	case bool:
		f.Form, f.Value = Boolean, value
	case string:
		if strings.EqualFold(value, "true") || strings.EqualFold(value, "false") {
			f.Form, f.Value = Quoted, strings.EqualFold(value, "true")
		}
	case float64:
		if value == 0 || value == 1 {
			f.Form, f.Value = Number, value == 1
		}
	}
	return f
}

// list takes a list of texts, nil if there is none. A null in it counts as absent.
func (r *reader) list(keys ...string) *List {
	v, what := r.root.At(keys...), strings.Join(keys, ".")
	if v.IsNull() {
		return nil
	}
	if v.Kind != '[' {
		r.fail(v, what+" must be a list of texts")
		return nil
	}
	list := &List{Items: make([]Text, 0, len(v.Items)), Place: r.place(v)}
	for _, item := range v.Items {
		if text := r.textOf(item, "an entry of "+what); text.Written() {
			list.Items = append(list.Items, text)
		}
	}
	return list
}

// preferences takes the preferences that are texts; of two of a name the last one
// counts, in the place of the first, as in JavaScript.
func (r *reader) preferences() []Preference {
	var all []Preference
	for _, m := range r.root.At("cordova", "preferences").Members {
		value, ok := m.Value.Text()
		if !ok {
			continue
		}
		p := Preference{m.Key, Text{value, r.place(m.Value)}}
		known := false
		for i := range all {
			if all[i].Name == p.Name {
				all[i], known = p, true
			}
		}
		if !known {
			all = append(all, p)
		}
	}
	return all
}
