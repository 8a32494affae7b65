package lint

// reachRules are about how much the list lets in.
var reachRules = []Rule{
	{
		ID: "access-catch-all", Severity: High, Topic: TopicReach,
		Title: "Every host may be requested",
		Explanation: "An <access> entry covers every host, so the list stops nothing. It came with old project " +
			"templates and was rarely wanted.",
		Gain: "A script that gets into a page (an advertisement, a library, an injected value) can send what the app " +
			"knows to any server, and load more code from there.",
		Effects: effects(
			"android 3.1 to 3.5, ios to 3.9, wp7, wp8", "the whole list is switched off, for navigation too",
			"android 4 to 9", "every http and https request passes",
			"android 10+", "plugins may ask every host; the web view asks no list at all",
			"ios 4+", "not read at run time, but prepare switches App Transport Security off",
			"blackberry10", "everything but XMLHttpRequest passes"),
		Remedy: "List the hosts that the app needs, one <access origin=\"https://…\"/> each; cordon record finds " +
			"them by watching the app.",
		check: checkAccessCatchAll,
	},
	{
		ID: "navigation-catch-all", Severity: Critical, Topic: TopicReach,
		Title: "Every page may open inside the app",
		Explanation: "A navigation entry covers every host, so any page on the web can replace the app's own page " +
			"inside its web view.",
		Gain: "One link or redirect to the attacker's page, which then has the app's plugins: files, contacts, " +
			"camera, whatever is installed.",
		Effects: effects(
			"android 4+", "any http or https page opens inside, with the bridge to the plugins",
			"ios 4+", "any page opens inside; an empty href counts as every host"),
		Remedy: "List the hosts whose pages the app really shows, or remove the entry and open other pages in the " +
			"browser with allow-intent.",
		check: checkNavigationCatchAll,
	},
	{
		ID: "intent-catch-all", Severity: Medium, Topic: TopicReach,
		Title: "Every scheme may be handed to other apps",
		Explanation: "An entry for other apps covers URLs of every scheme, so a page can start any app that " +
			"registered one.",
		Gain: "Starting other apps with parameters of the attacker's choice: calls, payments, installs, apps with " +
			"weak URL handlers.",
		Effects: effects("android, amazon-fireos", "every intent that a URL can name is started", "ios 4+",
			"every URL that some app opens is opened"),
		Remedy: "List the schemes that the app uses, such as tel:*, mailto:* and https://*/*.",
		check:  checkIntentCatchAll,
	},
	{
		ID: "intent-any-website", Severity: Info, Topic: TopicReach,
		Title: "Every website may be opened in the browser",
		Explanation: "An entry for other apps covers every website. The default template of Cordova has it. Links " +
			"then leave the app for any host, which is often wanted; what a link carries in its URL leaves too.",
		Gain: "A script in a page can send data out in the address of a page that opens in the browser.",
		Effects: effects("android 4+, ios 4+",
			"every http or https link that does not open inside opens in the browser"),
		Remedy: "List the hosts that links lead to, or keep it on purpose with <!-- cordon:ignore intent-any-website " +
			"reason -->.",
		check: checkIntentAnyWebsite,
	},
	{
		ID: "intent-dangerous-scheme", Severity: Medium, Topic: TopicReach,
		Title: "A dangerous scheme is handed to other apps",
		Explanation: "The entry covers a scheme that names local files, runs code or installs apps rather than " +
			"opening a page.",
		Gain: "A link in a page opens local files in another app, starts arbitrary components or begins an " +
			"installation.",
		Effects: effects(
			"android", "intent: names any exported component; file: and content: hand out local data",
			"ios", "itms-services: begins the installation of an app from any server"),
		Remedy: "Remove the entry and name the harmless schemes that the app uses.",
		check:  checkIntentDangerous,
	},
	{
		ID: "cleartext-origin", Severity: Medium, Topic: TopicReach,
		Title:       "An origin is listed in cleartext",
		Explanation: "The entry lists http or ws, so requests to the host may travel unencrypted.",
		Gain: "Everyone on the way (a café's network, a hostile access point) reads and changes what is sent, " +
			"scripts included.",
		Effects: effects(
			"ios", "prepare writes an App Transport Security exception that allows insecure loads for the host, even "+
				"if https is listed as well",
			"android", "the list lets http pass; from target SDK 28 on the system still needs a cleartext permission"),
		Remedy: "List https:// (and wss://) only. If the host really has no TLS, put a gateway in front of it.",
		check:  checkCleartextOrigin,
	},
	{
		ID: "public-suffix-wildcard", Severity: High, Topic: TopicReach,
		Title: "A wildcard covers a whole public suffix",
		Explanation: "Below a public suffix such as com or co.uk anyone can register a name, so the wildcard covers " +
			"strangers.",
		Gain:    "Registering any name under the suffix is enough to be inside the list.",
		Effects: everywhere("every name below the suffix is covered, whoever owns it"),
		Remedy:  "Name the domain itself: https://*.example.co.uk instead of https://*.co.uk.",
		check:   checkPublicSuffix,
	},
	{
		ID: "shared-hosting-wildcard", Severity: High, Topic: TopicReach,
		Title: "A wildcard covers a shared hosting domain",
		Explanation: "Under the domain a hosting company gives names to its customers (github.io, azurewebsites.net, " +
			"…), so the wildcard covers everyone else's pages too.",
		Gain:    "A free account at the same company is enough to be inside the list.",
		Effects: everywhere("every customer's name is covered"),
		Remedy:  "Name your own host: https://myapp.azurewebsites.net instead of https://*.azurewebsites.net.",
		check:   checkSharedHosting,
	},
	{
		ID: "ip-literal", Severity: Low, Topic: TopicReach,
		Title: "An address instead of a name",
		Explanation: "The entry lists an IP address. Certificates rarely cover addresses, addresses change hands, " +
			"and several platforms read IPv6 or unusual spellings differently.",
		Gain: "Whoever holds the address next is inside the list.",
		Effects: effects(
			"android 3.1+", "IPv6 addresses are not in the grammar: dropped",
			"ios", "App Transport Security exceptions for addresses work from iOS 17 on",
			"tizen, w3c", "subdomains does not apply to addresses"),
		Remedy: "Give the server a name and list that.",
		check:  checkIPLiteral,
	},
	{
		ID: "development-host", Severity: Medium, Topic: TopicReach,
		Title: "A development host is listed",
		Explanation: "The entry names this device, a private network or a tunnelling service: usually left over from " +
			"development (live reload).",
		Gain: "Another app on the device, or anyone on the local network, can serve pages and scripts to the app.",
		Effects: effects(
			"android", "any app on the device can listen on a local port", "ios",
			"prepare allows insecure loads for the host if it is listed as http"),
		Remedy: "Remove the entry from what is shipped; add it in a development build only.",
		check:  checkDevelopmentHost,
	},
	{
		ID: "userinfo-in-entry", Severity: Medium, Topic: TopicReach,
		Title: "A user name in an entry",
		Explanation: "An entry names hosts. With user@ in it platforms read something else, or nothing; a password " +
			"in it ships with the app.",
		Gain: "The password, if there is one: every copy of the app contains it.",
		Effects: effects(
			"android 3.1+", "never matches, or is dropped",
			"ios 3.1+", "http://user:pw@h is cut to a host called user",
			"blackberry10", "compared as text with what the URL says"),
		Remedy: "Remove everything before the @, and change the password.",
		check:  checkUserinfo,
	},
	{
		ID: "mixed-script-host", Severity: High, Topic: TopicReach,
		Title: "A host mixes scripts",
		Explanation: "One label of the host has letters of several scripts, such as a Cyrillic а in a Latin name. " +
			"Names that people register honestly do not.",
		Gain:    "A name that looks like the real one in review but belongs to somebody else.",
		Effects: everywhere("the entry covers another host than it seems to"),
		Remedy: "Type the name again on a Latin keyboard; if it really is an international name, list its " +
			"punycode form.",
		check: checkMixedScript,
	},
	{
		ID: "punycode-lookalike", Severity: High, Topic: TopicReach,
		Title: "A host looks like another one",
		Explanation: "Decoded, a label of the host consists of letters that look like Latin ones, so that it reads " +
			"as another name.",
		Gain:    "A name that looks like the real one but belongs to somebody else.",
		Effects: everywhere("the entry covers another host than it seems to"),
		Remedy:  "Check who owns the name; list the name that was meant.",
		check:   checkLookalike,
	},
	{
		ID: "remote-start-page", Severity: High, Topic: TopicReach,
		Title: "The app starts on a remote page",
		Explanation: "The start page is loaded from a server at every start, so the server's pages are the app, with " +
			"its plugins.",
		Gain: "Whoever changes the server's pages, or (over http) the connection, has the app on every device.",
		Effects: effects(
			"android 4+", "the page's URL also becomes a navigation entry",
			"ios", "the page opens in the web view with the bridge to the plugins"),
		Remedy: "Ship the pages in www/ and load only data from the server.",
		check:  checkRemoteStart,
	},
	{
		ID: "remote-navigation-with-plugins", Severity: High, Topic: TopicReach,
		Title:       "Remote pages get the plugins",
		Explanation: "Pages of a remote host may open inside the app, where they can call every installed plugin.",
		Gain: "Whoever controls the host, or any page of it, has what the plugins give: files, camera, " +
			"location, native requests that no list checks.",
		Effects: effects("android 4+, ios 4+", "allow-navigation also gives the page the bridge to the plugins",
			"capacitor-android 4+, capacitor-ios", "server.allowNavigation does the same"),
		Remedy: "Open the pages in the browser (allow-intent) or in an in-app browser without the bridge, and fetch " +
			"data instead of pages.",
		check: checkRemoteNavigation,
	},
}
