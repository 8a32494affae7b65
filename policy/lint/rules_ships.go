package lint

// shipsRules are about what could not be established of the app that ships, and
// where what was built differs from what is written.
var shipsRules = []Rule{
	{
		ID: "pages-not-found", Severity: Medium, Topic: TopicOther,
		Title: "No page of the app was found",
		Explanation: "No page of the app was read: they are not built yet, or they are " +
			"somewhere else. The Content-Security-Policy of its pages, and what their scripts do, was not " +
			"looked at, so that " +
			"a report without other findings says little.",
		Gain:    "Unknown: what the pages load and who may run script in them.",
		Effects: everywhere("nothing is said about pages and scripts"),
		Remedy:  "Build the app first, or name the folder that has its config.xml and pages.",
		check:   checkPagesFound,
	},
	{
		ID: "facts-unknown", Severity: Medium, Topic: TopicOther,
		Title: "What ships could not be established",
		Explanation: "A file that says where the app may go could not be read, or a value in it is computed by code. " +
			"So may be a value of a native file: a reference (@bool/x), a placeholder of Gradle (${x}), a build " +
			"setting of Xcode ($(X)) or a plugin's variable whose value is not written out in the project. " +
			"What it adds is not in the list that everything is decided over, so that a verdict may be another " +
			"one in the " +
			"app that ships.",
		Gain:    "Unknown: entries that nobody judged.",
		Effects: everywhere("nothing is said about what stands there"),
		Remedy: "Mend the file, write the value out, or make the copy that the tools evaluate (npx cap copy, cordova " +
			"prepare).",
		check: checkFactsKnown,
	},
	{
		ID: "config-switched", Severity: Low, Topic: TopicOther,
		Title: "A condition chooses a value of the configuration",
		Explanation: "The configuration is code that chooses between values, by an environment or a flavour. " +
			"Which of them " +
			"ships depends on how the app is built; the one that opens more is judged, as if it shipped.",
		Gain:    "What the wider value opens, where a build takes it by mistake.",
		Effects: everywhere("all of the values are judged together"),
		Remedy:  "Keep values for development out of the file that releases are built from.",
		check:   checkSwitched,
	},
	{
		ID: "hook-not-judged", Severity: Low, Since: 2, Topic: TopicOther,
		Title: "A program that runs while the app is made may change what ships",
		Explanation: "A hook runs with everything that the build may do: it may rewrite the built config.xml, a " +
			"manifest or the pages. It is not run and not judged here, so that what the rules say is said of the " +
			"files as they are written.",
		Gain:    "What the hook opens, where it opens something.",
		Effects: everywhere("the built app may differ from what is judged"),
		Remedy: "Read the hook. Judge what is built: cordon check of the package, or of the project once its " +
			"platforms are built.",
		check: checkHooks,
	},
	{
		ID: "built-config-differs", Severity: Medium, Topic: TopicBuild,
		Title: "A platform's own copy of the configuration says what the project does not",
		Explanation: "The config.xml below platforms/, and in a Capacitor app the capacitor.config.json below " +
			"its platforms' folders, is what the app ships with. An entry or a value stands in it that neither " +
			"the project's configuration nor a plugin that was found adds: it was left by an earlier build, or " +
			"is added by a hook.",
		Gain: "What the entry opens, although nobody sees it in the project.",
		Effects: effects("android, ios", "the built file is what the app reads",
			"capacitor-android, capacitor-ios", "the copy is what the app reads"),
		Remedy: "Cordova: find what adds the entry, or remove the platform and add it again, then cordova prepare. " +
			"Capacitor: npx cap copy.",
		check: checkBuiltConfig,
	},
	{
		ID: "built-config-wider", Severity: High, Topic: TopicBuild,
		Title: "A platform's own copy of the configuration opens what the project does not",
		Explanation: "The config.xml below platforms/, and in a Capacitor app the capacitor.config.json below " +
			"its platforms' folders, is what the app ships with. An entry or a value of it that neither the " +
			"project's configuration nor a plugin that was found adds lets something in.",
		Gain: "What the entry opens, although nobody sees it in the project.",
		Effects: effects("android, ios", "the built file is what the app reads",
			"capacitor-android, capacitor-ios", "the copy is what the app reads"),
		Remedy: "Cordova: find what adds the entry, or remove the platform and add it again, then cordova prepare. " +
			"Capacitor: npx cap copy.",
		check: checkBuiltWider,
	},
}
