package lint

import (
	"strings"

	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/csp"
)

// selfURL stands for the page's own origin when sources are matched.
const selfURL = "https://localhost/"

// pagePolicy is what the meta elements of a page say.
type pagePolicy struct {
	page  *app.Page
	metas []meta // those that a browser obeys
}

// meta is one Content-Security-Policy element.
type meta struct {
	tag    *app.Tag
	value  app.TagAttr
	policy csp.Policy
	exact  bool // the value's bytes are the decoded value's
}

// readCSP reads the policies of a page that a browser obeys.
func readCSP(page *app.Page) pagePolicy {
	p := pagePolicy{page: page}
	for _, m := range metasOf(page, "content-security-policy") {
		if m.tag.InHead {
			p.metas = append(p.metas, m)
		}
	}
	return p
}

func metasOf(page *app.Page, header string) []meta {
	var list []meta
	for i := range page.Tags {
		tag := &page.Tags[i]
		if tag.Name != "meta" || !strings.EqualFold(strings.TrimSpace(tag.Value("http-equiv")), header) {
			continue
		}
		value, _ := tag.Attr("content")
		raw := ""
		if value.ValueEnd <= len(page.Data) && value.ValueStart <= value.ValueEnd {
			raw = string(page.Data[value.ValueStart:value.ValueEnd])
		}
		list = append(list, meta{tag: tag, value: value, policy: csp.Parse(value.Value), exact: raw == value.Value})
	}
	return list
}

// place returns where a directive stands, or the whole value.
func (p *pagePolicy) place(m meta, d csp.Directive) policy.Place {
	if !m.exact || d.End == 0 {
		return p.page.Place(m.value.ValueStart, m.value.ValueEnd)
	}
	return p.page.Place(m.value.ValueStart+d.Start, m.value.ValueStart+d.End)
}

// allows reports whether every policy of the page lets the URL load.
func (p pagePolicy) allows(directive, url string) bool {
	for _, m := range p.metas {
		if !m.policy.Allows(directive, url, selfURL) {
			return false
		}
	}
	return true
}

// opens reports whether the page lets a host load that nobody listed.
func (p pagePolicy) opens(directive string) bool { return p.allows(directive, webProbes[0]) }

// eachMeta calls visit for every policy of every page.
func (r *run) eachMeta(visit func(*pagePolicy, meta)) {
	for i := range r.project.Pages {
		p := readCSP(&r.project.Pages[i])
		for _, m := range p.metas {
			visit(&p, m)
		}
	}
}

// eachDirective calls visit for every directive of every page.
func (r *run) eachDirective(visit func(p *pagePolicy, m meta, d csp.Directive)) {
	r.eachMeta(func(p *pagePolicy, m meta) {
		for _, d := range m.policy.Directives {
			visit(p, m, d)
		}
	})
}

func checkCSPMissing(r *run) {
	page := r.project.StartPage()
	if page == nil || len(readCSP(page).metas) > 0 || r.otherPageWithCSP() != nil {
		return
	}
	r.report(headPlace(page), nil, "%s has no Content-Security-Policy", page.Name)
}

func (r *run) otherPageWithCSP() *app.Page {
	for i := range r.project.Pages {
		if page := &r.project.Pages[i]; !page.Start && len(readCSP(page).metas) > 0 {
			return page
		}
	}
	return nil
}

// headPlace is where a page's policy belongs: its head, or its first byte.
func headPlace(page *app.Page) policy.Place {
	for _, tag := range page.Tags {
		if tag.Name == "head" {
			return page.Place(tag.Start, tag.End)
		}
	}
	return page.Place(0, 0)
}

func checkCSPElsewhere(r *run) {
	page := r.project.StartPage()
	if page == nil || len(readCSP(page).metas) > 0 {
		return
	}
	if other := r.otherPageWithCSP(); other != nil {
		r.report(headPlace(page), nil,
			"%s has a Content-Security-Policy, but %s, the start page, has none", other.Name, page.Name)
	}
}

func checkCSPMissingOnPage(r *run) {
	start := r.project.StartPage()
	if start == nil || len(readCSP(start).metas) == 0 {
		return
	}
	for i := range r.project.Pages {
		if page := &r.project.Pages[i]; !page.Start && page.Whole && len(readCSP(page).metas) == 0 {
			r.report(headPlace(page), nil, "%s has no Content-Security-Policy, the start page has one", page.Name)
		}
	}
}

