package lint

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/script"
)

// isCode reports whether a tag's URL is code or a whole page.
func isCode(tag string) bool {
	switch tag {
	case "script", "link", "iframe", "frame", "object", "embed":
		return true
	}
	return false
}

func isCleartext(url string) bool {
	return strings.HasPrefix(url, "http://") || strings.HasPrefix(url, "ws://")
}

func checkCleartextScript(r *run) {
	options, refused := r.cleartextPasses(policy.Script)
	for _, u := range r.usedURLs {
		if !refused && isCode(u.tag) && isCleartext(u.url) && developmentHost(hostOf(u.url)) == "" {
			r.report(r.placeIn(u.file, u.span), options, "<%s> loads %s unencrypted", u.tag, quote(u.url))
		}
	}
}

// group collects uses of one host in one file, so that a host is reported
// once.
type group struct {
	first usedURL
	count int
}

func grouped(uses []usedURL, key func(usedURL) string) []*group {
	var order []*group
	index := make(map[string]*group)
	for _, u := range uses {
		k := key(u)
		if g, ok := index[k]; ok {
			g.count++
			continue
		}
		index[k] = &group{first: u, count: 1}
		order = append(order, index[k])
	}
	return order
}

func (g *group) more() string {
	if g.count < 2 {
		return ""
	}
	return fmt.Sprintf(" (%d times)", g.count)
}

func checkCleartextURL(r *run) {
	passes := map[policy.Kind][]option{}
	var refused []policy.Kind // as mixed-content says
	for _, kind := range policy.Kinds() {
		options, all := r.cleartextPasses(kind)
		passes[kind] = options
		if all {
			refused = append(refused, kind)
		}
	}
	var list []usedURL
	for _, u := range r.usedURLs {
		host := hostOf(u.url)
		if u.tag == "a" || isCode(u.tag) || !isCleartext(u.url) || developmentHost(host) != "" || isNamespace(host) ||
			u.library && !u.called || slices.Contains(refused, u.kind) {
			continue
		}
		list = append(list, u)
	}
	for _, g := range grouped(list, func(u usedURL) string { return u.file.Name + "\x00" + hostOf(u.url) }) {
		r.report(r.placeIn(g.first.file, g.first.span), passes[g.first.kind],
			"%s is reached unencrypted%s", hostOf(g.first.url), g.more())
	}
}

func checkHostNotListed(r *run) {
	if r.strict == nil {
		return
	}
	var list []usedURL
	for _, u := range r.usedURLs {
		host := hostOf(u.url)
		if developmentHost(host) != "" || isNamespace(host) || u.library && !u.called || r.listed(u) {
			continue
		}
		list = append(list, u)
	}
	for _, g := range grouped(list, func(u usedURL) string { return hostOf(u.url) }) {
		r.report(r.placeIn(g.first.file, g.first.span), nil,
			"no entry of %s covers %s%s", r.project.Config.Name(), hostOf(g.first.url), g.more())
	}
}

// listed reports whether some reading of the list lets the URL load or be
// handed out.
func (r *run) listed(u usedURL) bool {
	kinds := []policy.Kind{u.kind, policy.Navigation}
	if u.kind == policy.XHR {
		kinds = append(kinds, policy.Plugin)
	}
	for _, rd := range r.all() {
		for _, kind := range kinds {
			d := rd.policy.Decide(policy.Request{URL: u.url, Kind: kind, Strict: true, AnyPath: true})
			if d.Verdict == policy.Allow ||
				d.Verdict == policy.Launch && (u.tag == "a" || u.tag == "" && d.Rule != nil) {
				return true
			}
		}
	}
	return false
}

func checkRemoteScript(r *run) {
	for i := range r.project.Pages {
		page := &r.project.Pages[i]
		for j := range page.Tags {
			tag := &page.Tags[j]
			a, ok := tag.Attr("src")
			url := strings.TrimSpace(a.Value)
			if strings.HasPrefix(url, "//") {
				url = "https:" + url
			}
			if tag.Name != "script" || !ok || !isWebURL(url) || tag.Value("integrity") != "" ||
				developmentHost(hostOf(url)) != "" {
				continue
			}
			r.report(page.Place(a.ValueStart, a.ValueEnd), nil,
				"the script of %s runs in the app, whatever it contains that day", hostOf(url))
		}
	}
}

