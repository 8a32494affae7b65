package lint

// pinRules are about certificate pins, and what pins in an app that does not
// use Cordon's yet. Those about time need Project.Now, pin-not-served
// Project.Served.
var pinRules = []Rule{
	{
		ID: "pin-invalid", Severity: High, Topic: TopicPins,
		Title: "A pin cannot be read",
		Explanation: "A <cordon:pin> or a .cer file does not say what it should. Exports stop at it, and the gateway " +
			"and the client close the host that it names.",
		Gain: "Nothing; the host is closed, or with an older build not pinned.",
		Effects: effects("exports", "not written", "gateway, Go client", "the host is closed",
			"cordova-plugin-http and its successor", "pinning fails, or the file is passed over"),
		Remedy: "Write what the message asks for; cordon pin prints the pins of a file or server. In a .cer file " +
			"only DER counts.",
		check: checkPinInvalid,
	},
	{
		ID: "pin-expired", Severity: High, Topic: TopicPins,
		Title: "A pin has expired",
		Explanation: "The day in expires has begun, or the pinned certificate is past its end. Android stops pinning " +
			"the host; Cordon's gateway, client and plugin close it.",
		Gain: "On Android the host is no longer pinned: any authority can vouch for anyone.",
		Effects: effects("android", "the host is not pinned any more", "ios", "pins do not expire: they still count",
			"gateway, Go client, plugin", "the host is closed"),
		Remedy: "Pin the key that the server uses now, and ship the update (cordon pin --write HOST:443).",
		check:  checkPinExpired,
	},
	{
		ID: "pin-expires-soon", Severity: Medium, Topic: TopicPins,
		Title:       "A pin expires within 60 days",
		Explanation: "Apps in the field keep the pins that they were built with, and not everybody updates at once.",
		Gain:        "On Android, from that day on, what unpinned connections give.",
		Effects: effects("android", "not pinned from that day on", "gateway, Go client, plugin",
			"closed from that day on"),
		Remedy: "Ship the next pins now, with a later day.",
		check:  checkPinSoon,
	},
	{
		ID: "pin-no-backup", Severity: Medium, Topic: TopicPins,
		Title: "A pinned host has no backup pin",
		Explanation: "One pin is one key. If it is lost or has to be replaced, every installed app is locked out " +
			"until its update.",
		Gain:    "Nothing by itself; in an emergency the way out is to ship an app without pins.",
		Effects: everywhere("the app cannot reach the host after an unplanned change of the key"),
		Remedy: "Add the pin of a second key that is kept offline, or of another authority (cordon pin --write " +
			"--backup FILE).",
		check: checkPinBackup,
	},
	{
		ID: "pin-host-not-listed", Severity: Low, Topic: TopicPins,
		Title: "A pinned host is on no list",
		Explanation: "Nothing in config.xml lets the app reach the host, so its pins guard nothing; the name may be " +
			"misspelt, and the real host unpinned.",
		Gain:    "If the name is misspelt: connections to the real host that are not pinned.",
		Effects: everywhere("the pins have no effect"),
		Remedy:  "Correct the host, list it, or remove the pins.",
		check:   checkPinListed,
	},
	{
		ID: "pinned-without-certificate", Severity: High, Since: 2, Topic: TopicPins,
		Title: "Pinning is on and no certificate is shipped",
		Explanation: "The code makes a native HTTP plugin trust the shipped certificates alone, and ships no file " +
			"that the plugin loads: one that ends in .cer, in www/certificates.",
		Gain: "Nothing; every request of the plugin fails, and the way out that people find is to switch checks off.",
		Effects: effects("cordova-plugin-advanced-http", "the mode is set without an error, then each request fails",
			"cordova-plugin-http", "on Android the call itself fails; it reads the root of the assets, too"),
		Remedy: "Put the certificate, in DER, into www/certificates with a name that ends in .cer (cordon pin " +
			"FILE reads " +
			"it); a backup beside it.",
		check: checkPinnedWithout,
	},
	{
		ID: "certificate-elsewhere", Severity: Medium, Topic: TopicPins,
		Title: "A certificate lies where no plugin looks",
		Explanation: "The plugins load certificates from www/certificates of the app. A file that is kept or copied " +
			"elsewhere is not trusted, and not missed before a request is made.",
		Gain:    "Nothing; connections that were meant to work are refused.",
		Effects: effects("android, ios", "the file is part of the package at the most, and has no effect"),
		Remedy:  "Keep it in www/certificates, which every platform copies as a part of the pages.",
		check:   checkStrayCertificate,
	},
	{
		ID: "pin-not-served", Severity: High, Topic: TopicPins,
		Title: "The server's chain does not fit its pins",
		Explanation: "What the host showed when it was asked (cordon check --online) has no pinned key in its " +
			"verified chain, or is not trusted at all.",
		Gain:    "Nothing; pinned apps cannot connect. If the server is right and the pins are old, an update is due.",
		Effects: everywhere("pinned connections fail"),
		Remedy:  "Compare with cordon pin HOST:443, and pin what the server really uses, with a backup.",
		check:   checkPinServed,
	},
	{
		ID: "pins-of-http-plugin", Severity: Medium, Topic: TopicPins,
		Title: "An HTTP plugin pins in its own way",
		Explanation: "The pins of these plugins bind their own requests only: the web view's fetch, images and " +
			"scripts are not pinned. The message says what each of them really pins.",
		Gain: "Whatever does not go through the plugin is not pinned.",
		Effects: effects(
			"android", "certificates take the place of the system's roots for the plugin's requests; the network "+
				"security configuration does not bind them",
			"ios", "the plugin's requests only"),
		Remedy: "Add cordova-plugin-cordon, which keeps the interface of cordovaHTTP, and write the pins with cordon " +
			"pin --write; then remove the plugin. Requests then obey CORS (native-request-needs-cors).",
		check: checkHTTPPlugins,
	},
	{
		ID: "native-request-needs-cors", Severity: Info, Topic: TopicPins,
		Title: "A native request would need CORS in a web view",
		Explanation: "Native HTTP plugins do not ask the server whether a page may read its answers. With fetch, " +
			"which cordova-plugin-cordon uses, the server has to allow the app's origin.",
		Gain: "Nothing; the call fails after the change if the server does not agree.",
		Effects: effects("android", "the origin is https://localhost", "ios",
			"the origin is app://localhost, or what the preferences scheme and hostname say", "browser",
			"the origin of the page"),
		Remedy: "Let the server send Access-Control-Allow-Origin for these origins, and allow the headers that the " +
			"app sets.",
		check: checkNeedsCORS,
	},
}
