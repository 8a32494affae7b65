package lint

import (
	"strings"

	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/policy/app"
)

// capacitor returns a value of capacitor.config.json.
func (r *run) capacitor(keys ...string) jsonspan.Value {
	root, err := jsonspan.Parse(r.project.Capacitor.Data)
	if err != nil {
		return jsonspan.Value{} // which is a finding of its own
	}
	return root.At(keys...)
}

func spanOf(v jsonspan.Value) app.Span { return app.Span{Start: v.Start, End: v.End} }

func checkCapacitorAny(r *run) {
	for _, item := range r.capacitor("server", "allowNavigation").Items {
		mask, ok := item.Text()
		if !ok || strings.Contains(mask, ".") && strings.Trim(mask, "*.") != "" || mask == "localhost" || mask == "" ||
			strings.ContainsAny(mask, ":/") {
			continue
		}
		what := "every host"
		if strings.Trim(mask, "*.") != "" {
			what = "every host under ." + mask + " on Android"
		}
		r.report(r.placeIn(&r.project.Capacitor, spanOf(item)), nil,
			"the mask %s opens %s inside the app", quote(mask), what)
	}
}

func checkCapacitorMask(r *run) {
	for _, item := range r.capacitor("server", "allowNavigation").Items {
		mask, ok := item.Text()
		if !ok {
			continue
		}
		partial := false
		for _, label := range strings.Split(mask, ".") {
			partial = partial || strings.Contains(label, "*") && label != "*"
		}
		if mask == "" || partial || strings.ContainsAny(mask, ":/@?# ") {
			r.report(r.placeIn(&r.project.Capacitor, spanOf(item)), nil,
				"the mask %s is compared with hosts alone and covers none", quote(mask))
		}
	}
}

func checkCapacitorCleartext(r *run) {
	if n := r.capacitor("server", "cleartext"); n.IsTrue() {
		r.report(r.placeIn(&r.project.Capacitor, spanOf(n)), nil, "server.cleartext allows cleartext to every host")
	}
}

func checkCapacitorURL(r *run) {
	n := r.capacitor("server", "url")
	if url, ok := n.Text(); ok && url != "" {
		r.report(r.placeIn(&r.project.Capacitor, spanOf(n)), nil, "the app's pages come from %s", quote(url))
	}
}
