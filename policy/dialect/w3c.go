package dialect

import (
	"errors"
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// compileW3C reads a file as the Widget Access Request Policy says (W3C
// Recommendation of 7 February 2012): access elements alone, an origin with a
// scheme and a host and nothing but a port, everything else on the network
// denied. Navigation by the user is outside its scope.
func compileW3C(doc *configxml.Document, _ policy.Target) (policy.Spec, error) {
	navigation := policy.Step{Then: policy.Bypass, Reason: policy.NeverAsked}
	return widgetSpec(doc, doc.For(""), navigation), nil
}

// compileTizen reads a file as Tizen's widget runtime does, which applies the
// W3C rule (cordova-tizen 2.5.0 has no list code of its own). What the runtime
// does with a navigation could not be established.
func compileTizen(doc *configxml.Document, _ policy.Target) (policy.Spec, error) {
	navigation := policy.Step{Then: policy.Block, Reason: policy.Unverified}
	return widgetSpec(doc, doc.For("tizen"), navigation), nil
}

func widgetSpec(doc *configxml.Document, own []*configxml.Element, navigation policy.Step) policy.Spec {
	var rules []policy.Rule
	var list policy.List
	unlimited := false
	for _, e := range elements(own, "access") {
		rule := policy.Rule{Element: e.Name, Text: e.Value("origin"), Place: e.Place()}
		switch _, ok := e.Attr("origin"); {
		case !ok:
			rule.Flaw, rule.Note = policy.Ignored, "<access> has no origin"
		case rule.Text == "*":
			unlimited = true
			rule.Patterns = []pattern.Pattern{{Scheme: networkSchemes, Host: pattern.Any(), Path: pattern.Any()}}
		default:
			p, err := readWidgetOrigin(rule.Text, e.Value("subdomains") == "true")
			if err != nil {
				rule.Flaw, rule.Note = policy.Dropped, err.Error()
			} else {
				rule.Patterns = []pattern.Pattern{p}
			}
		}
		rules = append(rules, rule)
		for i := range rule.Patterns {
			list = append(list, policy.Entry{Pattern: &rule.Patterns[i], Rule: len(rules) - 1})
		}
	}
	reason := policy.Listed
	if unlimited {
		reason = policy.Unlimited
	}
	return policy.Spec{
		Rules:    rules,
		Lists:    []policy.List{list},
		Split:    splitWidget,
		Programs: widgetPrograms(navigation, reason),
	}
}

// networkSchemes are the schemes of network retrieval that a user agent
// supports.
var networkSchemes = schemes("http", "https", "ws", "wss", "ftp")

// contentSchemes name content that comes from the app itself.
var contentSchemes = schemes("data", "blob", "about", "widget", "app", "file")

func schemes(names ...string) pattern.Language {
	all := make([]pattern.Language, len(names))
	for i, name := range names {
		all[i] = pattern.Exactly(name)
	}
	return pattern.OneOf(all...)
}

func widgetPrograms(navigation policy.Step, reason policy.Reason) map[policy.Kind]policy.Program {
	anyOf := func(scheme pattern.Language) policy.Test {
		return policy.Among(pattern.Pattern{Scheme: scheme, Host: pattern.Any(), Path: pattern.Any()})
	}
	request := []policy.Step{
		{When: []policy.Test{policy.InList(0)}, Then: policy.Allow, Reason: reason},
		{When: []policy.Test{anyOf(networkSchemes)}, Then: policy.Block, Reason: policy.NotListed},
		{When: []policy.Test{anyOf(contentSchemes)}, Then: policy.Allow, Reason: policy.SchemeNotAsked},
		{Then: policy.Block, Reason: policy.Unverified},
	}
	programs := make(map[policy.Kind]policy.Program)
	for _, kind := range policy.Kinds() {
		programs[kind] = policy.Program{Steps: request}
	}
	programs[policy.Navigation] = policy.Program{Steps: []policy.Step{navigation}, Strict: request}
	return programs
}

// readWidgetOrigin reads an origin as section 6 of the recommendation does.
func readWidgetOrigin(text string, subdomains bool) (pattern.Pattern, error) {
	scheme, rest, ok := cutScheme(text)
	if !ok {
		return pattern.Pattern{}, errors.New("it has no scheme")
	}
	own, known := widgetPort(asciiLower(scheme))
	authority, slashes := strings.CutPrefix(rest, "//")
	switch {
	case !slashes || authority == "":
		return pattern.Pattern{}, errors.New("it has no host")
	case !known:
		return pattern.Pattern{}, errors.New("its scheme is not one of the network")
	case strings.ContainsAny(authority, "/?#@"):
		return pattern.Pattern{}, errors.New("it has more than a scheme, a host and a port")
	}
	host, port, err := splitPort(authority)
	if err != nil {
		return pattern.Pattern{}, err
	}
	name, err := hostname.Normalize(host)
	if err != nil {
		return pattern.Pattern{}, errors.New("its host is not a valid name or address")
	}
	language := pattern.Exactly(name).Fold()
	if subdomains && !isAddress(name) {
		language = pattern.Below(name).Fold()
	}
	return pattern.Pattern{
		Scheme: pattern.Exactly(asciiLower(scheme)), Host: language, Path: pattern.Any(), Port: ownPort(port, own),
	}, nil
}

// widgetPort returns a network scheme's own port.
func widgetPort(scheme string) (port int32, known bool) {
	if scheme == "ftp" {
		return 21, true
	}
	_, port = knownScheme(scheme)
	return port, port != 0
}

// splitWidget takes a URL apart for the W3C rule, which compares scheme, host
// and port. A user name in the URL plays no part.
func splitWidget(raw string) pattern.URL {
	scheme, rest, ok := cutScheme(raw)
	if !ok {
		return malformed
	}
	scheme = asciiLower(scheme)
	own, known := widgetPort(scheme)
	authority, slashes := strings.CutPrefix(rest, "//")
	if !known {
		return pattern.URL{Whole: raw, Scheme: scheme, Path: rest, Port: -1, Has: pattern.HasScheme | pattern.HasPath}
	}
	if !slashes {
		return malformed
	}
	path := ""
	if i := strings.IndexAny(authority, "/?#"); i >= 0 {
		authority, path = authority[:i], authority[i:]
	}
	authority = authority[strings.LastIndexByte(authority, '@')+1:]
	host, port, ok := splitAuthority(authority, own)
	if !ok {
		return malformed
	}
	return pattern.URL{
		Whole: raw, Scheme: scheme, Host: host, Port: port, Path: untilQuery(path),
		Has: pattern.HasScheme | pattern.HasHost | pattern.HasPath,
	}
}
