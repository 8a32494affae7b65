package lint

// cspRules are about what a page's Content-Security-Policy lets in.
var cspRules = []Rule{
	{
		ID: "csp-missing", Severity: Medium, Topic: TopicCSP,
		Title: "The start page has no Content-Security-Policy",
		Explanation: "Where the platform asks no list for what pages load, the policy of the page is the only " +
			"barrier, and this page has none.",
		Gain: "An injected script runs, loads more code from anywhere and sends data anywhere.",
		Effects: effects("android 10+, ios 4+, wp7, wp8, browser, electron",
			"nothing else restricts scripts, requests, images, media and WebSockets"),
		Remedy: "Add <meta http-equiv=\"Content-Security-Policy\" content=\"…\"> as the first element of the head; " +
			"where the app has a config.xml, cordon export csp writes one from it.",
		check: checkCSPMissing,
	},
	{
		ID: "csp-not-on-start-page", Severity: Medium, Topic: TopicCSP,
		Title:       "Only another page has a Content-Security-Policy",
		Explanation: "A policy in a meta element holds for its own page. The page that the app starts with has none.",
		Gain:        "As without any policy, on the page that matters.",
		Effects:     everywhere("the start page is unprotected"),
		Remedy:      "Put the policy into the start page as well.",
		check:       checkCSPElsewhere,
	},
	{
		ID: "csp-missing-on-page", Severity: Low, Topic: TopicCSP,
		Title:       "A further page has no Content-Security-Policy",
		Explanation: "The start page has a policy, this page of the app has none. A policy ends with its page.",
		Gain:        "A script that gets into this page, or a link that leads to it, escapes the policy.",
		Effects:     everywhere("the page is unprotected"),
		Remedy:      "Put the same policy into every page, or make the app a single page.",
		check:       checkCSPMissingOnPage,
	},
	{
		ID: "kinds-bypass-list", Severity: Medium, Topic: TopicCSP,
		Title: "Requests pass that neither the list nor the page restricts",
		Explanation: "Platforms of the project never ask the list for these kinds of request, and the start page's " +
			"policy lets them go anywhere too.",
		Gain: "Data leaves, and code enters, through a kind of request that nobody watches.",
		Effects: effects(
			"android", "media and WebSocket on every version, everything but navigation from 10 on",
			"ios 4+", "everything but navigation", "wp7, wp8", "everything but navigation"),
		Remedy: "Name the hosts in the directives that the message lists, or give default-src 'self'.",
		check:  checkKindsBypass,
	},
	{
		ID: "csp-weaker-than-list", Severity: Medium, Topic: TopicCSP,
		Title: "The page lets in hosts that the list does not",
		Explanation: "The policy names a host that no entry of config.xml covers. In a web view that never asks the " +
			"list, the policy wins.",
		Gain: "A host that nobody approved in the list is reachable.",
		Effects: effects("android 10+, ios 4+", "the host is reachable", "older platforms, cordon gateway",
			"the list refuses it"),
		Remedy: "Remove the source, or list the host in config.xml if it is needed.",
		check:  checkCSPWeaker,
	},
	{
		ID: "csp-stronger-than-list", Severity: Info, Topic: TopicCSP,
		Title: "The list names hosts that the page refuses",
		Explanation: "No directive of the policy lets pages load anything from these hosts, so for pages the entries " +
			"have no effect.",
		Gain:    "Nothing; the list is longer than it needs to be, or the page shorter.",
		Effects: everywhere("the web view refuses before the list is asked; native plugins still reach the host"),
		Remedy:  "Remove the entries, or name the hosts in the policy.",
		check:   checkCSPStronger,
	},
	{
		ID: "csp-unsafe-inline", Severity: Medium, Topic: TopicCSP,
		Title: "The policy lets inline scripts run",
		Explanation: "'unsafe-inline' for scripts lets every script run that gets into the page's HTML, which is " +
			"what a policy is there to stop.",
		Gain:    "Any injected <script> or onclick runs.",
		Effects: everywhere("inline scripts run"),
		Remedy:  "Move scripts into files and remove 'unsafe-inline' from script-src (and from default-src).",
		check:   checkUnsafeInline,
	},
	{
		ID: "csp-nonce", Severity: Medium, Topic: TopicCSP,
		Title: "A nonce in a packaged page is public",
		Explanation: "A nonce protects a page that a server makes anew for each request. A packaged page is the " +
			"same for " +
			"everybody who has the app, so the nonce is known, and with it any inline script runs.",
		Gain:    "An injected <script nonce=\"…\"> runs, as with 'unsafe-inline'.",
		Effects: everywhere("scripts and styles with the nonce run"),
		Remedy: "Remove the nonce: cordon export csp allows the inline scripts and styles of a page by their hashes " +
			"instead.",
		check: checkNonce,
	},
	{
		ID: "csp-unsafe-inline-style", Severity: Info, Topic: TopicCSP,
		Title:       "The policy lets inline styles apply",
		Explanation: "'unsafe-inline' for styles lets injected styles apply. The default template of Cordova has it.",
		Gain:        "Styles can hide or imitate parts of a page, and read some values by selectors.",
		Effects:     everywhere("inline styles apply"),
		Remedy:      "Move styles into files and remove 'unsafe-inline' from style-src.",
		check:       checkUnsafeInlineStyle,
	},
	{
		ID: "csp-unsafe-eval", Severity: Medium, Topic: TopicCSP,
		Title: "The policy lets text become code",
		Explanation: "'unsafe-eval' lets eval and new Function run text. The default template of Cordova has it; few " +
			"libraries still need it.",
		Gain:    "Text from a server or a link that reaches eval runs.",
		Effects: everywhere("eval and new Function work"),
		Remedy:  "Remove 'unsafe-eval'; where WebAssembly needs it, 'wasm-unsafe-eval' is enough.",
		check:   checkUnsafeEval,
	},
	{
		ID: "csp-media-any", Severity: Low, Topic: TopicCSP,
		Title: "The policy lets media come from anywhere",
		Explanation: "media-src * is in the default template of Cordova. No platform's list asks for media, so " +
			"nothing else restricts it.",
		Gain:    "A request to any server, with data in its address.",
		Effects: effects("android, ios", "<video> and <audio> load from every host; no list is asked on any version"),
		Remedy:  "Write media-src 'self' and the hosts that are needed.",
		check:   checkMediaAny,
	},
	{
		ID: "csp-wildcard", Severity: Medium, Topic: TopicCSP,
		Title:       "A directive covers every host",
		Explanation: "*, https: or http: in a directive covers every host, so that it restricts nothing.",
		Gain:        "Data can be sent anywhere; with script-src or default-src, code can come from anywhere.",
		Effects:     everywhere("the directive restricts nothing"),
		Remedy:      "Name the hosts.",
		check:       checkCSPWildcard,
	},
	{
		ID: "csp-cleartext-source", Severity: Low, Topic: TopicCSP,
		Title:       "The policy names a cleartext source",
		Explanation: "A source with http: or ws: lets content load unencrypted.",
		Gain:        "Reading and changing that content on the way.",
		Effects:     everywhere("cleartext loads pass the policy"),
		Remedy:      "Write https:// and wss://.",
		check:       checkCSPCleartext,
	},
	{
		ID: "csp-data-script", Severity: Medium, Topic: TopicCSP,
		Title: "The policy lets data: or blob: be scripts",
		Explanation: "With data: (or blob:, filesystem:) among the sources of scripts, text in a URL is code, as " +
			"with 'unsafe-inline'.",
		Gain:    "An injected <script src=\"data:…\"> runs.",
		Effects: everywhere("scripts run from data: URLs"),
		Remedy:  "Remove data: from script-src; if it stands in default-src, give a script-src of its own.",
		check:   checkDataScript,
	},
	{
		ID: "csp-no-base-uri", Severity: Info, Topic: TopicCSP,
		Title: "The policy has no base-uri",
		Explanation: "base-uri does not fall back to default-src. Without it an injected <base> moves every relative " +
			"URL of the page.",
		Gain:    "Relative scripts are looked for at another allowed place.",
		Effects: everywhere("<base> works"),
		Remedy:  "Add base-uri 'none' or 'self'.",
		check:   checkBaseURI,
	},
}