// governs says which directive governs a kind of request.
var governs = []struct {
	kind      policy.Kind
	directive string
	url       string
}{
	{policy.Frame, "frame-src", webProbes[0]},
	{policy.Script, "script-src-elem", webProbes[0]},
	{policy.Style, "style-src-elem", webProbes[0]},
	{policy.Image, "img-src", webProbes[0]},
	{policy.Font, "font-src", webProbes[0]},
	{policy.XHR, "connect-src", webProbes[0]},
	{policy.Media, "media-src", webProbes[0]},
	{policy.WebSocket, "connect-src", "wss://" + probeHost + "/x"},
}

func checkKindsBypass(r *run) {
	page := r.project.StartPage()
	if page == nil || r.strict == nil || !r.hasList() || r.strictAllows(webProbes[0], policy.XHR) {
		return
	}
	p := readCSP(page)
	var kinds []string
	var concerned []*reading
	for _, g := range governs {
		readings := r.neverAsked(g.kind)
		if len(readings) > 0 && p.allows(g.directive, g.url) {
			kinds = append(kinds, g.kind.String())
			concerned = longer(concerned, readings)
		}
	}
	if len(kinds) == 0 {
		return
	}
	place := headPlace(page)
	if len(p.metas) > 0 {
		place = page.Place(p.metas[0].tag.Start, p.metas[0].tag.End)
	}
	r.report(place, []option{on(concerned)}, "on %s no list is asked for %s, and this page does not restrict %s either",
		names(concerned), wording.Join(kinds), wording.Plural(len(kinds), "it", "them"))
}

func longer(a, b []*reading) []*reading {
	if len(b) > len(a) {
		return b
	}
	return a
}

// hasList reports whether the file lists what may load inside the app.
func (r *run) hasList() bool {
	for _, e := range r.entries {
		if e.opens() && e.has {
			return true
		}
	}
	return false
}

func (r *run) strictAllows(url string, kind policy.Kind) bool {
	return r.strict.policy.Decide(policy.Request{URL: url, Kind: kind, Strict: true, AnyPath: true}).Verdict ==
		policy.Allow
}

// fetchKinds says what kind of request a directive governs.
var fetchKinds = map[string]policy.Kind{
	"default-src": policy.XHR, "connect-src": policy.XHR, "img-src": policy.Image, "media-src": policy.Media,
	"font-src": policy.Font, "script-src": policy.Script, "script-src-elem": policy.Script, "style-src": policy.Style,
	"style-src-elem": policy.Style, "frame-src": policy.Frame, "child-src": policy.Frame, "worker-src": policy.Script,
	"object-src": policy.Other, "manifest-src": policy.Other,
}

func checkCSPWeaker(r *run) {
	start := r.project.StartPage()
	if start == nil || r.strict == nil || !r.hasList() {
		return
	}
	p := readCSP(start)
	for _, m := range p.metas {
		for _, d := range m.policy.Directives {
			kind, fetches := fetchKinds[d.Name]
			if !fetches {
				continue
			}
			if extra := r.unlisted(d, kind); len(extra) > 0 {
				r.report(p.place(m, d), nil,
					"%s lets in %s, which no entry of config.xml covers", d.Name, wording.Join(extra))
			}
		}
	}
}

// unlisted returns the sources of a directive that name a host outside the
// list.
func (r *run) unlisted(d csp.Directive, kind policy.Kind) []string {
	var extra []string
	for _, token := range d.Sources {
		s, ok := csp.ParseSource(token)
		if !ok || s.Host == "" || s.Host == "*" {
			continue
		}
		scheme := s.Scheme
		if scheme == "" {
			scheme = "https"
		}
		host := strings.Replace(s.Host, "*", "x", 1)
		if developmentHost(host) != "" || scheme != "http" && scheme != "https" && scheme != "ws" && scheme != "wss" {
			continue
		}
		if s.Port != "" && s.Port != "*" {
			host += ":" + s.Port
		}
		if url := scheme + "://" + host + "/"; !r.strictAllows(url, kind) && !r.strictAllows(url, policy.XHR) {
			extra = append(extra, token)
		}
	}
	return extra
}

func checkCSPStronger(r *run) {
	start := r.project.StartPage()
	if start == nil {
		return
	}
	p := readCSP(start)
	if len(p.metas) == 0 {
		return
	}
	var hosts []string
	r.each(func(e *entry) {
		if !e.web() || e.anyHost() || e.scope != "" || len(hosts) > 3 {
			return
		}
		if !p.mentions(e) {
			hosts = append(hosts, e.host)
		}
	}, forAccess)
	if len(hosts) == 0 {
		return
	}
	if len(hosts) > 3 {
		hosts = append(hosts[:3], "others")
	}
	m := p.metas[0]
	r.report(p.page.Place(m.tag.Start, m.tag.End), nil,
		"config.xml lists %s, from which this page loads nothing", wording.Join(hosts))
}

