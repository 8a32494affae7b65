package lint

// transportRules are about App Transport Security in Info.plist, whatever carries what
// is said about it.
var transportRules = []Rule{
	{
		ID: "ats-arbitrary-loads", Severity: High, Topic: TopicBuild,
		Title: "Info.plist allows arbitrary loads",
		Explanation: "Info.plist, or what config.xml or a plugin gives it, sets NSAllowsArbitraryLoads, which " +
			"switches App Transport Security off.",
		Gain:    "Cleartext and weak TLS connections to every host.",
		Effects: effects("ios", "off for the whole app"),
		Remedy:  "Remove it, and list hosts that really need an exception.",
		check:   checkArbitraryLoads,
	},
	{
		ID: "ats-partly-off", Severity: Medium, Topic: TopicBuild,
		Title: "App Transport Security is switched off for pages or media",
		Explanation: "NSAllowsArbitraryLoadsInWebContent lets everything that the web view loads pass, which in a " +
			"hybrid app is nearly all; NSAllowsArbitraryLoadsForMedia what AVFoundation plays.",
		Gain:    "Cleartext and weak TLS connections to every host: reading and changing what the pages load.",
		Effects: effects("ios 10+", "off for web content or media; native requests are held to it"),
		Remedy:  "Remove the key, and list hosts that really need an exception in NSExceptionDomains.",
		check:   checkPartlyOff,
	},
	{
		ID: "ats-exception-cleartext", Severity: Medium, Topic: TopicBuild,
		Title: "Insecure loads are allowed from a host that the list allows over https only, or not at all",
		Explanation: "NSExceptionAllowsInsecureHTTPLoads lets native requests, and pages, reach the host over http. " +
			"The names of iOS 9's first versions (NSTemporary…, NSThirdParty…) count as well.",
		Gain:    "Reading and changing what the app sends to the host.",
		Effects: effects("ios 9+", "http connections to the host succeed"),
		Remedy:  "Remove the exception, or list the host with http:// where it is really needed.",
		check:   checkExceptionCleartext,
	},
	{
		ID: "ats-key-unread", Severity: Low, Topic: TopicBuild,
		Title:       "A setting of App Transport Security is not read",
		Explanation: "The key, or the kind of its value, is not one that iOS knows: a misspelling, most of the time.",
		Gain:        "Nothing by itself; what was meant to be strict or open is not.",
		Effects:     effects("ios", "ignored"),
		Remedy:      "Correct the key, or remove it.",
		check:       checkTransportUnread,
	},
}
