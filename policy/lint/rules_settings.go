package lint

// settingRules are about preferences, native settings and values in the
// config.xml.
var settingRules = []Rule{
	{
		ID: "websecurity-disabled", Severity: Critical, Topic: TopicBuild,
		Title: "The preference websecurity switches the list off",
		Explanation: "With websecurity=\"disable\" BlackBerry 10 asks no list for anything and drops the " +
			"same-origin policy.",
		Gain:    "An injected script reads and writes any origin.",
		Effects: effects("blackberry10", "every kind of request passes", "the others", "not read"),
		Remedy:  "Remove the preference and list the hosts.",
		check:   checkWebSecurity,
	},
	{
		ID: "insecure-file-mode", Severity: High, Topic: TopicBuild,
		Title: "Pages run from file: URLs",
		Explanation: "AndroidInsecureFileModeEnabled serves the app from file: instead of https://localhost. File " +
			"pages may read other files of the app, and Cordova calls the mode insecure itself.",
		Gain:    "An injected script reads the app's private files.",
		Effects: effects("android 10.1.1+", "file: pages open inside; universal access from file URLs"),
		Remedy:  "Remove the preference; load the app's files by relative URLs.",
		check:   checkInsecureFileMode,
	},
	{
		ID: "inspectable-webview", Severity: Medium, Topic: TopicBuild,
		Title: "The web view can be inspected",
		Explanation: "InspectableWebview, or webContentsDebuggingEnabled of a Capacitor configuration, lets a " +
			"computer on the cable inspect the app's web view, in release builds too.",
		Gain: "Whoever holds the unlocked device reads tokens and runs code in the app.",
		Effects: effects("android, ios 16.4+", "remote inspection is on in every build",
			"capacitor-android, capacitor-ios 4.8+", "the same"),
		Remedy: "Remove the setting; debug builds can be inspected anyway.",
		check: func(r *run) {
			preference("InspectableWebview", "true", true, "InspectableWebview opens the app to remote inspection")(r)
			checkCapacitorInspectable(r)
		},
	},
	{
		ID: "target-sdk-cleartext", Severity: Medium, Topic: TopicBuild,
		Title:       "An old target SDK allows cleartext",
		Explanation: "Below target SDK 28 Android allows cleartext traffic to every host unless told otherwise.",
		Gain:        "Reading and changing what the app sends over http.",
		Effects:     effects("android", "cleartext is allowed by default up to target SDK 27"),
		Remedy:      "Raise android-targetSdkVersion to 28 or later, or remove the preference.",
		check:       checkTargetSDK,
	},
	{
		ID: "secret-in-config", Severity: High, Topic: TopicBuild,
		Title: "A secret in config.xml",
		Explanation: "A preference, variable or other value looks like a key, password or token. config.xml is " +
			"packed into every copy of the app.",
		Gain:    "Unpacking the app is enough to use the secret.",
		Effects: everywhere("config.xml can be read from the package"),
		Remedy: "Revoke the secret. Keep it on a server, and let the app ask that server (cordon serve keeps such " +
			"secrets for services).",
		check: checkConfigSecret,
	},
}
