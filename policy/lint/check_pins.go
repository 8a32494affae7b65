package lint

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/pins"
	"github.com/cordon-sec/cordon/policy/script"
)

// placeOf returns where a pin problem stands.
func (r *run) placeOf(file string, place policy.Place) policy.Place {
	if file == "" {
		return place
	}
	return policy.Place{File: file, Line: 1, Column: 1}
}

// pinnedElements returns the pins of every platform, and what is wrong.
func (r *run) pinnedElements() ([]pins.Element, []*pins.Problem) {
	if r.project.Config == nil {
		return nil, nil
	}
	return pins.Read(r.project.Config, "")
}

func checkPinInvalid(r *run) {
	_, problems := r.pinnedElements()
	_, more := pins.ReadFiles(r.project.Certificates)
	for _, p := range append(problems, more...) {
		r.report(r.placeOf(p.File, p.Place), nil, "%s", p.Msg)
	}
}

// soon is how long before the end of a pin its renewal is due.
const soon = 60 * 24 * time.Hour

// ends calls visit for every pin that ends, with its place and what it is.
func (r *run) ends(visit func(place policy.Place, what string, end time.Time)) {
	if r.project.Now.IsZero() {
		return
	}
	elements, _ := r.pinnedElements()
	for _, e := range elements {
		if !e.Entry.Expires.IsZero() {
			visit(e.Place, "the pin of "+e.Entry.Host, e.Entry.Expires)
		}
	}
	for _, f := range r.project.Certificates {
		if c, err := pin.ReadCER("", f.Data); err == nil && !c.NotAfter.IsZero() {
			visit(r.placeOf(f.Name, policy.Place{}), "the certificate", c.NotAfter)
		}
	}
}

func checkPinExpired(r *run) {
	r.ends(func(place policy.Place, what string, end time.Time) {
		if !end.After(r.project.Now) {
			r.report(place, nil, "%s expired on %s", what, end.UTC().Format(time.DateOnly))
		}
	})
}

func checkPinSoon(r *run) {
	r.ends(func(place policy.Place, what string, end time.Time) {
		if left := end.Sub(r.project.Now); left > 0 && left < soon {
			r.report(place, nil, "%s expires on %s, in %d days", what, end.UTC().Format(time.DateOnly),
				int(left.Hours()/24))
		}
	})
}

