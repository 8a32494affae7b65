package dialect

import (
	"errors"
	"regexp"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect/javaregexp"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// compileExpressions reads what 2.0 to 3.0 read: access elements whose origins
// are Java regular expressions, searched for in the raw URL
// [cordova-android 2.0.0 CordovaWebView, 2.4.0 - 2.9.1 Config, 3.0.0
// Whitelist].
//
// The expressions are read as OpenJDK 17 does, on which the verdicts of the corpus
// were recorded. A device's own java.util.regex is ICU behind the same interface:
// it refuses a lone "}", and differs in properties, in the spellings of line ends
// and in \h, \v, \R and \b{g}, which it did not know then.
func (r *androidReader) compileExpressions() map[policy.Kind]policy.Program {
	unreadable := false
	r.elements(func(e *configxml.Element) {
		switch e.Name {
		case "access":
			unreadable = r.readExpression(e) || unreadable
		case "allow-navigation", "allow-intent":
			r.readAccess(e)
		}
	})
	doubts := r.doubts(unreadable)
	listed := append([]policy.Step{r.listed(androidInternal, policy.Allow)}, doubts...)
	resources := r.expressionResources(unreadable)
	if r.unchecked || !r.version.AtLeast(2, 6, 0) {
		resources = nil
	}
	return androidPrograms(r.expressionNavigation(doubts), resources, listed, listed)
}

// readExpression reads one access element and reports whether that could not be
// done here. An entry that Java refuses is dropped, and the others count: the
// platform catches the exception for each entry by itself.
func (r *androidReader) readExpression(e *configxml.Element) (unreadable bool) {
	rule, has := r.rule(e, "origin", policy.ForRequest)
	if !has {
		r.rules = append(r.rules, rule)
		return false
	}
	if rule.Text == "*" {
		r.unlimited[androidInternal] = true
		rule.Patterns = []pattern.Pattern{everything()}
		r.enter(androidInternal, rule)
		return false
	}
	if _, external := e.Attr("launch-external"); external {
		rule.Flaw, rule.Note = policy.Rewritten,
			"launch-external is not known before 3.6: the entry lets the URL load inside the app"
	}
	whole, err := r.readOrigin(rule.Text, strings.EqualFold(e.Value("subdomains"), "true"))
	switch {
	case errors.Is(err, javaregexp.ErrRefused):
		rule.Flaw, rule.Note = policy.Dropped, "it is read as a Java regular expression, and it is not valid as one"
	case err != nil:
		rule.Flaw, rule.Note = policy.Unreadable,
			"it is a Java regular expression with a construct that cannot be read here"
		unreadable = true
	default:
		p := everything()
		p.Whole = whole
		rule.Patterns = []pattern.Pattern{p}
	}
	r.enter(androidInternal, rule)
	return unreadable
}

func (r *androidReader) readOrigin(origin string, subdomains bool) (pattern.Language, error) {
	text, err := r.expression(origin, subdomains)
	if err != nil {
		return pattern.Language{}, err
	}
	expr, err := javaregexp.Parse(text)
	if err != nil {
		return pattern.Language{}, err
	}
	return r.languageOf(expr)
}

// anySubdomain is what the platform puts before the rest of an origin with
// subdomains. Its replacement text has the dot escaped once too little where an
// origin names its scheme, so that any character ends the run.
const (
	anySubdomainOfScheme = `(.*.)?`
	anySubdomain         = `(.*\.)?`
)

var otherScheme = regexp.MustCompile(`\A[a-z-]+://`)
var webScheme = regexp.MustCompile(`https?://`)

// expression returns the Java regular expression that the platform makes of an
// origin other than "*", or javaregexp.ErrRefused where making it fails.
func (r *androidReader) expression(origin string, subdomains bool) (string, error) {
	if r.version.AtLeast(2, 9, 1) {
		wild, err := startsWithWildcard(origin)
		if err != nil {
			return "", err
		}
		if wild {
			subdomains = true
			origin = strings.ReplaceAll(origin, "*.", "")
		}
	}
	ofScheme, without := "", ""
	if subdomains {
		ofScheme, without = anySubdomainOfScheme, anySubdomain
	}
	switch {
	case strings.HasPrefix(origin, "http"):
		if at := webScheme.FindStringIndex(origin); at != nil {
			origin = origin[:at[0]] + "^https?://" + ofScheme + origin[at[1]:]
		}
		return origin, nil
	case r.version.AtLeast(2, 7, 0) && otherScheme.MatchString(origin):
		return "^" + strings.Replace(origin, "//", "//"+ofScheme, 1), nil
	}
	return "^https?://" + without + origin, nil
}

// startsWithWildcard reports whether the text behind the first "//" of an
// origin, or all of it, starts with "*". Java's split leaves no such text
// where nothing else than slashes follows; the entry is then lost.
func startsWithWildcard(origin string) (bool, error) {
	_, rest, found := strings.Cut(origin, "//")
	if !found {
		return strings.HasPrefix(origin, "*"), nil
	}
	if strings.ReplaceAll(rest, "//", "") == "" {
		return false, javaregexp.ErrRefused
	}
	return strings.HasPrefix(rest, "*"), nil
}

// expressionNavigation is CordovaWebViewClient.shouldOverrideUrlLoading.
func (r *androidReader) expressionNavigation(doubts []policy.Step) []policy.Step {
	launched := []string{"tel:", "geo:", "mailto:", "sms:"}
	if r.version.AtLeast(2, 9, 1) {
		launched = append(launched, "market:")
	}
	local := []string{"file://"}
	if r.version.AtLeast(2, 1, 0) {
		local = append(local, "data:")
	}
	if base := r.baseURL(); base != "" {
		local = append(local, base)
	}
	steps := []policy.Step{
		builtIn(policy.Launch, r.uri.startsWithAny(launched...)),
		builtIn(policy.Allow, r.uri.startsWithAny(local...)),
		r.listed(androidInternal, policy.Allow),
	}
	steps = append(steps, doubts...)
	return append(steps, otherwise(policy.Launch, policy.HandedOver))
}

// baseURL returns the folder of a start page with a scheme, below which 2.4 and
// 2.5 open every page [CordovaWebView.loadUrlIntoView]; earlier versions take
// the start page from the app's code, later ones have no such rule.
func (r *androidReader) baseURL() string {
	base := ""
	if !r.version.AtLeast(2, 4, 0) || r.version.AtLeast(2, 6, 0) {
		return base
	}
	r.elements(func(e *configxml.Element) {
		if src := e.Value("src"); e.Name == "content" && otherScheme.MatchString(src) {
			base = src[:strings.LastIndexByte(src, '/')+1]
		}
	})
	return base
}

// expressionResources is shouldInterceptRequest of CordovaWebViewClient and
// IceCreamCordovaWebViewClient.
func (r *androidReader) expressionResources(unreadable bool) []policy.Step {
	web := r.uri.startsWithAny("http://", "https://")
	if r.version.AtLeast(2, 9, 1) {
		web = r.web()
	}
	var steps []policy.Step
	if !r.version.AtLeast(2, 7, 0) {
		// 2.6 forgets the check for URLs that it may have to open from the
		// app's own assets.
		forgotten := everything()
		forgotten.Whole = mustExpression(`[?#]`)
		steps = append(steps, policy.Step{When: []policy.Test{policy.Among(forgotten)}, Then: policy.Allow,
			Reason: policy.SchemeNotAsked})
	}
	steps = append(steps, r.listed(androidInternal, policy.Allow, web))
	steps = append(steps, r.doubts(unreadable, web)...)
	return append(steps,
		policy.Step{When: []policy.Test{web}, Then: policy.Block, Reason: policy.NotListed},
		otherwise(policy.Allow, policy.SchemeNotAsked))
}
