package lint

// meaningRules are about entries that platforms read differently than they
// look.
var meaningRules = []Rule{
	{
		ID: "access-no-effect", Severity: Low, Topic: TopicMeaning,
		Title: "<access> restricts nothing in the web view",
		Explanation: "The web views of current platforms never ask the list for what pages load: scripts, images, " +
			"XMLHttpRequest, media, WebSocket. The entries look like protection and give none; only a " +
			"Content-Security-Policy restricts these.",
		Gain: "An injected script reaches any server, although the file seems to forbid it.",
		Effects: effects(
			"android 10+", "only native plugins ask the list",
			"ios 4+", "not read at run time; prepare derives App Transport Security from it",
			"wp7, wp8", "only navigation asks"),
		Remedy: "Give the start page a Content-Security-Policy with the same hosts (cordon export csp writes it), or " +
			"send the app's traffic through cordon gateway.",
		check: checkAccessNoEffect,
	},
	{
		ID: "launch-external-grants", Severity: High, Topic: TopicMeaning,
		Title: "launch-external lets the host in",
		Explanation: "The attribute was meant to hand the URL to the browser. Platforms that do not know it read an " +
			"ordinary access entry, and so the host is allowed inside the app.",
		Gain: "The host that was deliberately kept outside may be requested from inside.",
		Effects: effects(
			"android 3.6 to 9", "handed to another app, whatever the value, \"no\" and \"\" included",
			"android to 3.5, android 10+, ios 3.1 to 3.9, blackberry10, wp7, wp8", "allowed inside",
			"ios 4+", "not read; an http origin still becomes an exception of App Transport Security"),
		Remedy: "Write <allow-intent href=\"…\"/> instead (android 4+, ios 4+).",
		check:  checkLaunchGrants,
	},
	{
		ID: "port-read-as-scheme", Severity: Medium, Topic: TopicMeaning,
		Title: "host:port is read as a scheme",
		Explanation: "Without a scheme in front, the text before the colon is itself read as the scheme and the port " +
			"as the host.",
		Gain: "Nothing by itself; the host is not listed, and a wider entry added to make it work lets in more.",
		Effects: effects(
			"android 3.6+, ios 4+", "localhost:3000 is the scheme localhost",
			"ios 8+", "cdn.example:8080 as well",
			"android 3.1 to 3.5", "host and port, as written"),
		Remedy: "Write the scheme: https://cdn.example:8080.",
		check:  checkPortAsScheme,
	},
	{
		ID: "wildcard-top-level", Severity: Medium, Topic: TopicMeaning,
		Title: "A wildcard in the top-level domain",
		Explanation: "*.google.* and http://apache.* worked on iOS before 3.1 only. Elsewhere the entry is dropped, " +
			"cut, or breaks the build; and it would cover names that strangers can register.",
		Gain: "Where it works, registering the name under any other top-level domain is enough.",
		Effects: effects(
			"ios to 3.0", "a list of top-level domains and any two letters",
			"ios 3.1+", "cut: hosts that end in google.",
			"android 3.1+", "dropped without a word",
			"ios 6.3+, prepare", "without a scheme: \"Invalid URL\", the build fails for all platforms"),
		Remedy: "Write one line for each domain.",
		check:  checkWildcardTop,
	},
	{
		ID: "entry-cut", Severity: High, Topic: TopicMeaning,
		Title: "The end of an entry is ignored",
		Explanation: "The platform reads a prefix of the entry and forgets the rest, so it lists something else than " +
			"the text says.",
		Gain:    "Hosts that the author never meant are listed.",
		Effects: effects("ios 3.1+", "cut at the first character that does not fit: http://my*.example is the host my"),
		Remedy:  "Write the entry in the common form: scheme://host, scheme://*.host, an optional port and path.",
		check:   checkEntryCut,
	},
	{
		ID: "entry-dropped", Severity: Medium, Topic: TopicMeaning,
		Title:       "An entry is dropped without a word",
		Explanation: "The platform cannot read the entry and goes on without it.",
		Gain:        "Nothing by itself; a wider entry added to make things work lets in more.",
		Effects: effects(
			"android 3.1+", "what does not fit the grammar as a whole",
			"wp7, wp8", "what is not an absolute URL", "tizen, w3c", "what has more than scheme, host and port"),
		Remedy: "Write the entry in the common form: scheme://host, scheme://*.host, an optional port and path.",
		check:  checkEntryDropped,
	},
	{
		ID: "entry-rewritten", Severity: Medium, Topic: TopicMeaning,
		Title:       "An entry is read as something else",
		Explanation: "The platform reads the entry, but not as the text says.",
		Gain:        "Hosts that the author never meant may be listed, and the one that was meant is not.",
		Effects:     everywhere("see the message: it names the platform and what it reads"),
		Remedy:      "Write the entry in the common form: scheme://host, scheme://*.host, an optional port and path.",
		check:       checkEntryRewritten,
	},
	{
		ID: "unreachable-rule", Severity: Medium, Topic: TopicMeaning,
		Title:       "An entry can never match",
		Explanation: "The platform keeps the entry, but no URL can match it.",
		Gain:        "Nothing by itself; a wider entry added to make things work lets in more.",
		Effects: effects(
			"android 3.1+", "user@host, a query in the path",
			"ios 3.1+", "a path that ends in a slash",
			"wp7, wp8", "a wildcard in the path: https://h/* matches no real URL",
			"blackberry10 before 3.8", "http://*.h is a host called *.h"),
		Remedy: "See the message; usually: leave out the path.",
		check:  checkUnreachable,
	},
	{
		ID: "entry-without-effect", Severity: Low, Topic: TopicMeaning,
		Title:       "No platform of the project reads an entry",
		Explanation: "None of the platforms that the app ships to knows the element, at its version.",
		Gain:        "Nothing by itself; the list looks like protection and gives none.",
		Effects: effects(
			"android before 4, ios before 4, amazon-fireos, blackberry10, wp7, wp8",
			"allow-navigation and allow-intent are unknown", "ios 4+", "access is not read at run time"),
		Remedy: "Use the elements that the platform's version knows, or remove the entry.",
		check:  checkWithoutEffect,
	},
	{
		ID: "entry-not-strict", Severity: Low, Topic: TopicMeaning,
		Title: "The strict reading refuses an entry",
		Explanation: "Cordon's gateway, client and exports read the list strictly and never take a line that does " +
			"not fit for an allowance. The platforms read this one; Cordon goes on without it.",
		Gain:    "Nothing; what the entry allows is refused on the wire.",
		Effects: effects("cordon", "the line grants nothing; gateway --strict refuses to start"),
		Remedy:  "Write the entry in the common form; cordon migrate --to cordon does most of it.",
		check:   checkNotStrict,
	},
	{
		ID: "entry-unverified", Severity: Info, Topic: TopicMeaning,
		Title: "Nobody knows how the platform reads an entry",
		Explanation: "How the platform reads this entry could not be established; Cordon treats it as granting " +
			"nothing.",
		Gain:    "Unknown.",
		Effects: effects("windows, tizen", "parts of the system's own behaviour are not documented"),
		Remedy:  "Write the entry in the common form.",
		check:   checkUnverified,
	},
	{
		ID: "subdomains-ignored", Severity: Low, Topic: TopicMeaning,
		Title: "subdomains is ignored",
		Explanation: "subdomains=\"true\" is W3C's way to cover the names below a host. Several platforms read the " +
			"attribute and do nothing with it.",
		Gain: "Nothing by itself; a catch-all added to make things work lets in everything.",
		Effects: effects(
			"android 3.1+, ios 3.1+, wp7, wp8", "ignored: only the host itself is listed",
			"android to 3.0, blackberry10, tizen, w3c, cordon", "covers the names below"),
		Remedy: "Add a line https://*.host for the platforms that ignore it.",
		check:  checkSubdomainsIgnored,
	},
	{
		ID: "expression-unanchored", Severity: High, Topic: TopicMeaning,
		Title: "An entry is searched as a regular expression",
		Explanation: "The platform turns the entry into an expression without an end, or without an escape, and so " +
			"it also covers URLs of other hosts.",
		Gain: "A host such as bank.example.evil.test, or a URL with the right text in its query, is inside the list.",
		Effects: effects(
			"android 2.x, 3.0", "no end: http://bank.example also passes http://bank.example.evil.test/",
			"wp7, wp8", "*.h also matches xh, and a path or query that contains .h/",
			"blackberry10", "compared by suffix of the authority's text"),
		Remedy: "End the origin in a slash where the platform reads the path (http://bank.example/), list no " +
			"wildcards there, or stop shipping to the platform.",
		check: checkUnanchored,
	},
	{
		ID: "content-lists-host", Severity: Info, Topic: TopicMeaning,
		Title: "The start page's name is listed as a host",
		Explanation: "Android puts the value of <content src> into its navigation list as it is. A file name has no " +
			"scheme, and so it becomes http and https on a host of that name.",
		Gain: "On a network whose name service answers for such a name, its pages may open inside the app.",
		Effects: effects("android 4+", "index.html lists http://index.html and https://index.html", "ios",
			"no start page entry"),
		Remedy: "Leave <content> out: index.html is the default.",
		check:  checkContentHost,
	},
	{
		ID: "scheme-missing", Severity: Low, Topic: TopicMeaning,
		Title: "An entry without a scheme",
		Explanation: "Platforms disagree on what an entry without a scheme means, and most of them include " +
			"cleartext http.",
		Gain: "Where http is included: reading and changing what is sent.",
		Effects: effects(
			"android 3.1+, ios 3.1+", "http and https",
			"ios to 3.0", "http, https, ftp and ftps",
			"blackberry10", "the build fails", "wp7, wp8, tizen, w3c", "dropped", "cordon", "https and wss"),
		Remedy: "Write https:// in front.",
		check:  checkSchemeMissing,
	},
	{
		ID: "idn-not-converted", Severity: Low, Topic: TopicMeaning,
		Title: "An international name that is not converted",
		Explanation: "Web views convert international host names to punycode before they ask; most lists compare the " +
			"text as written and never match.",
		Gain: "Nothing by itself; the host is not listed.",
		Effects: effects("android, ios, blackberry10", "compared as written: never matches", "w3c, tizen, cordon",
			"converted"),
		Remedy: "List the punycode form (xn--…).",
		check:  checkIDN,
	},
	{
		ID: "navigation-swallows-intent", Severity: Medium, Topic: TopicMeaning,
		Title: "allow-navigation swallows allow-intent",
		Explanation: "The same URLs are listed to open inside and to be handed outside. The platform asks the " +
			"navigation list first, so they open inside.",
		Gain: "Pages that were meant for the browser open inside the app, next to its plugins.",
		Effects: effects(
			"android 4+, ios 4.2+", "inside wins", "ios 4.0, 4.1", "outside wins",
			"android 3.6 to 3.7", "an http or https URL on both lists opens inside"),
		Remedy: "Remove the navigation entry, or make it name only what must open inside.",
		check:  checkSwallowed,
	},
}
