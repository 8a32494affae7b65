package lint

// noEffectRules are about entries that do nothing, or nothing new.
var noEffectRules = []Rule{
	{
		ID: "duplicate-rule", Severity: Low, Topic: TopicMeaning,
		Title: "An entry is there twice",
		Explanation: "The same element with the same value stands in the file before. It changes nothing and hides " +
			"what the list really is.",
		Gain:    "Nothing by itself; when the host is removed one day, the second copy keeps it listed.",
		Effects: everywhere("the second copy has no effect"),
		Remedy:  "Remove the second copy (cordon fix does).",
		check:   checkDuplicate,
	},
	{
		ID: "shadowed-rule", Severity: Low, Topic: TopicMeaning,
		Title: "A wider entry already covers this one",
		Explanation: "Everything that the entry covers is covered by another one of the same kind, so it has " +
			"no effect.",
		Gain:    "Nothing by itself; the list looks stricter than it is.",
		Effects: everywhere("the wider entry decides; there are no exceptions on any platform"),
		Remedy:  "Remove the entry, or better the wider one.",
		check:   checkShadowed,
	},
	{
		ID: "unknown-platform-scope", Severity: Medium, Topic: TopicMeaning,
		Title: "Entries inside a <platform> that does not exist",
		Explanation: "prepare hands the children of <platform name=\"…\"> to the platform of exactly that name. No " +
			"platform has this one.",
		Gain:    "Nothing by itself; a restriction that was meant does not exist.",
		Effects: everywhere("the entries have no effect"),
		Remedy:  "Write the name as Cordova does: android, ios, browser, electron, windows, … in lower case.",
		check:   checkUnknownScope,
	},
	{
		ID: "misplaced-entry", Severity: Medium, Topic: TopicMeaning,
		Title: "An entry in the wrong place",
		Explanation: "Entries count as children of <widget> or of <platform> in it. Inside another element prepare " +
			"does not see them, while some platforms' own readers do.",
		Gain: "Nothing by itself; what the file seems to say and what platforms do differ.",
		Effects: effects(
			"android", "the reader on the device takes elements at any depth: the entry counts",
			"ios, every prepare", "not seen"),
		Remedy: "Move the entry up to be a child of <widget>.",
		check:  checkMisplaced,
	},
	{
		ID: "unknown-list-element", Severity: Medium, Topic: TopicMeaning,
		Title:       "A misspelt element",
		Explanation: "The element's name is close to one of the list's but is not one, so no platform reads it.",
		Gain:        "Nothing by itself; a restriction that was meant does not exist.",
		Effects:     everywhere("the element has no effect"),
		Remedy:      "Write access, allow-navigation or allow-intent, in lower case.",
		check:       checkUnknownElement,
	},
	{
		ID: "missing-attribute", Severity: Medium, Topic: TopicMeaning,
		Title: "An entry without its attribute",
		Explanation: "access needs origin, allow-navigation and allow-intent need href. Without it the entry lists " +
			"nothing, and some tools fail. What stands in another attribute beside it (href on access, origin or uri " +
			"on allow-navigation and allow-intent) is not read either.",
		Gain: "Nothing by itself; a rule that was meant does not exist.",
		Effects: effects(
			"android, ios", "skipped at run time",
			"ios 6.3+", "an access element without origin, or an allow-navigation without href, makes cordova "+
				"prepare fail for all platforms"),
		Remedy: "Write the attribute, one element for each address, or remove the element.",
		check:  checkMissingAttribute,
	},
	{
		ID: "uri-attribute", Severity: Medium, Topic: TopicMeaning,
		Title: "uri= instead of origin=",
		Explanation: "Only BlackBerry 10 reads the attribute uri. If one entry of the file has it, BlackBerry reads " +
			"no origin at all.",
		Gain: "Nothing by itself; a rule that was meant does not exist on most platforms.",
		Effects: effects(
			"blackberry10", "read; while it is there, origin attributes are not",
			"ios 6.3+", "cordova prepare fails for all platforms", "the others", "skipped"),
		Remedy: "Write origin= unless the app ships to BlackBerry 10 before 3.1 only.",
		check:  checkURIAttribute,
	},
	{
		ID: "blank-in-entry", Severity: Medium, Topic: TopicMeaning,
		Title: "Blank space in an entry",
		Explanation: "Blank space at the ends or inside the value is part of it on most platforms, so no real URL " +
			"matches.",
		Gain: "Nothing by itself; a rule that was meant does not exist.",
		Effects: effects(
			"android 3.1+, ios 3.1+", "the blank belongs to the host: never matches",
			"cordon", "the line is refused"),
		Remedy: "Remove the blanks.",
		check:  checkBlank,
	},
}
