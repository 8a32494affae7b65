package lint

// listlessRules are about platforms that never look at a list.
var listlessRules = []Rule{
	{
		ID: "platform-enforces-nothing", Severity: Low, Topic: TopicOther,
		Title: "A platform enforces no list at all",
		Explanation: "The platform carries config.xml along and never looks at it. Only a Content-Security-Policy " +
			"restricts the app there, and the start page has none.",
		Gain:    "An injected script reaches any server.",
		Effects: effects("browser, electron, firefoxos, osx", "no access or navigation check exists"),
		Remedy:  "Give the start page a Content-Security-Policy.",
		check:   checkEnforcesNothing,
	},
}

// projectRules are about what the rules could not look at, and about what
// Cordon itself is told in comments.
var projectRules = []Rule{
	{
		ID: "file-not-read", Severity: Info, Topic: TopicOther,
		Title: "A file was not looked at",
		Explanation: "The file is too large, malformed, or code that would have to be run (capacitor.config.ts), so " +
			"the rules have not seen it.",
		Gain:    "Unknown.",
		Effects: everywhere("nothing is said about the file"),
		Remedy:  "See the message; for capacitor.config.ts check the copy that cap copy writes below android/ or ios/.",
		check:   checkNotRead,
	},
	{
		ID: "suppression-invalid", Severity: Low, Topic: TopicOther,
		Title: "A suppression that does not count",
		Explanation: "<!-- cordon:ignore RULE-ID reason --> needs the id of a rule and a reason. Without them it " +
			"suppresses nothing.",
		Gain:    "Nothing.",
		Effects: everywhere("the finding stays"),
		Remedy:  "Write the rule's id and say why the finding does not matter here.",
	},
	{
		ID: "suppression-unused", Severity: Info, Topic: TopicOther,
		Title: "A suppression without a finding",
		Explanation: "The comment names a rule that finds nothing there. A comment that stays behind will hide the " +
			"next finding.",
		Gain:    "Nothing.",
		Effects: everywhere("none"),
		Remedy:  "Remove the comment.",
	},
}
