package dialect

import (
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// compileInternal reads what 3.1 to 3.7 read: access elements, onto the
// internal list and from 3.6 on onto the external one
// [cordova-android 3.1.0 and 3.5.0 Config, 3.6.4 ConfigXmlParser].
func (r *androidReader) compileInternal() map[policy.Kind]policy.Program {
	switch {
	case r.version.AtLeast(3, 6, 0):
		r.grammar = &androidV2
	case r.version.AtLeast(3, 5, 0):
		r.grammar = &androidV1
	default:
		r.grammar = &androidV1Lower
	}
	r.elements(r.readAccess)
	// The platform enters these first; they decide nothing else than what
	// comes after them, and rules of the file stand first.
	r.implicit(androidInternal, policy.ForRequest, "file:///*")
	r.implicit(androidInternal, policy.ForRequest, "content:///*")
	r.implicit(androidInternal, policy.ForRequest, "data:*")
	listed := []policy.Step{r.listed(androidInternal, policy.Allow)}
	resources := r.internalResources()
	if r.unchecked {
		resources = nil
	}
	// Config.isUrlWhiteListed is what plugins such as File Transfer ask.
	return androidPrograms(r.internalNavigation(), resources, listed, listed)
}

func (r *androidReader) readAccess(e *configxml.Element) {
	switch e.Name {
	case "access":
		rule, has := r.rule(e, "origin", policy.ForRequest)
		if !has {
			r.rules = append(r.rules, rule)
			return
		}
		launch, external := e.Attr("launch-external")
		switch {
		case external && r.version.AtLeast(3, 6, 0):
			rule.Purpose = policy.ForLaunch
			noteLaunchExternal(&rule, launch.Value)
			r.add(androidExternal, rule, e)
		case external:
			rule.Flaw, rule.Note = policy.Rewritten,
				"launch-external is not known before 3.6: the entry lets the URL load inside the app"
			r.add(androidInternal, rule, e)
		case rule.Text == "*" && r.version.AtLeast(3, 6, 0):
			r.addWeb(androidInternal, rule, e)
		default:
			r.add(androidInternal, rule, e)
		}
	case "allow-navigation", "allow-intent":
		purpose := policy.ForNavigation
		if e.Name == "allow-intent" {
			purpose = policy.ForLaunch
		}
		rule, _ := r.rule(e, "href", purpose)
		r.ignore(rule, e.Name+" is not known before 4.0")
	}
}

// noteLaunchExternal notes that the attribute counts by being there, whatever
// its value.
func noteLaunchExternal(rule *policy.Rule, value string) {
	if v := strings.ToLower(value); v != "yes" && v != "true" {
		rule.Flaw, rule.Note = policy.Rewritten, "launch-external counts by being there, whatever its value"
	}
}

// web is the test for URLs that the platform takes for the web's.
func (r *androidReader) web() policy.Test { return r.uri.startsWithAny("http:", "https:") }

// withoutWebViewData is the test for URLs that do not name the folder with the
// web view's databases.
func withoutWebViewData() policy.Test { return policy.Among(containing("app_webview")).Not() }

// internalNavigation is CordovaWebViewClient.shouldOverrideUrlLoading up to
// 3.5.0, CordovaUriHelper's from 3.5.1 on, and what the request check then
// makes of a page that is opened.
func (r *androidReader) internalNavigation() []policy.Step {
	local := r.uri.startsWithAny("file://", "data:")
	allowed := func(more ...policy.Test) []policy.Step {
		if r.unchecked {
			return []policy.Step{r.listed(androidInternal, policy.Allow, more...)}
		}
		return []policy.Step{
			r.listed(androidInternal, policy.Allow, append(more, withoutWebViewData())...),
			r.listed(androidInternal, policy.Block, more...),
		}
	}
	switch {
	case r.version.AtLeast(3, 6, 0):
		steps := []policy.Step{builtIn(policy.Allow, local, withoutWebViewData()), builtIn(policy.Block, local)}
		steps = append(steps, allowed()...)
		return append(steps, r.listed(androidExternal, policy.Launch))
	case r.version.AtLeast(3, 5, 1):
		steps := allowed(r.web())
		return append(steps,
			policy.Step{When: []policy.Test{r.web()}, Then: policy.Block, Reason: policy.NotListed},
			builtIn(policy.Allow, local, withoutWebViewData()),
			builtIn(policy.Block, local),
			otherwise(policy.Launch, policy.HandedOver))
	}
	return []policy.Step{
		builtIn(policy.Launch, r.uri.startsWithAny("tel:", "geo:", "mailto:", "sms:", "market:")),
		builtIn(policy.Allow, local),
		r.listed(androidInternal, policy.Allow),
		otherwise(policy.Launch, policy.HandedOver),
	}
}

// internalResources is IceCreamCordovaWebViewClient.shouldInterceptRequest.
func (r *androidReader) internalResources() []policy.Step {
	unlisted := policy.Step{When: []policy.Test{r.web()}, Then: policy.Block, Reason: policy.NotListed}
	if !r.version.AtLeast(3, 5, 1) {
		return []policy.Step{
			r.listed(androidInternal, policy.Allow, r.web()),
			unlisted,
			otherwise(policy.Allow, policy.SchemeNotAsked),
		}
	}
	return []policy.Step{
		r.listed(androidInternal, policy.Allow, r.web(), withoutWebViewData()),
		r.listed(androidInternal, policy.Block, r.web()),
		unlisted,
		{When: []policy.Test{withoutWebViewData()}, Then: policy.Allow, Reason: policy.SchemeNotAsked},
		otherwise(policy.Block, policy.BuiltIn),
	}
}
