package lint

// buildRules are about what the tools make of the list when the app is built.
// What cordova-ios derives from it was measured with release 8.1.1, whose code is
// the same since 6.3.0, and read at 4.0.1, 4.3.0, 4.5.5, 5.1.1 and 6.2.0. Up to 6.2
// Node's url.parse takes entries apart: since Node 18 with the same result for any
// host, before that it passes https://* over.
var buildRules = []Rule{
	{
		ID: "prepare-fails", Severity: High, Topic: TopicBuild,
		Title: "cordova prepare fails on an entry",
		Explanation: "A platform's packaging cannot read the entry and stops. One failing platform ends the whole " +
			"prepare, and no after_prepare hook runs.",
		Gain: "Nothing; the project does not build, and hooks that secure it do not run.",
		Effects: effects(
			"ios 6.3+", "\"Invalid URL\" on an entry without a scheme that has a wildcard in its host",
			"blackberry10", "packaging stops on an entry that does not begin with letters and ://"),
		Remedy: "Write the scheme in front, and one line for each domain.",
		check:  checkPrepareFails,
	},
	{
		ID: "ats-disabled", Severity: High, Topic: TopicBuild,
		Title: "App Transport Security is switched off",
		Explanation: "cordova-ios derives NSAllowsArbitraryLoads from any entry whose host is *, even if the entry " +
			"says https only.",
		Gain: "Cleartext and weak TLS connections to every host: reading and changing what the app sends.",
		Effects: effects("ios 4.0.1+",
			"NSAllowsArbitraryLoads=true for the whole app: https://* switches it off as * does"),
		Remedy: "List the hosts. Where every host is really wanted, do it for pages only and keep the rest: <access " +
			"origin=\"*\" allows-arbitrary-loads-in-web-content=\"true\"/>.",
		check: checkATSDisabled,
	},
	{
		ID: "launch-external-cleartext", Severity: Medium, Topic: TopicBuild,
		Title: "An external entry opens cleartext",
		Explanation: "cordova-ios does not look at launch-external: an http origin that was only meant for the " +
			"browser becomes an exception that allows insecure loads.",
		Gain:    "Reading and changing what the app itself sends to that host.",
		Effects: effects("ios 4.0.1+", "NSExceptionAllowsInsecureHTTPLoads for the host"),
		Remedy:  "Use <allow-intent href=\"…\"/>, which prepare leaves alone.",
		check:   checkExternalCleartext,
	},
	{
		ID: "ats-key-never-matches", Severity: Low, Topic: TopicBuild,
		Title: "An exception of App Transport Security never matches",
		Explanation: "cordova-ios writes the entry's host as a key that iOS compares with no host: a wildcard left " +
			"in it, a trailing dot, an IPv6 address.",
		Gain:    "Nothing; the connection that was meant to work is refused.",
		Effects: effects("ios 4.0.1+", "the key stays in Info.plist without effect"),
		Remedy:  "Name the host without a trailing dot and with at most one leading wildcard label.",
		check:   checkATSKey,
	},
	{
		ID: "ats-config-file-wiped", Severity: Medium, Topic: TopicBuild,
		Title: "Settings of App Transport Security are wiped",
		Explanation: "cordova-ios rewrites the whole NSAppTransportSecurity dictionary at every prepare. A " +
			"<config-file> for it is applied once; after the second prepare it is gone, pins included.",
		Gain:    "Connections that were meant to be pinned are not.",
		Effects: effects("ios", "there after the first prepare, gone after the second"),
		Remedy:  "Write the dictionary in an after_prepare hook, every time (cordon export ios-ats gives the content).",
		check:   checkATSConfigFile,
	},
	{
		ID: "weak-tls", Severity: Medium, Topic: TopicBuild,
		Title: "An entry weakens TLS",
		Explanation: "minimum-tls-version below TLSv1.2 or requires-forward-secrecy=\"false\" allow what browsers " +
			"refuse by now.",
		Gain:    "Recorded traffic can be decrypted later, or broken on the way.",
		Effects: effects("ios", "prepare writes the exception for the host", "android", "not read"),
		Remedy:  "Remove the attribute and bring the server up to TLS 1.2.",
		check:   checkWeakTLS,
	},
}
