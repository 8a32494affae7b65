package lint

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
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
	options, refused := r.cleartextPasses()
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
	options, refused := r.cleartextPasses()
	if refused {
		return // as mixed-content says
	}
	var list []usedURL
	for _, u := range r.usedURLs {
		host := hostOf(u.url)
		if u.tag == "a" || isCode(u.tag) || !isCleartext(u.url) || developmentHost(host) != "" || isNamespace(host) ||
			u.library && !u.called {
			continue
		}
		list = append(list, u)
	}
	for _, g := range grouped(list, func(u usedURL) string { return u.file.Name + "\x00" + hostOf(u.url) }) {
		r.report(r.placeIn(g.first.file, g.first.span), options,
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
		for _, l := range s.literals {
			if strings.IndexByte(l.text, '@') >= 0 && withUserinfo.MatchString(l.text) &&
				!strings.Contains(l.text, "${") {
				r.report(r.placeIn(s.file, app.Span{Start: l.start, End: l.end}), []option{secret},
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
		if s.library {
			continue
		}
		for _, m := range findAll(s, basicCall, "BasicAuth") {
			r.report(r.placeIn(s.file, s.spanAt(m[2], m[3])), nil,
				"%s sends a user name and password with every request", s.masked[m[2]:m[3]])
		}
		for _, l := range s.literals {
			if value, ok := strings.CutPrefix(l.text, "Basic "); ok && (value == "" || isCredentials(value)) {
				var options []option
				if value != "" {
					options = append(options, secret)
				}
				r.report(r.placeIn(s.file, app.Span{Start: l.start, End: l.end}), options,
					"a Basic authorisation header")
			}
		}
		r.basicOpen(s)
	}
}

// findAll finds an expression in masked code that contains one of the words;
// looking for the words first keeps large bundles fast.
func findAll(s *source, expression *regexp.Regexp, words ...string) [][]int {
	for _, word := range words {
		if bytes.Contains(s.masked, []byte(word)) {
			return expression.FindAllSubmatchIndex(s.masked, -1)
		}
	}
	return nil
}

var openCall = regexp.MustCompile(`\.open\s*\(`)

// basicOpen finds XMLHttpRequest.open with user name and password: five
// arguments, the first one a method.
func (r *run) basicOpen(s *source) {
	for _, m := range openCall.FindAllIndex(s.masked, -1) {
		first := m[1] + len(s.masked[m[1]:]) - len(bytes.TrimLeft(s.masked[m[1]:], " \t\r\n"))
		method, ok := s.literalAt(s.span.Start + first)
		if ok && isMethod(method.text) && arguments(s.masked[m[1]:]) >= 5 {
			r.report(r.placeIn(s.file, s.spanAt(m[0]+1, m[0]+5)), nil, "open sends a user name and password")
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
		if s.library {
			continue
		}
		for i, l := range s.literals {
			if len(l.text) < 8 || len(l.text) > 4096 {
				continue
			}
			name := assignedName(s.before(l.start-1, 80))
			if name == "" {
				name = s.quotedName(i)
			}
			if name != "" && secretName.MatchString(name) && looksSecret(l.text) && knownKey(l.text) == "" {
				r.report(r.placeIn(s.file, app.Span{Start: l.start, End: l.end}), []option{secret},
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
	if l := precedingOf(before); l.separator == ":" || l.separator == "=" {
		return l.name
	}
	return ""
}

// quotedName returns the name of the member of which string i is the value,
// written "name": "value".
func (s *source) quotedName(i int) string {
	before := s.before(s.literals[i].start-1, 200)
	trimmed, ok := strings.CutSuffix(before, ":")
	if !ok {
		return ""
	}
	trimmed = strings.TrimRight(trimmed, " \t\r\n")
	if trimmed == "" || trimmed[len(trimmed)-1] != '"' && trimmed[len(trimmed)-1] != '\'' {
		return ""
	}
	if i == 0 {
		return ""
	}
	return s.literals[i-1].text
}

var tokenQuery = regexp.MustCompile(`(?i)[?&](access_?token|id_?token|auth_?token|refresh_?token|token|api_?key|` +
	`password|passwd|pwd|client_?secret|secret|session_?id|jwt)=`)

func checkTokenInQuery(r *run) {
	for _, s := range r.sources {
		if s.library {
			continue
		}
		for _, l := range s.literals {
			if strings.IndexByte(l.text, '=') < 0 {
				continue
			}
			m := tokenQuery.FindStringSubmatchIndex(l.text)
			if m == nil || precedingOf(s.before(l.start-1, 96)).compares() {
				continue
			}
			var options []option
			if m[1] < len(l.text) && l.text[m[1]] != '&' && l.text[m[1]] != '$' {
				options = append(options, secret) // the value stands there, too
			}
			r.report(r.placeIn(s.file, app.Span{Start: l.start, End: l.end}), options,
				"%s goes into a query string", l.text[m[2]:m[3]])
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
		if s.library || !bytes.Contains(s.masked, []byte("localStorage")) {
			continue
		}
		for _, m := range append(storeCall.FindAllIndex(s.masked, -1), r.assignedIndexes(s)...) {
			if l, ok := s.literalAt(s.span.Start + m[1]); ok && tokenName.MatchString(l.text) {
				r.report(r.placeIn(s.file, app.Span{Start: l.start, End: l.end}), nil,
					"%s is kept in localStorage", quote(l.text))
			}
		}
		for _, m := range storeProperty.FindAllSubmatchIndex(s.masked, -1) {
			if name := string(s.masked[m[2]:m[3]]); tokenName.MatchString(name) {
				r.report(r.placeIn(s.file, s.spanAt(m[2], m[3])), nil, "%s is kept in localStorage", quote(name))
			}
		}
	}
}

var indexAssigned = regexp.MustCompile(`^.[^\]]*\]\s*=[^=]`)

// assignedIndexes returns where localStorage["name"] is assigned to.
func (r *run) assignedIndexes(s *source) [][]int {
	var list [][]int
	for _, m := range storeIndex.FindAllIndex(s.masked, -1) {
		if indexAssigned.Match(s.masked[m[1]:min(len(s.masked), m[1]+200)]) {
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
			r.report(r.placeIn(s.file, s.spanAt(m[2], m[3])), nil,
				"%s makes the plugin accept what it should refuse", callText(s.masked[m[2]:m[3]]))
		}
		for _, m := range findAll(s, trustMode, "ServerTrustMode", "SSLCertMode") {
			if l, ok := s.literalAt(s.span.Start + m[1]); ok && l.text == "nocheck" {
				r.report(r.placeIn(s.file, s.spanAt(m[2], m[3])), nil,
					"%s(\"nocheck\") makes the plugin accept every certificate", s.masked[m[2]:m[3]])
			}
		}
	}
}
