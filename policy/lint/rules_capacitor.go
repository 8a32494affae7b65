package lint

// capacitorRules are about the configuration of Capacitor.
var capacitorRules = []Rule{
	{
		ID: "capacitor-navigation-any", Severity: Critical, Topic: TopicOther,
		Title: "Capacitor opens every page inside the app",
		Explanation: "server.allowNavigation holds host masks. A lone * covers every host; a mask of one label " +
			"covers every host under that top-level domain on Android.",
		Gain: "One link or redirect to the attacker's page, which on Android also becomes an origin of the " +
			"native bridge.",
		Effects: effects("android", "\"*\" and \"com\" cover every host (under .com)", "ios",
			"\"*\" covers every host, \"com\" only a host of that name"),
		Remedy: "Name the hosts, or remove allowNavigation: other hosts then open in the browser.",
		check:  checkCapacitorAny,
	},
	{
		ID: "capacitor-mask-useless", Severity: Medium, Topic: TopicOther,
		Title:       "A mask of allowNavigation covers nothing",
		Explanation: "Masks are hosts, not URLs: scheme, port and path never match, and * stands for one whole label.",
		Gain: "On Android the entry counts for the bridge all the same: see bridge-open and bridge-remote-origin. A " +
			"wider mask added to make it work lets in more.",
		Effects: effects("android", "never matches; its origin gets the bridge, or by it every origin",
			"ios", "never matches"),
		Remedy: "Write the host alone: app.example.com or *.example.com.",
		check:  checkCapacitorMask,
	},
	{
		ID: "capacitor-cleartext", Severity: Medium, Topic: TopicOther,
		Title: "Capacitor allows cleartext traffic",
		Explanation: "server.cleartext writes usesCleartextTraffic=\"true\" into the manifest, for every host. It is " +
			"meant for live reload.",
		Gain:    "Reading and changing what the app sends over http.",
		Effects: effects("android", "cleartext to every host", "ios", "not read"),
		Remedy:  "Remove it from what is shipped.",
		check:   checkCapacitorCleartext,
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
		ID: "capacitor-mixed-content", Severity: Medium, Topic: TopicOther,
		Title: "Capacitor allows mixed content",
		Explanation: "android.allowMixedContent lets pages of https://localhost load what is not encrypted. It " +
			"does so for scripts as well, which no browser lets pass, and for the pages of server.url and " +
			"allowNavigation.",
		Gain:    "A script or frame that is changed on the way runs in the app, beside the bridge to native code.",
		Effects: effects("capacitor-android", "everything loads over http and ws", "capacitor-ios", "not read"),
		Remedy:  "Remove it, and load everything over https and wss.",
		check:   checkCapacitorMixed,
	},
	{
		ID: "capacitor-logging", Severity: Low, Topic: TopicOther,
		Title: "Capacitor writes logs in release builds",
		Explanation: "loggingBehavior \"production\" keeps Capacitor's log on in what is shipped: what pages write " +
			"to the console, and each call of a plugin with what it is given and returns.",
		Gain: "Whoever reads the device's log (a computer on the cable, a crash reporter, on old systems other apps) " +
			"reads tokens and personal data that pass through plugins.",
		Effects: effects("capacitor-android", "calls with their data in logcat", "capacitor-ios",
			"calls and the beginning of their results in the unified log"),
		Remedy: "Remove it, or write \"debug\", which is the default: logs of debug builds only.",
		check:  checkCapacitorLogging,
	},
	{
		ID: "capacitor-app-bound", Severity: Info, Topic: TopicOther,
		Title: "The limit to App-Bound Domains needs a list",
		Explanation: "ios.limitsNavigationsToAppBoundDomains keeps pages outside WKAppBoundDomains of Info.plist " +
			"from being opened. The host of the app's own pages has to be in that list: localhost, which newer " +
			"systems count without an entry, or server.hostname. Without the key the setting limits nothing.",
		Gain: "Nothing by itself; an app that does not start is mended by taking the limit away.",
		Effects: effects("capacitor-ios 3.1+", "outside of the list pages do not open; without it all do",
			"capacitor-android", "not read"),
		Remedy: "Add WKAppBoundDomains to Info.plist, with the app's own host and at most nine more; cordon export " +
			"ios-app-bound-domains writes it.",
		check: checkCapacitorAppBound,
	},
	{
		ID: "capacitor-http-bypasses-csp", Severity: Medium, Topic: TopicOther,
		Title: "CapacitorHttp passes by the page's policy",
		Explanation: "With plugins.CapacitorHttp.enabled fetch and XMLHttpRequest are answered by native code, " +
			"through the bridge and /_capacitor_http_interceptor_ of the app's own origin. No " +
			"Content-Security-Policy, CORS or mixed content check applies to them, so that connect-src restricts " +
			"nothing.",
		Gain: "An injected script sends what it finds to any host, although the policy looks as if it could not.",
		Effects: effects("capacitor-android, capacitor-ios 4.3+", "requests of scripts go to every host",
			"below 4.3", "not read"),
		Remedy: "Remove plugins.CapacitorHttp.enabled, and let the server allow the app's origin by CORS. Where it " +
			"must stay, put a gateway in front of what the app reaches, and keep scripts out with script-src.",
		check: checkCapacitorHTTP,
	},
	{
		ID: "capacitor-interceptor", Severity: Info, Topic: TopicOther,
		Title: "The app's own origin answers for every host",
		Explanation: "Capacitor for Android answers any path of the app's own origin that begins with " +
			"/_capacitor_http_interceptor_ by a request of native code to the host that it names. It does so whether " +
			"CapacitorHttp is enabled or not, so that 'self' in connect-src covers every host.",
		Gain:    "An injected script sends what it finds to any host, if it knows the path.",
		Effects: effects("capacitor-android 5.7.1+", "one path of the own origin reaches every host"),
		Remedy: "Write what is needed of the app's own files with a folder, such as https://localhost/data/, instead " +
			"of 'self' in connect-src; keep scripts out with script-src in any case.",
		check: checkCapacitorInterceptor,
	},
	{
		ID: "capacitor-cookies", Severity: Low, Topic: TopicOther,
		Title: "CapacitorCookies answers document.cookie",
		Explanation: "With plugins.CapacitorCookies.enabled native code answers document.cookie out of the cookie " +
			"store that native requests use. What a browser keeps from scripts is kept less well there.",
		Gain: "On Android an injected script reads session cookies that are HttpOnly.",
		Effects: effects("capacitor-android 4.3+", "HttpOnly cookies are read too", "capacitor-ios 4.3+",
			"those of native requests too; HttpOnly ones are left out in newer versions"),
		Remedy: "Remove plugins.CapacitorCookies.enabled unless the server cannot set cookies for the app's origin; " +
			"prefer tokens that native code keeps.",
		check: checkCapacitorCookies,
	},
	{
		ID: "capacitor-access-any", Severity: Medium, Topic: TopicOther,
		Title: "Cordova plugins in a Capacitor app may ask every host",
		Explanation: "cordova.accessOrigins, or the config.xml that Capacitor's command line wrote from an older " +
			"one, has a lone *. Cordova plugins inside the app ask that list; nothing else does.",
		Gain: "Plugins download from, and upload to, whatever host a script names.",
		Effects: effects(
			"capacitor-android",
			"the list of Cordova plugins covers every host",
			"capacitor-ios",
			"not asked",
		),
		Remedy: "Name the hosts in cordova.accessOrigins, and run npx cap sync.",
		check:  checkCapacitorAccessAny,
	},
	{
		ID: "capacitor-access-default", Severity: Info, Topic: TopicOther,
		Title: "Cordova plugins in a Capacitor app are not limited",
		Explanation: "Where cordova.accessOrigins is not written, Capacitor's command line writes <access " +
			"origin=\"*\"> into the config.xml of the native projects. Cordova plugins inside the app ask that " +
			"list; nothing else does.",
		Gain: "Plugins download from, and upload to, whatever host a script names.",
		Effects: effects(
			"capacitor-android",
			"the list of Cordova plugins covers every host",
			"capacitor-ios",
			"not asked",
		),
		Remedy: "Name the hosts in cordova.accessOrigins, and run npx cap sync.",
		check:  checkCapacitorAccessDefault,
	},
}
