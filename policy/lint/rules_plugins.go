package lint

// pluginRules are about installed plugins.
var pluginRules = []Rule{
	{
		ID: "whitelist-plugin-obsolete", Severity: Low, Topic: TopicPlugins,
		Title: "cordova-plugin-whitelist does nothing any more",
		Explanation: "From cordova-android 10 on the list is built in and the plugin is not used. It was never " +
			"needed on iOS 4 and later.",
		Gain: "Nothing; the project seems to depend on protection that is elsewhere.",
		Effects: effects("android 10+", "built in; the plugin is not used", "android 4 to 9",
			"needed: without it the lists have no effect"),
		Remedy: "Remove the plugin (cordova plugin remove cordova-plugin-whitelist).",
		check:  checkWhitelistObsolete,
	},
	{
		ID: "whitelist-plugin-missing", Severity: Medium, Topic: TopicPlugins,
		Title: "The list has no effect without the whitelist plugin",
		Explanation: "cordova-android 4 to 9 reads allow-navigation, allow-intent and access only through " +
			"cordova-plugin-whitelist. The project has the entries but not the plugin.",
		Gain:    "Nothing; everything remote is refused until somebody works around it.",
		Effects: effects("android 4 to 9", "only the platform's defaults act"),
		Remedy:  "Add the plugin, or better build with cordova-android 10 or later.",
		check:   checkWhitelistMissing,
	},
	{
		ID: "retired-plugin", Severity: Medium, Topic: TopicPlugins,
		Title:       "A plugin is retired",
		Explanation: "The plugin is no longer maintained, so its known and future faults stay.",
		Gain:        "Faults that nobody repairs, in native code that pages can call.",
		Effects:     everywhere("the message says what replaces it"),
		Remedy:      "Use the replacement that the message names.",
		check:       checkRetired,
	},
	{
		ID: "plugin-accepts-any-certificate", Severity: Critical, Topic: TopicPlugins,
		Title:       "A plugin switches certificate checks off",
		Explanation: "The plugin makes the web view accept every certificate, self-signed and forged ones included.",
		Gain:        "Reading and changing everything that the app sends, on any network, unnoticed.",
		Effects:     effects("android, ios", "TLS errors are ignored in the whole web view"),
		Remedy: "Remove the plugin. For a private CA, put its certificate into the app (network security " +
			"configuration), or use a gateway.",
		check: checkCertificatePlugin,
	},
}
