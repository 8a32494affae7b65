package lint

// appBoundRules are about WKAppBoundDomains of Info.plist: the domains in whose pages
// an app for iOS may run scripts of its own. Package appbound has the sources.
var appBoundRules = []Rule{
	{
		ID: "app-bound-domains-invalid", Severity: Medium, Topic: TopicBuild,
		Title: "WKAppBoundDomains holds what WebKit does not read",
		Explanation: "WebKit keeps the registrable domains of the entries, ten at most, and takes only what is a " +
			"domain, a URL or a scheme with its colon. In a web view that is limited to them, pages of other domains " +
			"do not open, and scripts of the app are not run in them.",
		Gain:    "Nothing; pages of the domains that do not count stay closed.",
		Effects: effects("ios 14+", "the entry does not count, or counts as another one"),
		Remedy:  "Write bare domains, ten at most; the names below a domain count anyway.",
		check:   checkAppBound,
	},
	{
		ID: "app-bound-domains-effect", Severity: Info, Since: 2, Topic: TopicBuild,
		Title: "WKAppBoundDomains switches the app's scripts off elsewhere",
		Explanation: "With the key in Info.plist every web view of the app is without the app's scripts, style " +
			"sheets, message handlers and cookie handling in pages that are not bound to it: those of other domains, " +
			"and all pages of a web view that is not limited (limitsNavigationsToAppBoundDomains), such as the " +
			"windows of plugins. A web view that opens the app's own files, or localhost on newer systems, is " +
			"limited from then on. Service workers run in bound pages of a limited web view alone.",
		Gain: "Nothing: the key takes away from pages of strangers what they could be watched by, and the native " +
			"bridge with it.",
		Effects: effects("ios 14+", "as above", "below 14", "not read"),
		Remedy: "Nothing, where that is what you want. Else remove WKAppBoundDomains, or list the domains whose " +
			"pages need the app's scripts: cordon export ios-app-bound-domains.",
		check: checkAppBoundEffect,
	},
	{
		ID: "app-bound-domains-wider", Severity: Low, Since: 2, Topic: TopicBuild,
		Title: "WKAppBoundDomains has a domain that no rule opens",
		Explanation: "No page of the domain may be opened inside the app, so that it needs no place among the ten. " +
			"Should a page of it get in, it has the app's scripts and message handlers. The whole registrable domain " +
			"counts, with every name below it, whatever host the entry names.",
		Gain:    "A page of the domain that gets into the web view can call native code.",
		Effects: effects("ios 14+", "pages of the domain are bound to the app"),
		Remedy: "Remove the entry, or add the rule that opens its pages. cordon export ios-app-bound-domains writes " +
			"what the list needs.",
		check: checkAppBoundWider,
	},
	{
		ID: "app-bound-domains-closed", Severity: Low, Since: 2, Topic: TopicBuild,
		Title: "A rule opens pages that WKAppBoundDomains keeps closed",
		Explanation: "The list lets pages be opened inside whose domain is not among WKAppBoundDomains. In a limited " +
			"web view WebKit refuses them before the app is asked; in another one they open without the app's " +
			"scripts and message handlers.",
		Gain: "Nothing by itself; a part of the app that does not open is mended by taking the limit away.",
		Effects: effects("ios 14+", "the pages do not open, or are without the native bridge", "below 14",
			"they open"),
		Remedy: "Add the domain to WKAppBoundDomains, or remove the rule if its pages need not be opened inside.",
		check:  checkAppBoundClosed,
	},
	{
		ID: "app-bound-own-pages", Severity: Medium, Since: 2, Topic: TopicBuild,
		Title: "WKAppBoundDomains does not cover the app's own pages",
		Explanation: "The app's own pages come from a host that is neither localhost nor among WKAppBoundDomains. In " +
			"a web view that is limited they do not open; in another one they are without the native bridge, or are " +
			"refused because the app has set up its scripts before.",
		Gain:    "Nothing by itself; an app that does not start is mended by taking the limit away.",
		Effects: effects("ios 14+", "the app does not start, or its pages cannot call native code"),
		Remedy: "Add the host to WKAppBoundDomains: server.hostname of Capacitor, the preference hostname of " +
			"cordova-ios.",
		check: checkAppBoundOwn,
	},
	{
		ID: "app-bound-limit-idle", Severity: Info, Since: 2, Topic: TopicBuild,
		Title: "The limit to App-Bound Domains limits nothing",
		Explanation: "The preference LimitsNavigationsToAppBoundDomains is read by cordova-ios 7.0.0 and later, and " +
			"limits a web view only where Info.plist has WKAppBoundDomains.",
		Gain:    "Nothing by itself; what looks like a limit limits nothing.",
		Effects: effects("ios 7+", "nothing without WKAppBoundDomains", "ios below 7", "not read"),
		Remedy: "Add WKAppBoundDomains to Info.plist (cordon export ios-app-bound-domains writes it), or remove the " +
			"preference.",
		check: checkAppBoundIdle,
	},
}