func checkSourceUserinfo(r *run) {
	for _, s := range r.sources {
		for _, l := range s.Literals {
			if strings.IndexByte(l.Text, '@') >= 0 && withUserinfo.MatchString(l.Text) &&
				!strings.Contains(l.Text, "${") {
				r.report(r.placeIn(s.File, app.Span{Start: l.Start, End: l.End}), []option{secret},
					"a URL with user name and password")
			}
		}
	}
	for i := range r.project.Pages {
		page := &r.project.Pages[i]
		for j := range page.Tags {
			for _, a := range page.Tags[j].Attrs {
				if strings.IndexByte(a.Value, '@') >= 0 && withUserinfo.MatchString(a.Value) {
					r.report(page.Place(a.ValueStart, a.ValueEnd), []option{secret},
						"a URL with user name and password")
				}
			}
		}
	}
}

var basicCall = regexp.MustCompile(`\b(useBasicAuth|getBasicAuthHeader)\s*\(`)

// isCredentials reports whether a text is what follows "Basic": user name,
// colon and password in base64 (RFC 7617).
func isCredentials(s string) bool {
	decoded, err := base64.StdEncoding.DecodeString(s)
	return err == nil && bytes.IndexByte(decoded, ':') > 0 && utf8.Valid(decoded)
}

// callText writes code without blanks, a call closed.
func callText(code []byte) string {
	text := string(bytes.Join(bytes.Fields(code), nil))
	if strings.Contains(text, "(") {
		text += ")"
	}
	return text
}

func checkBasicAuth(r *run) {
	for _, s := range r.sources {
		if s.Library {
			continue
		}
		for _, m := range findAll(s, basicCall, "BasicAuth") {
			r.report(r.placeIn(s.File, s.SpanAt(m[2], m[3])), nil,
				"%s sends a user name and password with every request", s.Masked[m[2]:m[3]])
		}
		for _, l := range s.Literals {
			if value, ok := strings.CutPrefix(l.Text, "Basic "); ok && (value == "" || isCredentials(value)) {
				var options []option
				if value != "" {
					options = append(options, secret)
				}
				r.report(r.placeIn(s.File, app.Span{Start: l.Start, End: l.End}), options,
					"a Basic authorisation header")
			}
		}
		r.basicOpen(s)
	}
}

// findAll finds an expression in masked code that contains one of the words;
// looking for the words first keeps large bundles fast.
func findAll(s *script.Source, expression *regexp.Regexp, words ...string) [][]int {
	for _, word := range words {
		if bytes.Contains(s.Masked, []byte(word)) {
			return expression.FindAllSubmatchIndex(s.Masked, -1)
		}
	}
	return nil
}

var openCall = regexp.MustCompile(`\.open\s*\(`)

// basicOpen finds XMLHttpRequest.open with user name and password: five
// arguments, the first one a method.
func (r *run) basicOpen(s *script.Source) {
	for _, m := range openCall.FindAllIndex(s.Masked, -1) {
		first := m[1] + len(s.Masked[m[1]:]) - len(bytes.TrimLeft(s.Masked[m[1]:], " \t\r\n"))
		method, ok := s.LiteralAt(s.Span.Start + first)
		if ok && isMethod(method.Text) && arguments(s.Masked[m[1]:]) >= 5 {
			r.report(r.placeIn(s.File, s.SpanAt(m[0]+1, m[0]+5)), nil, "open sends a user name and password")
		}
	}
}

func isMethod(s string) bool {
	switch strings.ToUpper(s) {
	case "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS":
		return true
	}
	return false
}

// arguments counts the arguments of a call in masked code, from after its
// opening parenthesis.
func arguments(code []byte) int {
	depth, count := 0, 1
	for _, c := range code[:min(len(code), 2000)] {
		switch c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth == 0 {
				return count
			}
			depth--
		case ',':
			if depth == 0 {
				count++
			}
		}
	}
	return 0
}

func checkEmbeddedKey(r *run) {
	for i := range r.project.Scripts {
		r.keysIn(&r.project.Scripts[i])
	}
	for i := range r.project.Pages {
		r.keysIn(&r.project.Pages[i].File)
	}
	for _, s := range r.sources {
		if s.Library {
			continue
		}
		for i, l := range s.Literals {
			if len(l.Text) < 8 || len(l.Text) > 4096 {
				continue
			}
			name := assignedName(s.Before(l.Start-1, 80))
			if name == "" {
				name = s.QuotedName(i)
			}
			if name != "" && secretName.MatchString(name) && looksSecret(l.Text) && knownKey(l.Text) == "" {
				r.report(r.placeIn(s.File, app.Span{Start: l.Start, End: l.End}), []option{secret},
					"%s holds what its name says", name)
			}
		}
	}
}

// keysIn reports secrets that can be told by their form, wherever they stand.
func (r *run) keysIn(f *app.File) {
	for _, each := range keyForms {
		if !bytes.Contains(f.Data, []byte(each.hint)) {
			continue
		}
		for _, m := range each.form.FindAllIndex(f.Data, -1) {
			r.report(f.Place(m[0], m[1]), []option{secret}, "%s", each.what)
		}
	}
}

