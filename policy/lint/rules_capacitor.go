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
}
