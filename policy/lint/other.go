package lint

import (
	"strings"

	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/policy/app"
)

// otherRules are about Capacitor, platforms without a list, and what Cordon
// itself is told.
var otherRules = []Rule{
	{
		ID: "platform-enforces-nothing", Severity: Low, Topic: TopicOther,
		Title:       "A platform enforces no list at all",
		Explanation: "The platform carries config.xml along and never looks at it. Only a Content-Security-Policy restricts the app there, and the start page has none.",
		Gain:        "An injected script reaches any server.",
		Effects:     effects("browser, electron, firefoxos, osx", "no access or navigation check exists"),
		Remedy:      "Give the start page a Content-Security-Policy.",
		check:       checkEnforcesNothing,
	},
	{
		ID: "capacitor-navigation-any", Severity: Critical, Topic: TopicOther,
		Title:       "Capacitor opens every page inside the app",
		Explanation: "server.allowNavigation holds host masks. A lone * covers every host; a mask of one label covers every host under that top-level domain on Android.",
		Gain:        "One link or redirect to the attacker's page, which on Android also becomes an origin of the native bridge.",
		Effects:     effects("android", "\"*\" and \"com\" cover every host (under .com)", "ios", "\"*\" covers every host, \"com\" only a host of that name"),
		Remedy:      "Name the hosts, or remove allowNavigation: other hosts then open in the browser.",
		check:       checkCapacitorAny,
	},
	{
		ID: "capacitor-mask-useless", Severity: Medium, Topic: TopicOther,
		Title:       "A mask of allowNavigation covers nothing",
		Explanation: "Masks are hosts, not URLs: scheme, port and path never match, and * stands for one whole label.",
		Gain:        "Nothing by itself; a wider mask added to make it work lets in more.",
		Effects:     effects("android, ios", "never matches"),
		Remedy:      "Write the host alone: app.example.com or *.example.com.",
		check:       checkCapacitorMask,
	},
	{
		ID: "capacitor-cleartext", Severity: Medium, Topic: TopicOther,
		Title:       "Capacitor allows cleartext traffic",
		Explanation: "server.cleartext writes usesCleartextTraffic=\"true\" into the manifest, for every host. It is meant for live reload.",
		Gain:        "Reading and changing what the app sends over http.",
		Effects:     effects("android", "cleartext to every host", "ios", "not read"),
		Remedy:      "Remove it from what is shipped.",
		check:       checkCapacitorCleartext,
	},
	{
		ID: "capacitor-server-url", Severity: High, Topic: TopicOther,
		Title:       "Capacitor starts on a remote page",
		Explanation: "server.url replaces the app's own pages by those of a server. It is meant for live reload.",
		Gain:        "Whoever changes the server's pages, or (over http) the connection, has the app.",
		Effects:     effects("android, ios", "the pages come from the server at every start"),
		Remedy:      "Remove it from what is shipped.",
		check:       checkCapacitorURL,
	},
	{
		ID: "file-not-read", Severity: Info, Topic: TopicOther,
		Title:       "A file was not looked at",
		Explanation: "The file is too large, malformed, or code that would have to be run (capacitor.config.ts), so the rules have not seen it.",
		Gain:        "Unknown.",
		Effects:     everywhere("nothing is said about the file"),
		Remedy:      "See the message; for capacitor.config.ts check the copy that cap copy writes below android/ or ios/.",
		check:       checkNotRead,
	},
	{
		ID: "suppression-invalid", Severity: Low, Topic: TopicOther,
		Title:       "A suppression that does not count",
		Explanation: "<!-- cordon:ignore RULE-ID reason --> needs the id of a rule and a reason. Without them it suppresses nothing.",
		Gain:        "Nothing.",
		Effects:     everywhere("the finding stays"),
		Remedy:      "Write the rule's id and say why the finding does not matter here.",
	},
	{
		ID: "suppression-unused", Severity: Info, Topic: TopicOther,
		Title:       "A suppression without a finding",
		Explanation: "The comment names a rule that finds nothing there. A comment that stays behind will hide the next finding.",
		Gain:        "Nothing.",
		Effects:     everywhere("none"),
		Remedy:      "Remove the comment.",
	},
}

// listless are the platforms that never look at a list.
var listless = map[string]bool{"browser": true, "electron": true, "firefoxos": true, "osx": true}

func checkEnforcesNothing(r *run) {
	page := r.project.StartPage()
	if page == nil || len(readCSP(page).metas) > 0 {
		return
	}
	seen := make(map[string]bool)
	for _, engine := range r.project.Engines {
		if listless[engine.Name] && !seen[engine.Name] {
			seen[engine.Name] = true
			r.report(engine.Place, nil, "%s enforces no list, and %s has no Content-Security-Policy", engine.Name, page.Name)
		}
	}
}

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
		if !ok || strings.Contains(mask, ".") && strings.Trim(mask, "*.") != "" || mask == "localhost" || mask == "" || strings.ContainsAny(mask, ":/") {
			continue
		}
		what := "every host"
		if strings.Trim(mask, "*.") != "" {
			what = "every host under ." + mask + " on Android"
		}
		r.report(r.placeIn(&r.project.Capacitor, spanOf(item)), nil, "the mask %s opens %s inside the app", quote(mask), what)
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
			r.report(r.placeIn(&r.project.Capacitor, spanOf(item)), nil, "the mask %s is compared with hosts alone and covers none", quote(mask))
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

func checkNotRead(r *run) {
	for _, s := range r.project.Skipped {
		f := app.File{Name: s.Name}
		r.report(f.Place(0, 0), nil, "%s was not read: %s", s.Name, s.Why)
	}
	for _, f := range []*app.File{&r.project.Package, &r.project.Capacitor} {
		if len(f.Data) == 0 {
			continue
		}
		if _, err := jsonspan.Parse(f.Data); err != nil {
			r.report(f.Place(0, 0), nil, "%s was not read: it is not well-formed JSON", f.Name)
		}
	}
}
