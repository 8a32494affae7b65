package repair_test

import "github.com/cordon-sec/cordon/project/repair"

// engines are the platforms of most repairs.
const engines = `<engine name="android" spec="9.0.0"/><plugin name="cordova-plugin-whitelist"/>`

// repairs are entries of one rule, before and after.
var repairs = []struct {
	name, rule, before, want string
	more                     []string
	left                     bool
}{
	{
		name: "a second copy goes, line and all", rule: "duplicate-rule",
		before: "<widget>" + engines + "\r\n\t<access origin=\"https://a.example\"/><!-- ours -->\r\n" +
			"\t<access origin=\"https://a.example\"/>\r\n</widget>",
		want: "<widget>" + engines + "\r\n\t<access origin=\"https://a.example\"/><!-- ours -->\r\n</widget>",
	},
	{
		name: "a catch-all becomes what pages use", rule: "access-catch-all",
		before: "<widget>" + engines + "\n  <access origin='*' />\n</widget>",
		want: "<widget>" + engines +
			"\n  <access origin='https://cdn.example' />\n  <access origin='https://api.example' />\n</widget>",
		more: []string{"www/index.html", `<!doctype html><script ` +
			`src="https://cdn.example/x.js"></script><script>fetch("https://api.example/v1")</script>`},
	},
	{
		name: "a catch-all stays where nothing is known of hosts", rule: "access-catch-all",
		before: "<widget>" + engines + "<access origin=\"*\"/></widget>",
		want:   "<widget>" + engines + "<access origin=\"*\"/></widget>",
	},
	{
		name: "a mixed entry keeps its encrypted half", rule: "cleartext-origin",
		before: "<widget>" + engines + "<access origin=\"*://a.example/*\"/></widget>",
		want:   "<widget>" + engines + "<access origin=\"https://a.example/*\"/></widget>",
	},
	{
		name: "http goes where https is listed", rule: "cleartext-origin",
		before: "<widget>" + engines +
			"<access origin=\"https://a.example/*\"/>\n<access origin=\"http://a.example/*\"/></widget>",
		want: "<widget>" + engines + "<access origin=\"https://a.example/*\"/>\n</widget>",
	},
	{
		name: "http stays where https is not", rule: "cleartext-origin",
		before: "<widget>" + engines + "<access origin=\"http://a.example/*\"/></widget>",
		want:   "<widget>" + engines + "<access origin=\"http://a.example/*\"/></widget>",
	},
	{
		name: "a trap that grants access says what was meant", rule: "launch-external-grants", left: true,
		before: "<widget><engine name=\"android\" spec=\"12.0.0\"/>\n" +
			"  <access origin=\"https://a.example/*\" launch-external=\"yes\"/>\n</widget>",
		want: "<widget><engine name=\"android\" spec=\"12.0.0\"/>\n" +
			"  <access origin=\"https://a.example/*\" launch-external=\"yes\"/>\n</widget>",
	},
	{
		name: "an entry that names nothing goes", rule: "entry-dropped",
		before: "<widget>" + engines + "\n  <access origin=\"://*.*\"/>\n</widget>",
		want:   "<widget>" + engines + "\n</widget>",
	},
	{
		name: "an entry that nothing can match and that names a host stays", rule: "entry-dropped", left: true,
		before: "<widget>" + engines + "\n  <access origin=\"http://a.example:x/*\"/>\n</widget>",
		want:   "<widget>" + engines + "\n  <access origin=\"http://a.example:x/*\"/>\n</widget>",
	},
	{
		name: "an entry without a form that every platform reads stays", rule: "entry-dropped",
		before: "<widget>" + engines + "\n  <access origin=\"http://my*.example/*\"/>\n</widget>",
		want:   "<widget>" + engines + "\n  <access origin=\"http://my*.example/*\"/>\n</widget>",
	},
	{
		name: "an entry that was cut stays, and is offered as it was meant", rule: "entry-cut", left: true,
		before: "<widget><engine name=\"ios\" spec=\"6.2.0\"/>\n" +
			"  <allow-navigation href='https://*films.example/*'/>\n" +
			"  <allow-navigation href=\"https://*clips.example/*\"/>\n</widget>",
		want: "<widget><engine name=\"ios\" spec=\"6.2.0\"/>\n" +
			"  <allow-navigation href='https://*films.example/*'/>\n" +
			"  <allow-navigation href=\"https://*clips.example/*\"/>\n</widget>",
	},
	{
		name: "also where another platform drops it", rule: "entry-cut", left: true,
		before: "<widget><engine name=\"ios\" spec=\"6.2.0\"/><engine name=\"android\" spec=\"12.0.0\"/>\n" +
			"  <allow-navigation href=\"https://*films.example/*\"/>\n</widget>",
		want: "<widget><engine name=\"ios\" spec=\"6.2.0\"/><engine name=\"android\" spec=\"12.0.0\"/>\n" +
			"  <allow-navigation href=\"https://*films.example/*\"/>\n</widget>",
	},
	{
		name: "what an entry names under another attribute stays", rule: "missing-attribute", left: true,
		before: "<widget>" + engines + "<allow-navigation origin=\"https://a.example/*\"/></widget>",
		want:   "<widget>" + engines + "<allow-navigation origin=\"https://a.example/*\"/></widget>",
	},
	{
		name: "every host under another attribute stays", rule: "missing-attribute", left: true,
		before: "<widget>" + engines + "<allow-navigation origin=\"*\"/></widget>",
		want:   "<widget>" + engines + "<allow-navigation origin=\"*\"/></widget>",
	},
	{
		name: "so does what stands beside an empty attribute", rule: "missing-attribute", left: true,
		before: "<widget>" + engines + "<access origin=\"\" href=\"https://a.example\"/></widget>",
		want:   "<widget>" + engines + "<access origin=\"\" href=\"https://a.example\"/></widget>",
	},
	{
		name: "an entry with no attribute at all goes", rule: "missing-attribute",
		before: "<widget>" + engines + "\n<allow-navigation/>\n</widget>",
		want:   "<widget>" + engines + "\n</widget>",
	},
	{
		name: "a host beside a catch-all stays", rule: "shadowed-rule",
		before: "<widget>" + engines + "<access origin=\"*\"/><access origin=\"https://a.example\"/></widget>",
		want:   "<widget>" + engines + "<access origin=\"*\"/><access origin=\"https://a.example\"/></widget>",
	},
	{
		name: "an entry that no platform of the project knows stays", rule: "entry-without-effect",
		before: "<widget><engine name=\"android\" spec=\"3.5.1\"/>" +
			"<allow-navigation href=\"https://a.example/*\"/></widget>",
		want: "<widget><engine name=\"android\" spec=\"3.5.1\"/>" +
			"<allow-navigation href=\"https://a.example/*\"/></widget>",
	},
	{
		name: "retired plugins are replaced", rule: "retired-plugin",
		before: `<widget><plugin name="cordova-plugin-http" spec="~1.2.0"/>` + "\n" +
			`<plugin name="cordova-plugin-console" spec="1"/></widget>`,
		want: `<widget><plugin name="cordova-plugin-advanced-http" spec="^3.3.1"/>` + "\n" + `</widget>`,
	},
	{
		name: "a plugin that code has to change for stays", rule: "retired-plugin",
		before: `<widget><plugin name="cordova-plugin-globalization" spec="1"/></widget>`,
		want:   `<widget><plugin name="cordova-plugin-globalization" spec="1"/></widget>`,
	},
	{
		name: "what would widen is left", rule: repair.NavigationSplit, left: true,
		before: "<widget>" + engines + "<access origin=\"https://a.example/*\"/></widget>",
		want:   "<widget>" + engines + "<access origin=\"https://a.example/*\"/></widget>",
		more:   []string{"www/index.html", `<!doctype html><a href="https://a.example/page">page</a>`},
	},
}
