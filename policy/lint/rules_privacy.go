package lint

// privacyRules are about Apple's privacy manifests. Package privacy has the tables and
// their sources.
var privacyRules = []Rule{
	{
		ID: "privacy-manifest-invalid", Severity: Medium, Since: 2, Topic: TopicBuild,
		Title: "A privacy manifest is invalid",
		Explanation: "A key or value of PrivacyInfo.xcprivacy, or of <privacy-manifest> in config.xml, is not one " +
			"that Apple defines, or NSPrivacyTracking and NSPrivacyTrackingDomains contradict each other. App Store " +
			"Connect refuses such an app (ITMS-91056); Apple's TN3181 and TN3184 say what is valid.",
		Gain:    "Nothing by itself; what people are told about their data is not what was meant.",
		Effects: effects("ios 17+", "tracking domains may not be blocked", "the App Store", "the app is refused"),
		Remedy:  "Correct the key or value. cordon export privacy-manifest writes what the list has to do with.",
		check:   checkPrivacyInvalid,
	},
	{
		ID: "privacy-manifest-ignored", Severity: Low, Since: 2, Topic: TopicBuild,
		Title: "A <privacy-manifest> does not count",
		Explanation: "cordova-ios 7.1.0 and later writes PrivacyInfo.xcprivacy from the first <privacy-manifest> " +
			"directly inside <platform name=\"ios\">, and from its template without one. Earlier versions do not.",
		Gain:    "Nothing by itself; what people are told about their data is not what was meant.",
		Effects: effects("ios 7.1+", "what stands elsewhere is passed over", "ios below 7.1", "not read"),
		Remedy:  "Put one <privacy-manifest> into <platform name=\"ios\">, and build with cordova-ios 7.1.0 or later.",
		check:   checkPrivacyIgnored,
	},
	{
		ID: "privacy-tracking-domain", Severity: Low, Since: 2, Topic: TopicBuild,
		Title: "A tracking domain that no rule allows",
		Explanation: "NSPrivacyTrackingDomains names a domain that the app's list does not let it reach. iOS blocks " +
			"the domain without the person's consent for the whole app; either the list lacks it, or the manifest is " +
			"of another time.",
		Gain:    "Nothing by itself; a declaration that names what the app does not contact hides what it does.",
		Effects: effects("ios 17+", "the domain is blocked for whoever has not agreed to be tracked"),
		Remedy: "Remove the domain, or list it with <access> if the app contacts it. What a native library contacts " +
			"without asking the list belongs into that library's own manifest.",
		check: checkTrackingDomain,
	},
	{
		ID: "privacy-framework", Severity: Medium, Since: 2, Topic: TopicBuild,
		Title: "A library on Apple's list comes without a privacy manifest",
		Explanation: "Apple wants a privacy manifest of each library on its list (Third-party SDK requirements), and " +
			"refuses apps that bring one without (ITMS-91061). Which version a plugin asks for is read from its " +
			"plugin.xml or podspec and from Podfile.lock; of a framework in the plugin's folder its files are looked " +
			"through.",
		Gain:    "Nothing by itself; nobody can say what data the library collects.",
		Effects: effects("the App Store", "a new app, or one that adds the library, is refused"),
		Remedy:  "Update the plugin, or the version of the library that it asks for, to one with a manifest.",
		check:   checkPrivacyFramework,
	},
}