// mentions reports whether the page may load something from a host that the
// entry covers: a policy may name one host or folder of many that are listed.
func (p pagePolicy) mentions(e *entry) bool {
	for _, g := range governs {
		if p.allows(g.directive, e.sample()) {
			return true
		}
		d, ok := p.metas[0].policy.Effective(g.directive)
		for _, token := range d.Sources {
			s, isHost := csp.ParseSource(token)
			host := strings.TrimPrefix(s.Host, "*.")
			if ok && isHost && host != "" &&
				(strings.EqualFold(host, e.base()) || e.below() && hasSuffixFold(host, "."+e.base())) {
				return true
			}
		}
	}
	return false
}

func hasSuffixFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

// unsafe reports a keyword in the directive that governs name.
func (r *run) unsafe(name, keyword string, guarded bool, message string) {
	r.eachMeta(func(p *pagePolicy, m meta) {
		d, ok := m.policy.Effective(name)
		if !ok || !d.Has(keyword) || guarded && d.Guarded() {
			return
		}
		r.report(p.place(m, d), nil, "%s %s", d.Name, message)
	})
}

func checkUnsafeInline(r *run) {
	r.unsafe("script-src", "'unsafe-inline'", true, "lets inline scripts run")
}

func checkNonce(r *run) {
	r.eachDirective(func(p *pagePolicy, m meta, d csp.Directive) {
		for _, token := range d.Sources {
			if len(token) > len("'nonce-") && strings.EqualFold(token[:len("'nonce-")], "'nonce-") {
				r.report(p.place(m, d), nil, "everybody who has the app can read the nonce in %s", d.Name)
				return
			}
		}
	})
}

func checkUnsafeInlineStyle(r *run) {
	r.eachMeta(func(p *pagePolicy, m meta) {
		d, ok := m.policy.Effective("style-src")
		if script, _ := m.policy.Effective("script-src"); !ok || d.Name == script.Name || !d.Has("'unsafe-inline'") ||
			d.Guarded() {
			return // said once, by csp-unsafe-inline
		}
		r.report(p.place(m, d), nil, "%s lets inline styles apply", d.Name)
	})
}

func checkUnsafeEval(r *run) {
	r.unsafe("script-src", "'unsafe-eval'", false, "lets text become code (eval, new Function)")
}

func checkMediaAny(r *run) {
	r.eachDirective(func(p *pagePolicy, m meta, d csp.Directive) {
		if d.Name != "media-src" || !d.Has("*") && !d.Has("https:") && !d.Has("http:") {
			return
		}
		var options []option
		if m.exact {
			options = append(options, p.replace(m, d, "media-src 'self'", "write media-src 'self'"))
		}
		r.report(p.place(m, d), options, "%s lets media come from every host", d)
	})
}

func checkCSPWildcard(r *run) {
	r.eachDirective(func(p *pagePolicy, m meta, d csp.Directive) {
		if _, fetches := fetchKinds[d.Name]; !fetches && d.Name != "form-action" || d.Name == "media-src" {
			return
		}
		for _, token := range []string{"*", "https:", "http:", "https://*", "http://*", "wss:", "ws:"} {
			if d.Has(token) {
				r.report(p.place(m, d), nil, "%s in %s covers every host", token, d.Name)
				return
			}
		}
	})
}

func checkCSPCleartext(r *run) {
	r.eachDirective(func(p *pagePolicy, m meta, d csp.Directive) {
		var found []string
		for _, token := range d.Sources {
			s, ok := csp.ParseSource(token)
			if ok && (s.Scheme == "http" || s.Scheme == "ws") && developmentHost(s.Host) == "" {
				found = append(found, token)
			}
		}
		if len(found) > 0 {
			r.report(p.place(m, d), nil, "%s lets content load unencrypted from %s", d.Name, wording.Join(found))
		}
	})
}

func checkDataScript(r *run) {
	r.eachMeta(func(p *pagePolicy, m meta) {
		d, ok := m.policy.Effective("script-src")
		if !ok {
			return
		}
		for _, token := range []string{"data:", "blob:", "filesystem:"} {
			if d.Has(token) {
				r.report(p.place(m, d), nil, "%s lets %s URLs be scripts", d.Name, token)
				return
			}
		}
	})
}

func checkBaseURI(r *run) {
	r.eachMeta(func(p *pagePolicy, m meta) {
		if _, ok := m.policy.Get("base-uri"); !ok && m.policy.String() != "default-src 'none'" && p.page.Start {
			r.report(p.page.Place(m.value.ValueStart, m.value.ValueEnd), nil, "the policy has no base-uri")
		}
	})
}
