package lint

// sourceRules are about what the app's own pages and scripts do.
var sourceRules = []Rule{
	{
		ID: "source-cleartext-script", Severity: High, Topic: TopicSource,
		Title:       "Code is loaded unencrypted",
		Explanation: "A page loads a script, style or frame over http.",
		Gain:        "Everyone on the way puts code into the app, with its plugins.",
		Effects: effects("android",
			"blocked as mixed content on an https page, unless the app allows it; loaded on an http or file page",
			"ios", "blocked by App Transport Security unless an entry lists the host as http"),
		Remedy: "Ship the file with the app, or load it over https.",
		check:  checkCleartextScript,
	},
	{
		ID: "source-cleartext-url", Severity: Medium, Topic: TopicSource,
		Title:       "A cleartext URL in the sources",
		Explanation: "The app's own code names an http or ws URL to talk to.",
		Gain:        "Everyone on the way reads and changes what is sent.",
		Effects:     everywhere("unencrypted, where the platform lets it pass"),
		Remedy:      "Write https:// or wss://.",
		check:       checkCleartextURL,
	},
	{
		ID: "source-host-not-listed", Severity: Low, Topic: TopicSource,
		Title: "The sources name a host that is on no list",
		Explanation: "The app's own code names a host that no entry of config.xml covers, on none of the project's " +
			"platforms and not in the strict reading.",
		Gain: "Nothing by itself; either the call fails, or the list is not what keeps the app in.",
		Effects: effects("android before 10, ios before 4, blackberry10, cordon gateway", "the request is refused",
			"android 10+, ios 4+", "the request passes unless the page's policy refuses it"),
		Remedy: "List the host if the app needs it; remove the code if it does not.",
		check:  checkHostNotListed,
	},
	{
		ID: "source-remote-script", Severity: Medium, Topic: TopicSource,
		Title: "Code is loaded from another server",
		Explanation: "A page loads a script from a server at run time, without an integrity attribute that fixes its " +
			"content.",
		Gain:    "Whoever changes the file on that server has the app, with its plugins.",
		Effects: everywhere("the script runs with everything that the page may do"),
		Remedy:  "Ship the file with the app, or add integrity=\"sha384-…\" crossorigin=\"anonymous\".",
		check:   checkRemoteScript,
	},
	{
		ID: "source-userinfo", Severity: High, Topic: TopicSource,
		Title: "A URL with user name and password",
		Explanation: "The sources contain a URL with credentials in it. They ship with every copy of the app, and " +
			"web views refuse or forget them.",
		Gain:    "Unpacking the app is enough to use the credentials.",
		Effects: everywhere("the credentials can be read from the package"),
		Remedy:  "Change the password. Let users sign in, and send a token in a header.",
		check:   checkSourceUserinfo,
	},
	{
		ID: "source-basic-auth", Severity: Medium, Topic: TopicSource,
		Title: "Basic authentication",
		Explanation: "The code authenticates with a user name and password on every request. A fixed pair ships with " +
			"the app; a typed one has to be kept.",
		Gain:    "One recorded or logged request gives the password, not just a session.",
		Effects: everywhere("the password goes along with every request"),
		Remedy:  "Sign in once and use a token that expires (cordon serve offers sign-in and tokens).",
		check:   checkBasicAuth,
	},
	{
		ID: "source-embedded-key", Severity: High, Topic: TopicSource,
		Title: "A key or password in the sources",
		Explanation: "The sources contain something that looks like a key, password or token. www/ is packed into " +
			"every copy of the app.",
		Gain:    "Unpacking the app is enough to use it.",
		Effects: everywhere("www/ can be read from the package"),
		Remedy: "Revoke it. Keep it on a server, and let the app ask that server (cordon serve keeps such secrets " +
			"for services).",
		check: checkEmbeddedKey,
	},
	{
		ID: "source-token-in-query", Severity: Medium, Topic: TopicSource,
		Title:       "A token or password in a query string",
		Explanation: "Query strings end up in logs of servers and proxies, in histories and in Referer headers.",
		Gain:        "Reading a log is enough to act as the user.",
		Effects:     everywhere("logged along the way"),
		Remedy:      "Send it in a header (Authorization: Bearer …) or in the body.",
		check:       checkTokenInQuery,
	},
	{
		ID: "source-token-in-storage", Severity: Medium, Topic: TopicSource,
		Title: "A token or password in localStorage",
		Explanation: "localStorage is a plain file of the app; every script of the page reads it, and backups " +
			"contain it.",
		Gain: "One injected script, or a backup of the device, gives the session.",
		Effects: effects("android", "a database in the app's data, in backups unless excluded", "ios",
			"a database in the app's library, in backups"),
		Remedy: "Keep it in the key store (a secure-storage plugin), or in memory for the session.",
		check:  checkTokenInStorage,
	},
	{
		ID: "source-tls-check-off", Severity: Critical, Topic: TopicSource,
		Title:       "The code switches certificate checks off",
		Explanation: "The call makes a native HTTP plugin accept every certificate or every host name.",
		Gain:        "Reading and changing everything that goes through the plugin, on any network, unnoticed.",
		Effects:     effects("android, ios", "every later request of the plugin, to every host"),
		Remedy: "Remove the call. For a private CA or pinning use the mode pinned with the certificate in " +
			"www/certificates.",
		check: checkTLSOff,
	},
}
