package lint

// nativeRules are about AndroidManifest.xml and the network security configuration,
// whatever carries what they say: the files themselves, config.xml, a plugin.
var nativeRules = []Rule{
	{
		ID: "manifest-cleartext", Severity: Medium, Topic: TopicBuild,
		Title:       "The manifest allows cleartext traffic",
		Explanation: "usesCleartextTraffic=\"true\" allows cleartext to every host, for pages and plugins.",
		Gain:        "Reading and changing what the app sends over http.",
		Effects: effects("android 7+", "ignored if there is a network security configuration", "android 6",
			"allowed everywhere"),
		Remedy: "Set it to false; allow single hosts in a network security configuration (cordon export android-nsc).",
		check:  manifest("usesCleartextTraffic", manifestCleartext),
	},
	{
		ID: "manifest-debuggable", Severity: High, Topic: TopicBuild,
		Title:       "The manifest makes the app debuggable",
		Explanation: "android:debuggable=\"true\" stays on in release builds.",
		Gain:        "Whoever holds the device attaches a debugger, reads the app's files and changes its code.",
		Effects:     effects("android", "run-as and debuggers work; app stores refuse the app"),
		Remedy:      "Remove the attribute; debug builds set it themselves.",
		check: manifest("debuggable",
			func(*run) string { return "android:debuggable stays on in release builds" }),
	},
	{
		ID: "manifest-attribute-misplaced", Severity: Low, Topic: TopicBuild,
		Title: "An attribute of the application stands where Android does not read it",
		Explanation: "usesCleartextTraffic, networkSecurityConfig, debuggable and the attributes about backups count " +
			"on <application>, with the prefix android: alone. In an <edit-config> the tools copy the attributes to " +
			"the target, whatever the element that holds them is called.",
		Gain:    "Nothing by itself; what the attribute was meant to forbid is not forbidden.",
		Effects: effects("android", "ignored on any other element"),
		Remedy:  "Remove it, or write it on <application>.",
		check:   checkMisplacedAttribute,
	},
	{
		ID: "exported-component", Severity: Low, Since: 2, Topic: TopicBuild,
		Title: "Other apps can use a part of the app",
		Explanation: "An activity, service, receiver or provider is exported and asks for no permission. What opens " +
			"the app, and activities for links from pages, are passed over.",
		Gain:    "Any app on the device starts it with data of its own choosing, or reads what a provider hands out.",
		Effects: effects("android", "callable by every app"),
		Remedy:  "Set android:exported to false, or ask for a permission of your own (android:permission).",
		check:   checkExported,
	},
	{
		ID: "app-backup", Severity: Low, Since: 2, Topic: TopicBuild,
		Title: "The app's data is backed up as a whole",
		Explanation: "android:allowBackup=\"true\" without fullBackupContent or dataExtractionRules puts " +
			"all files of " +
			"the app into backups, what pages keep in web storage and cookies included.",
		Gain:    "Whoever gets at a backup, or moves it to another device, has the app's tokens.",
		Effects: effects("android 6+", "backed up to the user's account and moved to new devices"),
		Remedy: "Set allowBackup to false, or name what may be backed up (android:dataExtractionRules, " +
			"fullBackupContent).",
		check: checkBackup,
	},
	{
		ID: "custom-scheme", Severity: Info, Since: 2, Topic: TopicBuild,
		Title: "The app is opened by a scheme of its own",
		Explanation: "A scheme belongs to nobody: every page and app can open such a URL, and another app may claim " +
			"the same scheme and receive it instead.",
		Gain: "Sends the app what it does not expect; with a claim of its own, receives codes and " +
			"tokens of a sign-in.",
		Effects: effects("android, ios", "no check who opens it, and none who receives it"),
		Remedy: "Treat what arrives as untrusted. Send sign-ins back to an https link that the app is " +
			"verified for (App " +
			"Links, Universal Links), with PKCE.",
		check: checkCustomScheme,
	},
	{
		ID: "nsc-cleartext-base", Severity: Medium, Topic: TopicBuild,
		Title: "The network security configuration permits cleartext to every host",
		Explanation: "base-config counts for every host that no domain-config names. A value that is " +
			"neither true nor " +
			"false, a reference to a resource too, is read as true.",
		Gain:    "Reading and changing what the app sends over http.",
		Effects: effects("android 7+", "allowed for pages and plugins, whatever usesCleartextTraffic says"),
		Remedy: "Set cleartextTrafficPermitted to false in base-config; permit single hosts in a " +
			"domain-config (cordon " +
			"export android-nsc).",
		check: checkCleartextBase,
	},
	{
		ID: "nsc-cleartext-domain", Severity: Medium, Topic: TopicBuild,
		Title: "Cleartext is permitted to a host that the list allows over https only, or not at all",
		Explanation: "The network security configuration permits what the list does not: plugins and what never asks " +
			"the list go by the configuration alone.",
		Gain:    "Reading and changing what the app sends to the host.",
		Effects: effects("android 7+", "http connections to the host succeed"),
		Remedy:  "Remove the domain, or list the host with http:// where it is really needed.",
		check:   checkCleartextDomain,
	},
	{
		ID: "nsc-user-authorities", Severity: Medium, Topic: TopicBuild,
		Title: "Certificate authorities that users install are trusted",
		Explanation: "certificates src=\"user\" outside debug-overrides trusts what a person, or whoever manages or " +
			"holds the device, has installed.",
		Gain:    "Reads and changes all TLS connections of the app, once such an authority is installed.",
		Effects: effects("android 7+", "trusted beside the system's authorities"),
		Remedy:  "Trust system alone; put user into <debug-overrides> to look at traffic while developing.",
		check:   checkUserAuthorities,
	},
	{
		ID: "nsc-domain-useless", Severity: Medium, Topic: TopicBuild,
		Title: "A domain of the network security configuration matches no host",
		Explanation: "Android compares a domain with the host's name alone: a port, a path, a scheme or a " +
			"wildcard in " +
			"it equals no name.",
		Gain:    "What the domain-config says for the host, its pins for instance, does not hold.",
		Effects: effects("android 7+", "the host falls back to base-config"),
		Remedy:  "Write the bare name; includeSubdomains=\"true\" adds the names below.",
		check:   checkDomainForm,
	},
	{
		ID: "nsc-invalid", Severity: Medium, Topic: TopicBuild,
		Title: "Android cannot read the network security configuration",
		Explanation: "Its reader stops with an exception at the first mistake of this kind, and the app " +
			"with it, when " +
			"it first connects.",
		Gain:    "Nothing; the app crashes.",
		Effects: effects("android 7+", "a RuntimeException at the first connection"),
		Remedy:  "See the message.",
		check:   checkSecurityInvalid,
	},
	{
		ID: "nsc-not-read", Severity: Low, Topic: TopicBuild,
		Title: "A network security configuration without a reader, or a name without one",
		Explanation: "Android reads the resource that android:networkSecurityConfig names on <application>, and no " +
			"other. Either no manifest names the file, or the file that it names was not found.",
		Gain:    "What the file should forbid or pin is not forbidden or pinned.",
		Effects: effects("android 7+", "the system's defaults hold, or the app does not build"),
		Remedy:  "Name the file on <application>: android:networkSecurityConfig=\"@xml/NAME\".",
		check:   checkSecurityNotFound,
	},
	{
		ID: "nsc-pins-expired", Severity: Medium, Topic: TopicPins,
		Title:       "A pin set has expired",
		Explanation: "From the day in expiration on, Android pins nothing of the set.",
		Gain:        "Any authority can vouch for anyone.",
		Effects:     effects("android 7+", "the hosts are not pinned any more"),
		Remedy:      "Pin the keys that the server uses now, with a later day, and ship the update.",
		check:       checkPinSetExpired,
	},
	{
		ID: "nsc-pins-expire-soon", Severity: Low, Topic: TopicPins,
		Title:       "A pin set expires within 60 days",
		Explanation: "Apps in the field keep the pins that they were built with, and not everybody updates at once.",
		Gain:        "From that day on, what unpinned connections give.",
		Effects:     effects("android 7+", "not pinned from that day on"),
		Remedy:      "Ship the next pins now, with a later day.",
		check:       checkPinSetSoon,
	},
	{
		ID: "nsc-pin-backup", Severity: Medium, Topic: TopicPins,
		Title: "A pin set has no backup pin",
		Explanation: "One pin is one key. If it is lost or has to be replaced, every installed app is " +
			"locked out until " +
			"its update. A set without any pin pins nothing.",
		Gain:    "Nothing by itself; in an emergency the way out is to ship an app without pins.",
		Effects: effects("android 7+", "the app cannot reach the hosts after an unplanned change of the key"),
		Remedy:  "Add the pin of a second key that is kept offline, or of another authority.",
		check:   checkPinSetBackup,
	},
	{
		ID: "nsc-debug-overrides", Severity: Info, Since: 2, Topic: TopicBuild,
		Title: "debug-overrides are part of the app that ships",
		Explanation: "They count in debuggable builds only; who rebuilds the app as debuggable has them ready, and " +
			"they are easily taken for what holds in release builds.",
		Gain:    "Nothing in release builds.",
		Effects: effects("android 7+", "not read unless the app is debuggable"),
		Remedy:  "Move them to a resource of debug builds: src/debug/res/xml, or NAME_debug.xml.",
		check:   checkDebugOverrides,
	},
	{
		ID: "package-differs", Severity: Medium, Topic: TopicBuild,
		Title: "A package has another list than the project beside it",
		Explanation: "What was built is not what the project says now: it was built before a change, a plugin or a " +
			"hook has changed the list, or it was built elsewhere.",
		Gain:    "What the list in the package lets in, whatever the project's own says.",
		Effects: everywhere("the package's list is what counts on devices"),
		Remedy:  "Build again. If the difference stays, see which plugin or hook makes it.",
		check:   checkPackage,
	},
}
