package lint

// originRules are about where the app's own pages come from, and what follows for
// them.
var originRules = []Rule{
	{
		ID: "cleartext-app-scheme", Severity: Medium, Topic: TopicBuild,
		Title: "The app's own pages are served over http",
		Explanation: "The app's own pages have an address such as http://localhost, where mixed content passes and " +
			"features for secure contexts may be missing. The preference scheme, or Capacitor's " +
			"server.androidScheme, says so on Android; cordova-plugin-ionic-webview and Capacitor before 6 do it by " +
			"default.",
		Gain: "Cleartext scripts and images load without a warning, and can be changed on the way.",
		Effects: effects(
			"android 10.1.1+",
			"with scheme=\"http\" the page's origin is http://localhost",
			"capacitor-android",
			"the same with androidScheme \"http\", and before 6 unless it is \"https\"",
			"cordova-plugin-ionic-webview 3+ on android",
			"http://localhost unless the preference Scheme says otherwise",
			"cordova-plugin-ionic-webview 1 and 2",
			"a server on a port that every app of the device can ask",
		),
		Remedy: "Write <preference name=\"Scheme\" value=\"https\"/>, or server.androidScheme \"https\", and load " +
			"everything over https. Data that pages keep belongs to their origin: it has to be moved, so that " +
			"cordon fix leaves this to you.",
		check: checkCleartextAppScheme,
	},
	{
		ID: "app-scheme-refused", Severity: Medium, Since: 2, Topic: TopicBuild,
		Title: "Android does not serve the scheme that a preference asks for",
		Explanation: "Android knows http and https only. With any other scheme the app starts at https://localhost/, " +
			"and what the platform compares with has the other scheme: the app's own pages are not its own.",
		Gain: "Nothing by itself; links between the app's pages leave for the browser or do nothing, plugins refuse " +
			"the page, and a wider entry added to make things work lets in more.",
		Effects: effects("android 10.1.1+", "the app's pages count as strangers", "ios 6+", "the scheme is served"),
		Remedy: "Put the preference into <platform name=\"ios\">. Android then has https://localhost, which is its " +
			"default.",
		check: checkSchemeRefused,
	},
	{
		ID: "app-scheme-taken", Severity: Low, Since: 2, Topic: TopicBuild,
		Title: "The app is served from another scheme than a setting says",
		Explanation: "WKWebView handles http, https and some other schemes itself, so that no app can serve them. " +
			"Cordova takes app instead, Capacitor takes capacitor, without a word; on Android Capacitor takes its " +
			"default instead of a scheme of the web view's own.",
		Gain: "Nothing by itself; servers that allow the origin of the preference refuse the app.",
		Effects: effects("ios 6+", "the page's origin is app://localhost",
			"cordova-plugin-ionic-webview 4+ on ios", "ionic://localhost",
			"capacitor-ios", "capacitor://localhost", "capacitor-android 4+", "https://localhost, before 6 http"),
		Remedy: "Put the preference into <platform name=\"android\">, and let servers allow app://localhost for iOS.",
		check:  checkSchemeTaken,
	},
	{
		ID: "app-host-real", Severity: Medium, Topic: TopicBuild,
		Title: "The app's own pages have the name of a real host",
		Explanation: "The preference hostname, or Capacitor's server.hostname, gives the app's own pages the " +
			"origin of a site that exists. Requests to that site are answered from the package and never reach it, " +
			"and the web view keeps both in one store.",
		Gain: "What pages of the site keep (cookies, local storage) is the app's as well, and the other way round; " +
			"where such a page opens inside, it counts as the app.",
		Effects: effects("android 10+", "every path of the host is served from www/", "capacitor-android",
			"the same by server.hostname", "ios 6+, capacitor-ios",
			"with the app's own scheme in front the origin is another one"),
		Remedy: "Take a name that nobody can register, such as localhost or app.localhost, and list the site by its " +
			"own name.",
		check: checkHostReal,
	},
	{
		ID: "mixed-content", Severity: Medium, Topic: TopicSource,
		Title: "A page asks in cleartext from an encrypted origin",
		Explanation: "The app's own pages come from https://localhost, and the web view refuses what they ask for " +
			"over " +
			"http or ws as mixed content, whatever the list, the Content-Security-Policy and the native settings say.",
		Gain: "Nothing by itself; the request fails, and the ways to make it pass let cleartext in for every host.",
		Effects: effects("android 10+", "refused before anything is sent, and logged as mixed content",
			"ios", "the app's own scheme is not an encrypted one: App Transport Security decides",
			"capacitor-android 6+, or with androidScheme \"https\"", "refused, unless allowMixedContent is on or "+
				"CapacitorHttp asks"),
		Remedy: "Use https:// and wss://. Where the server has none, put a gateway in front of it. From Android " +
			"10.1.1 " +
			"on scheme=\"http\" lets the request pass, at the price of cleartext-app-scheme.",
		check: checkMixedContent,
	},
}
