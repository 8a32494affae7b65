package lint

// bridgeRules are about who may call native code besides the app's own pages.
var bridgeRules = []Rule{
	{
		ID: "bridge-open", Severity: High, Topic: TopicReach,
		Title: "Every page in every frame reaches native code",
		Explanation: "On Android Capacitor's bridge listens to the app's own origin and to those that " +
			"server.allowNavigation and server.url name. Where one of them is not a rule of origins (a path, a " +
			"lone *, a name that begins with http, a scheme of the app's own), the listener cannot be made, and " +
			"Capacitor puts the bridge into every frame of every page instead; android.useLegacyBridge does the " +
			"same. Capacitor 3 asks nobody who calls, whatever is written, and opens every page inside whose address " +
			"has the app's own in it.",
		Gain: "A page in any frame, such as an advertisement's or an embedded video's, can call every plugin.",
		Effects: effects("capacitor-android 3", "every frame of every origin, whatever is written, and pages that a "+
			"link such as https://evil.example/?http://localhost leads to", "capacitor-ios 3",
			"the same by https://evil.example/?capacitor://localhost",
			"capacitor-android 4+", "every frame of every origin", "capacitor-ios",
			"every frame in any case: nothing narrows it, and bridge-frame-remote names the frames"),
		Remedy: "Name hosts alone in allowNavigation, without scheme, port and path, one * at the beginning at " +
			"most; keep androidScheme https, and remove useLegacyBridge. Update Capacitor 3 to 4 or later.",
		check: checkBridgeOpen,
	},
	{
		ID: "bridge-remote-origin", Severity: Medium, Topic: TopicReach,
		Title: "Pages of a remote host may call native code",
		Explanation: "An entry of server.allowNavigation gives its host's pages the bridge to native code, and " +
			"on Android one that begins with http does so although nothing of it ever opens inside by a link: a " +
			"redirect or a form may bring it there.",
		Gain: "Whoever controls the host, or any page of it, has what the plugins give.",
		Effects: effects("capacitor-android 4+", "the main frame of https://HOST; what begins with http as it is "+
			"written",
			"capacitor-ios", "every page that opens inside"),
		Remedy: "Remove the entry: other hosts then open in the browser, which has no bridge. Fetch data " +
			"instead of pages.",
		check: checkBridgeRemote,
	},
	{
		ID: "bridge-frame-remote", Severity: Medium, Since: 2, Topic: TopicReach,
		Title: "A page of another host in a frame may call native code",
		Explanation: "One of the app's pages shows another host's page in a frame, and on these platforms such a " +
			"frame reaches native code as the app's own pages do: no version for iOS with WKWebView asks who calls, " +
			"and Cordova for Android asks allow-navigation, which has the host.",
		Gain: "Whoever controls the host, or any page of it that the frame may be led to, has what the plugins give, " +
			"and what the platform's own do.",
		Effects: effects("android 2.2 to 3.5", "every frame", "android 4+",
			"frames of hosts that allow-navigation lists", "ios 2.3 to 3.9, ios 6+, capacitor-ios", "every frame",
			"capacitor-android 3", "every frame", "capacitor-android 4+", "no frame, unless bridge-open says so"),
		Remedy: "Open the page in the browser (a link, or cordova-plugin-inappbrowser) instead of a frame, or fetch " +
			"its data and show them in a page of the app. On iOS nothing else keeps a frame from native code.",
		check: checkBridgeFrame,
	},
}