// assignedName returns the name that a string after this code is given to.
func assignedName(before string) string {
	if l := script.PrecedingOf(before); l.Separator == ":" || l.Separator == "=" {
		return l.Name
	}
	return ""
}

var tokenQuery = regexp.MustCompile(`(?i)[?&](access_?token|id_?token|auth_?token|refresh_?token|token|api_?key|` +
	`password|passwd|pwd|client_?secret|secret|session_?id|jwt)=`)

func checkTokenInQuery(r *run) {
	for _, s := range r.sources {
		if s.Library {
			continue
		}
		for _, l := range s.Literals {
			if strings.IndexByte(l.Text, '=') < 0 {
				continue
			}
			m := tokenQuery.FindStringSubmatchIndex(l.Text)
			if m == nil || script.PrecedingOf(s.Before(l.Start-1, 96)).Compares() {
				continue
			}
			var options []option
			if m[1] < len(l.Text) && l.Text[m[1]] != '&' && l.Text[m[1]] != '$' {
				options = append(options, secret) // the value stands there, too
			}
			r.report(r.placeIn(s.File, app.Span{Start: l.Start, End: l.End}), options,
				"%s goes into a query string", l.Text[m[2]:m[3]])
		}
	}
}

var (
	storeCall     = regexp.MustCompile(`\blocalStorage\s*\.\s*setItem\s*\(\s*`)
	storeProperty = regexp.MustCompile(`\blocalStorage\s*\.\s*(\w+)\s*=[^=]`)
	storeIndex    = regexp.MustCompile(`\blocalStorage\s*\[\s*`)
	// tokenName takes a word that ends there: a tokenizer and a secretary are
	// no secrets.
	tokenName = regexp.MustCompile(`(?i:token|jwt|passw(or)?d|secret|credential|api_?key|session_?id|` +
		`bearer)s?([^a-z]|$)`)
)

func checkTokenInStorage(r *run) {
	for _, s := range r.sources {
		if s.Library || !bytes.Contains(s.Masked, []byte("localStorage")) {
			continue
		}
		for _, m := range append(storeCall.FindAllIndex(s.Masked, -1), r.assignedIndexes(s)...) {
			if l, ok := s.LiteralAt(s.Span.Start + m[1]); ok && tokenName.MatchString(l.Text) {
				r.report(r.placeIn(s.File, app.Span{Start: l.Start, End: l.End}), nil,
					"%s is kept in localStorage", quote(l.Text))
			}
		}
		for _, m := range storeProperty.FindAllSubmatchIndex(s.Masked, -1) {
			if name := string(s.Masked[m[2]:m[3]]); tokenName.MatchString(name) {
				r.report(r.placeIn(s.File, s.SpanAt(m[2], m[3])), nil, "%s is kept in localStorage", quote(name))
			}
		}
	}
}

var indexAssigned = regexp.MustCompile(`^.[^\]]*\]\s*=[^=]`)

// assignedIndexes returns where localStorage["name"] is assigned to.
func (r *run) assignedIndexes(s *script.Source) [][]int {
	var list [][]int
	for _, m := range storeIndex.FindAllIndex(s.Masked, -1) {
		if indexAssigned.Match(s.Masked[m[1]:min(len(s.Masked), m[1]+200)]) {
			list = append(list, m)
		}
	}
	return list
}

var (
	trustCall = regexp.MustCompile(`\b(acceptAllCerts\s*\(\s*(?:true|!0)|validateDomainName\s*\(\s*(?:false|!1)|` +
		`rejectUnauthorized['"]?\s*:\s*(?:false|!1))`)
	trustMode = regexp.MustCompile(`\b(setServerTrustMode|setSSLCertMode)\s*\(\s*`)
)

func checkTLSOff(r *run) {
	for _, s := range r.sources {
		for _, m := range findAll(s, trustCall, "acceptAllCerts", "validateDomainName", "rejectUnauthorized") {
			r.report(r.placeIn(s.File, s.SpanAt(m[2], m[3])), nil,
				"%s makes the plugin accept what it should refuse", callText(s.Masked[m[2]:m[3]]))
		}
		for _, m := range findAll(s, trustMode, "ServerTrustMode", "SSLCertMode") {
			if l, ok := s.LiteralAt(s.Span.Start + m[1]); ok && l.Text == "nocheck" {
				r.report(r.placeIn(s.File, s.SpanAt(m[2], m[3])), nil,
					"%s(\"nocheck\") makes the plugin accept every certificate", s.Masked[m[2]:m[3]])
			}
		}
	}
}
