package dialect

import (
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// compilePurposes reads what 4.0 and later read: a list for navigations, one
// for intents and one for requests. Up to 9 they are those of
// cordova-plugin-whitelist [WhitelistPlugin 1.0.0 - 1.3.5] and absent without
// it; from 10 on they are built in [AllowListPlugin 10.0.0 - 15.0.0].
func (r *androidReader) compilePurposes() map[policy.Kind]policy.Program {
	r.grammar = &androidV2
	builtInList := r.version.AtLeast(10, 0, 0)
	read := r.readPurposes
	if !builtInList && !r.hasWhitelistPlugin() {
		read = r.readWithoutPlugin
	}
	r.elements(read)
	if r.startPages && builtInList && !r.version.AtLeast(10, 1, 1) {
		// The preferences that the host name would come from are never filled.
		r.implicit(androidNavigations, policy.ForNavigation, "https://localhost")
	}
	requests := r.requestSteps()
	if !builtInList && !r.unchecked {
		return androidPrograms(r.purposeNavigation(), requests, requests, requests)
	}
	plugin := requests
	if builtInList && !r.version.AtLeast(10, 1, 1) {
		// AllowListPlugin 10.0.0 - 10.1.0: asking for a URL that is not in the
		// list of navigations ends in a null error, so nothing else passes.
		plugin = []policy.Step{r.listed(androidNavigations, policy.Allow)}
	}
	return androidPrograms(r.purposeNavigation(), nil, requests, plugin)
}

func (r *androidReader) hasWhitelistPlugin() bool {
	found := false
	r.elements(func(e *configxml.Element) {
		switch e.Name {
		case "plugin":
			found = found || e.Value("name") == "cordova-plugin-whitelist"
		case "param": // of the feature that the plugin puts into a built config.xml
			found = found || e.Value("value") == "org.apache.cordova.whitelist.WhitelistPlugin"
		}
	})
	return found
}

// readPurposes is handleStartTag of the plugin's config parser.
func (r *androidReader) readPurposes(e *configxml.Element) {
	switch e.Name {
	case "content":
		r.readContent(e)
	case "allow-navigation":
		rule, has := r.rule(e, "href", policy.ForNavigation)
		switch {
		case !has:
			r.rules = append(r.rules, rule)
		case rule.Text == "*":
			r.addWeb(androidNavigations, rule, e, "data:*")
		default:
			r.add(androidNavigations, rule, e)
		}
	case "allow-intent":
		rule, has := r.rule(e, "href", policy.ForLaunch)
		if !has {
			r.rules = append(r.rules, rule)
			return
		}
		r.add(androidIntents, rule, e)
	case "access":
		r.readRequest(e)
	}
}

// readContent enters the start page verbatim on the list of navigations.
func (r *androidReader) readContent(e *configxml.Element) {
	rule, has := r.rule(e, "src", policy.ForNavigation)
	if !has {
		r.rules = append(r.rules, rule)
	} else {
		if !strings.Contains(rule.Text, ":") && rule.Text != "*" {
			rule.Flaw, rule.Note = policy.Rewritten,
				"the start page is entered as an origin: its first segment is read as a host of http and https"
		}
		r.add(androidNavigations, rule, e)
	}
	r.startPages = true
}

func (r *androidReader) readRequest(e *configxml.Element) {
	rule, has := r.rule(e, "origin", policy.ForRequest)
	if !has {
		r.rules = append(r.rules, rule)
		return
	}
	launch, external := e.Attr("launch-external")
	if external && !r.version.AtLeast(10, 0, 0) {
		rule.Purpose = policy.ForLaunch
		noteLaunchExternal(&rule, launch.Value)
		r.add(androidIntents, rule, e)
		return
	}
	if external {
		rule.Flaw, rule.Note = policy.Rewritten,
			"launch-external is no longer known from 10 on: the entry grants plugins access and launches nothing"
	}
	if rule.Text == "*" {
		r.addWeb(androidRequests, rule, e)
		return
	}
	r.add(androidRequests, rule, e)
}

// readWithoutPlugin keeps the rules that only the plugin would read.
func (r *androidReader) readWithoutPlugin(e *configxml.Element) {
	const note = "without cordova-plugin-whitelist nothing reads it"
	switch e.Name {
	case "allow-navigation":
		rule, _ := r.rule(e, "href", policy.ForNavigation)
		r.ignore(rule, note)
	case "allow-intent":
		rule, _ := r.rule(e, "href", policy.ForLaunch)
		r.ignore(rule, note)
	case "access":
		rule, _ := r.rule(e, "origin", policy.ForRequest)
		r.ignore(rule, note)
	}
}

// withoutDatabases is the test for URLs outside of the folder with the web
// view's databases, as PluginManager writes it.
func withoutDatabases() policy.Test { return policy.Among(containing("/app_webview/")).Not() }

// requestSteps is PluginManager.shouldAllowRequest.
func (r *androidReader) requestSteps() []policy.Step {
	return []policy.Step{
		r.listed(androidNavigations, policy.Allow),
		r.listed(androidRequests, policy.Allow),
		builtIn(policy.Allow, r.uri.startsWithAny("blob:", "data:", "about:blank",
			"https://ssl.gstatic.com/accessibility/javascript/android/")),
		builtIn(policy.Allow, r.uri.startsWithAny("file://"), withoutDatabases()),
	}
}

// purposeNavigation is CordovaWebViewImpl's onNavigationAttempt with
// PluginManager.shouldAllowNavigation and shouldOpenExternalUrl; up to 9 a page
// that is opened is requested as well.
func (r *androidReader) purposeNavigation() []policy.Step {
	steps := []policy.Step{r.listed(androidNavigations, policy.Allow)}
	file, blank := r.uri.startsWithAny("file://"), r.uri.startsWithAny("about:blank")
	switch {
	case r.version.AtLeast(10, 0, 0) || r.unchecked:
		steps = append(steps, builtIn(policy.Allow, r.uri.startsWithAny(r.launchPrefix(), "about:blank")))
	default:
		steps = append(steps,
			builtIn(policy.Allow, file, withoutDatabases()),
			r.listed(androidRequests, policy.Allow, file),
			builtIn(policy.Block, file),
			builtIn(policy.Allow, blank))
	}
	return append(steps, r.listed(androidIntents, policy.Launch))
}

// launchPrefix is PluginManager.getLaunchUrlPrefix of 10.1.1 and later; before, the
// app's own pages are files to it, also where 10.0.0 serves them from another place.
// It knows nothing of a plugin that serves the pages.
func (r *androidReader) launchPrefix() string {
	if !r.version.AtLeast(10, 1, 1) {
		return files.Prefix()
	}
	own := androidPlatformOwn(r.doc, r.version)
	return own.Taken()
}