// cspFormRules are about policies that a browser does not read as meant.
var cspFormRules = []Rule{
	{
		ID: "csp-report-only", Severity: High, Topic: TopicCSP,
		Title:       "A report-only policy in a meta element",
		Explanation: "Content-Security-Policy-Report-Only is ignored in a meta element: it neither blocks nor reports.",
		Gain:        "As without any policy.",
		Effects:     everywhere("ignored"),
		Remedy:      "Write http-equiv=\"Content-Security-Policy\".",
		check:       checkReportOnly,
	},
	{
		ID: "csp-outside-head", Severity: High, Topic: TopicCSP,
		Title:       "The policy stands outside the head",
		Explanation: "A browser ignores a Content-Security-Policy meta element that is not in the head.",
		Gain:        "As without any policy.",
		Effects:     everywhere("ignored"),
		Remedy:      "Make it the first element of the head.",
		check:       checkOutsideHead,
	},
	{
		ID: "csp-after-content", Severity: Medium, Topic: TopicCSP,
		Title: "The policy stands after content that it should govern",
		Explanation: "A policy in a meta element holds for what comes after it. Scripts and styles before it are not " +
			"governed.",
		Gain:    "What loads before the policy escapes it.",
		Effects: everywhere("earlier scripts and styles load unrestricted"),
		Remedy:  "Make it the first element of the head.",
		check:   checkAfterContent,
	},
	{
		ID: "csp-ignored-directive", Severity: Low, Topic: TopicCSP,
		Title:       "A directive has no effect in a meta element",
		Explanation: "frame-ancestors, sandbox and report-uri count in an HTTP header only.",
		Gain:        "Nothing by itself; a restriction that was meant does not exist.",
		Effects:     everywhere("ignored"),
		Remedy:      "Remove the directive.",
		check:       checkIgnoredDirective,
	},
	{
		ID: "csp-repeated-directive", Severity: Low, Topic: TopicCSP,
		Title:       "A directive is there twice",
		Explanation: "Of two directives of the same name a browser takes the first and ignores the other.",
		Gain:        "Nothing by itself; what the second one says has no effect.",
		Effects:     everywhere("the second one is ignored"),
		Remedy:      "Write one directive with all sources.",
		check:       checkRepeatedDirective,
	},
	{
		ID: "csp-unknown-directive", Severity: Low, Topic: TopicCSP,
		Title:       "A directive that no browser knows",
		Explanation: "The name is not one of Content Security Policy; a browser ignores the directive.",
		Gain:        "Nothing by itself; a restriction that was meant does not exist.",
		Effects:     everywhere("ignored"),
		Remedy:      "Correct the name: directives end in -src, and words are joined by hyphens.",
		check:       checkUnknownDirective,
	},
	{
		ID: "csp-unquoted-keyword", Severity: Medium, Topic: TopicCSP,
		Title: "A keyword without its quotes",
		Explanation: "self, none, unsafe-inline and the other keywords need single quotes; without them each is the " +
			"name of a host.",
		Gain:    "A host of that name is let in, and what was meant is not said.",
		Effects: everywhere("read as a host name"),
		Remedy:  "Write 'self', 'none', … in single quotes.",
		check:   checkUnquoted,
	},
}
