package lint

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// preference returns a check for one value of a preference; removable says
// that without it nothing more is let in.
func preference(name, value string, removable bool, message string) func(*run) {
	return func(r *run) {
		r.preferences(func(e *configxml.Element) {
			if !strings.EqualFold(e.Value("name"), name) || !strings.EqualFold(e.Value("value"), value) {
				return
			}
			var options []option
			if removable {
				options = append(options, r.fixed("remove the preference", r.project.Config.Removal(e)))
			}
			r.report(r.at(e), options, "%s", message)
		})
	}
}

func (r *run) preferences(visit func(*configxml.Element)) {
	if r.project.Config == nil {
		return
	}
	for _, e := range r.project.Config.Root().Children {
		if e.Name == "preference" {
			visit(e)
		}
		if e.Name == "platform" {
			for _, child := range e.Children {
				if child.Name == "preference" {
					visit(child)
				}
			}
		}
	}
}

func checkWebSecurity(r *run) {
	r.preferences(func(e *configxml.Element) {
		if !strings.EqualFold(e.Value("name"), "websecurity") || !strings.EqualFold(e.Value("value"), "disable") {
			return
		}
		for _, rd := range r.of("blackberry10") {
			if w := rd.verdict(webProbes[0], policy.Allow, policy.XHR); w != nil {
				r.report(r.at(e), []option{witnessed(w), r.fixed("remove the preference", r.project.Config.Removal(e))},
					"websecurity=\"disable\" switches the list off on BlackBerry 10")
				return
			}
		}
	})
}

func checkInsecureFileMode(r *run) {
	const name = "AndroidInsecureFileModeEnabled"
	r.preferences(func(e *configxml.Element) {
		if !strings.EqualFold(e.Value("name"), name) || !strings.EqualFold(e.Value("value"), "true") {
			return
		}
		for _, rd := range r.of("android") {
			w := rd.verdict("file:///android_asset/www/index.html", policy.Allow, policy.Navigation)
			if w != nil && rd.target.Version.AtLeast(10, 0, 0) {
				r.report(r.at(e), []option{witnessed(w)}, "%s lets file: pages read the app's files", name)
				return
			}
		}
	})
}

func checkTargetSDK(r *run) {
	r.preferences(func(e *configxml.Element) {
		if !strings.EqualFold(e.Value("name"), "android-targetSdkVersion") {
			return
		}
		if n, err := strconv.Atoi(strings.TrimSpace(e.Value("value"))); err == nil && n < 28 {
			r.report(r.at(e), nil, "target SDK %d allows cleartext by default", n)
		}
	})
	for _, st := range r.native().At("/manifest/uses-sdk") {
		a, _ := st.Attribute("targetSdkVersion")
		for _, g := range a.Texts() {
			if n, err := strconv.Atoi(strings.TrimSpace(g.Text)); err == nil && n < 28 {
				r.told(st.Fragment, "target SDK", a.Place, nil, "target SDK %d allows cleartext by default%s", n,
					g.Through(a.Value))
			}
		}
	}
}

var secretName = regexp.MustCompile(`(?i)(secret|passw(or)?d|passphrase|private[_.-]?key|api[_.-]?key|` +
	`access[_.-]?key|auth[_.-]?token|access[_.-]?token|client[_.-]?token|credential)`)

func checkConfigSecret(r *run) {
	if r.project.Config == nil {
		return
	}
	r.project.Config.Root().Walk(func(e *configxml.Element) bool {
		for _, a := range e.Attrs {
			if what := knownKey(a.Value); what != "" {
				r.report(r.atValue(e, a), []option{secret}, "%s of <%s> holds %s", a.Name, e.Name, what)
				return true
			}
		}
		if what := knownKey(e.Text); what != "" {
			r.report(r.at(e), []option{secret}, "<%s> holds %s", e.Name, what)
			return true
		}
		r.namedSecret(e)
		return true
	})
}

// namedSecret looks at name/value pairs whose name says that the value is
// secret.
func (r *run) namedSecret(e *configxml.Element) {
	name := e.Value("name")
	if e.Name != "preference" && e.Name != "variable" && e.Name != "param" || !secretName.MatchString(name) {
		return
	}
	value, ok := e.Attr("value")
	if !ok {
		value, ok = e.Attr("default")
	}
	if !ok || !looksSecret(value.Value) {
		return
	}
	r.report(r.atValue(e, value), []option{secret}, "<%s name=%s> holds what its name says", e.Name, quote(name))
}