func checkPinBackup(r *run) {
	elements, _ := r.pinnedElements()
	type host struct {
		first  policy.Place
		hashes map[pin.Hash]bool
	}
	hosts := map[string]*host{}
	for _, e := range elements {
		h := hosts[e.Entry.Host]
		if h == nil {
			h = &host{first: e.Place, hashes: map[pin.Hash]bool{}}
			hosts[e.Entry.Host] = h
		}
		for _, hash := range e.Entry.Hashes {
			h.hashes[hash] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		if h := hosts[name]; len(h.hashes) == 1 {
			r.report(h.first, nil, "%s has one pin and no backup", name)
		}
	}
	checkPinnedAlone(r)
}

// checkPinListed asks the strict reading: it is what the exports and the
// gateway enforce.
func checkPinListed(r *run) {
	if r.strict == nil {
		return
	}
	elements, _ := r.pinnedElements()
	seen := map[string]bool{}
	for _, e := range elements {
		host := e.Entry.Host
		if seen[host] {
			continue
		}
		seen[host] = true
		if !r.reaches(host) && !(e.Entry.Subdomains && r.reaches("cordon-probe."+host)) {
			r.report(e.Place, nil, "%s is pinned, and no line of the list covers it", host)
		}
	}
	r.certificateHosts(func(place policy.Place, host string, subdomains bool) {
		if !seen[host] && !r.reaches(host) && !(subdomains && r.reaches("cordon-probe."+host)) {
			r.report(place, nil, "%s is pinned, and no line of the list covers it", host)
		}
		seen[host] = true
	})
}

// reaches reports whether some https address of the host is covered, on
// whatever port a line names.
func (r *run) reaches(host string) bool {
	ports := map[string]bool{"": true}
	for _, e := range r.entries {
		if e.port != "" && e.port != "*" {
			ports[":"+e.port] = true
		}
	}
	for port := range ports {
		d := r.strict.policy.Decide(policy.Request{URL: "https://" + host + port + "/", AnyPath: true})
		if d.Verdict == policy.Allow {
			return true
		}
	}
	return false
}

func checkPinServed(r *run) {
	if r.project.Config == nil || len(r.project.Served) == 0 {
		return
	}
	set, _ := pins.Set(r.project.Config, "", r.project.Certificates)
	elements, _ := r.pinnedElements()
	for _, served := range r.project.Served {
		place := r.project.Config.Place(0, 0)
		for i := len(elements) - 1; i >= 0; i-- {
			if elements[i].Entry.Host == served.Host {
				place = elements[i].Place
			}
		}
		bound, ok := set.For(served.Host)
		if !ok {
			continue
		}
		switch err := bound.Verify(served.Chain, r.project.Now); {
		case served.Err != "":
			r.report(place, nil, "%s: %s", served.Host, served.Err)
		case err != nil:
			r.report(place, nil, "%s: %v", served.Host, err)
		}
	}
}

// httpPlugins say what each plugin really pins.
var httpPlugins = map[string]string{
	"com.synconset.cordovaHTTP": "the first release of cordova-plugin-http: after enableSSLPinning(true) it trusts " +
		"every .cer file of www/certificates for every host",
	"cordova-plugin-http": "after enableSSLPinning(true) it trusts every .cer file of www/certificates for " +
		"every host, " +
		"and on Android instead of the system's authorities",
	"cordova-plugin-advanced-http": "after setServerTrustMode(\"pinned\") it trusts every .cer file of " +
		"www/certificates for every host; " +
		"in every mode but legacy it brings trust managers of its own, which the network security configuration does " +
		"not bind",
	"com-intel-security-cordova-plugin": "it pins the public key given as serverKey, request by request, in an " +
		"OpenSSL of 2016",
}

// httpObjects are the globals of the plugins, as code calls them.
var httpObjects = regexp.MustCompile(`\b(cordovaHTTP|cordova\s*\.\s*plugins?\s*\.\s*http|` +
	`intel\s*\.\s*security\s*\.\s*secureTransport)\s*\.\s*(\w+)\s*\(\s*`)

func pluginOf(object string) string {
	switch {
	case object == "cordovaHTTP":
		return "cordova-plugin-http"
	case strings.HasPrefix(object, "intel"):
		return "com-intel-security-cordova-plugin"
	}
	return "cordova-plugin-advanced-http"
}

// ownPlugin is the package whose cordovaHTTP keeps the interface.
const ownPlugin = "cordova-plugin-cordon"

func (r *run) hasPlugin(name string) bool {
	for _, p := range r.plugins {
		if p.name == name {
			return true
		}
	}
	return false
}

func checkHTTPPlugins(r *run) {
	for _, p := range r.plugins {
		if what, known := httpPlugins[p.name]; known {
			r.report(p.place, nil, "%s: %s", p.name, what)
		}
	}
	reported := map[string]bool{}
	r.httpCalls(func(s *script.Source, object, method string, span app.Span, _ string) {
		name := pluginOf(object)
		if reported[name] || name == "cordova-plugin-http" && r.hasPlugin(ownPlugin) {
			return
		}
		reported[name] = true
		r.report(r.placeIn(s.File, span), nil, "the app calls %s.%s of %s: %s", object, method, name, httpPlugins[name])
	})
}

// httpCalls calls visit for every call of an HTTP plugin in the app's own code,
// with the URL if it is written there.
func (r *run) httpCalls(visit func(s *script.Source, object, method string, span app.Span, url string)) {
	for _, s := range r.sources {
		if s.Library {
			continue
		}
		for _, m := range findAll(s, httpObjects, "cordovaHTTP", "http", "secureTransport") {
			url := ""
			if l, ok := s.LiteralAt(s.Span.Start + m[1]); ok {
				url = l.Text
			}
			object := strings.Join(strings.Fields(string(s.Masked[m[2]:m[3]])), "")
			visit(s, object, string(s.Masked[m[4]:m[5]]), s.SpanAt(m[2], m[5]), url)
		}
	}
}

// requestMethods are those methods of the plugins that make a request.
var requestMethods = []string{"get", "post", "put", "patch", "delete", "head", "options", "sendRequest", "uploadFile",
	"downloadFile", "open"}

func checkNeedsCORS(r *run) {
	r.httpCalls(func(s *script.Source, object, method string, span app.Span, url string) {
		if !slices.Contains(requestMethods, method) {
			return
		}
		to := "a server"
		if isWebURL(url) {
			to = hostOf(url)
		}
		subject := fmt.Sprintf("%s.%s goes to %s", object, method, to)
		if object == "cordovaHTTP" && r.hasPlugin(ownPlugin) {
			r.report(r.placeIn(s.File, span), nil, "%s, which has to allow the app by CORS", subject)
			return
		}
		r.report(r.placeIn(s.File, span), nil,
			"%s without CORS; with fetch the server would have to allow the app", subject)
	})
}
