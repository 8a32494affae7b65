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
			"same.",
		Gain: "A page in any frame, such as an advertisement's or an embedded video's, can call every plugin.",
		Effects: effects("capacitor-android 4+", "every frame of every origin", "capacitor-ios",
			"every frame in any case: nothing narrows it"),
		Remedy: "Name hosts alone in allowNavigation, without scheme, port and path, one * at the beginning at " +
			"most; keep androidScheme https, and remove useLegacyBridge.",
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
}
