package project

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/policy/native"
)

// meant writes what a name comes to: "a|b ? why it may be something else".
func meant(m native.Meaning) string {
	var list []string
	for _, g := range m.Texts {
		list = append(list, g.Text)
	}
	text := strings.Join(list, "|")
	if m.Unknown != "" {
		text += " ? " + m.Unknown
	}
	return text
}

// TestGradlePlaceholders: the forms in which Groovy and Kotlin write placeholders out.
// Each script sets x.
func TestGradlePlaceholders(t *testing.T) {
	const computed = " ? build.gradle:1 computes it"
	for script, want := range map[string]string{
		`manifestPlaceholders = [x: "a"]`:                                                    "a",
		`manifestPlaceholders = [y: "b", x: 'a']`:                                            "a",
		`manifestPlaceholders = ["x": "a", y: f()]`:                                          "a",
		`manifestPlaceholders x: "a", y: "b"`:                                                "a",
		`manifestPlaceholders([x: "a"])`:                                                     "a",
		`manifestPlaceholders += [x: "a"]`:                                                   "a",
		`manifestPlaceholders.putAll([x: "a"])`:                                              "a",
		`manifestPlaceholders.put("x", "a")`:                                                 "a",
		`manifestPlaceholders.x = "a"`:                                                       "a",
		`manifestPlaceholders["x"] = "a"`:                                                    "a",
		`manifestPlaceholders += mapOf("x" to "a", "y" to z)`:                                "a",
		`addManifestPlaceholders(mapOf("x" to "a"))`:                                         "a",
		`manifestPlaceholders = [x: true]`:                                                   "true",
		"manifestPlaceholders = [\n\n  y: \"b\",\n  // not x: \"c\"\n\n  x: \"a\"\n]\nfoo()": "a",
		`manifestPlaceholders = [x: """a"""]`:                                                "a",
		`manifestPlaceholders = [x: "it\"s"]`:                                                `it"s`,
		`/* manifestPlaceholders = [x: "c"] */ manifestPlaceholders = [x: 'a']`:              "a",
		`manifestPlaceholders = [:]`:                                                         "",
		`manifestPlaceholders = [y: "b"]`:                                                    "",
		`manifestPlaceholders = [x: "a" + b]`:                                                computed,
		`manifestPlaceholders = [x: "a${b}"]`:                                                computed,
		`manifestPlaceholders = [x: b ? "a" : "c"]`:                                          computed,
		`manifestPlaceholders = [x: f("a", "b"), y: 1]`:                                      computed,
		`manifestPlaceholders = [(key): "a"]`:                                                computed,
		`manifestPlaceholders = read("x")`:                                                   computed,
		`manifestPlaceholders = [y: "b"] + more`:                                             computed,
		`manifestPlaceholders = [x: "a"] + more`:                                             "a" + computed,
		`manifestPlaceholders[key] = "a"`:                                                    computed,
		`manifestPlaceholders.put(key, "a")`:                                                 computed,
		`a { manifestPlaceholders = [x: "a"] }; b { manifestPlaceholders = [x: "b"] }`:       "a|b",
		`buildTypes { debug { manifestPlaceholders = [x: "a"] } }`:                           "",
		`buildTypes { getByName("debug") { manifestPlaceholders["x"] = "a" } }`:              "",
		`android.buildTypes.debug.manifestPlaceholders = [x: "a"]`:                           "",
		`buildTypes.getByName("debug") { manifestPlaceholders["x"] = "a" }`:                  "",
		`buildTypes { staging { manifestPlaceholders = [x: "a"] } }`:                         "a",
		`d { manifestPlaceholders = [x: "a"] }
			buildTypes { release { manifestPlaceholders = [x: "b"] } }`: "b",
		`d { manifestPlaceholders = [x: "a"] }
			buildTypes { named("release") { manifestPlaceholders["x"] = "b" } }`: "b",
		`d { manifestPlaceholders = [x: "a"] }
			buildTypes { release { if (y) { manifestPlaceholders = [x: "b"] } } }`: "a|b",
		`'a`:                            "",
		`manifestPlaceholders`:          computed,
		`manifestPlaceholders = [x: "a`: computed,
	} {
		g := &gradleValues{}
		g.read("build.gradle", []byte(script))
		if got := meant(g.placeholder("x")); got != want {
			t.Errorf("%s\n%q, want %q", script, got, want)
		}
	}
}

// TestGradleResources: resources that scripts make, and the app's own id.
func TestGradleResources(t *testing.T) {
	g := &gradleValues{}
	g.read("build.gradle.kts", []byte(`android { defaultConfig { applicationId = "org.example"
		resValue("bool", "clear", "true")
		resValue "bool", "made", f()
		resValue "bool", name, "true" } }`))
	got := []string{meant(g.resource("bool/clear")), meant(g.resource("bool/made")), meant(g.resource("bool/name")),
		meant(g.placeholder("applicationId")), meant(g.placeholder("bool/clear"))}
	if diff := cmp.Diff([]string{"true", " ? build.gradle.kts:3 computes it", "", "org.example", ""}, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzGradle(f *testing.F) {
	f.Add([]byte("android { buildTypes { release { manifestPlaceholders = [a: \"b\", 'c': d] } } }"))
	f.Add([]byte("manifestPlaceholders += mapOf(\"a\" to \"b\")\nresValue(\"bool\", \"a\", \"true\") /* \"\"\""))
	f.Add([]byte("a(b(\"c\") { ) } manifestPlaceholders.put(\"a\", [b: {(c)}])"))
	f.Fuzz(func(t *testing.T, data []byte) {
		g := &gradleValues{}
		g.read("build.gradle", data)
		for _, row := range g.rows {
			if row.given.Place.Start > len(data) {
				t.Fatalf("%+v is beyond the file", row)
			}
		}
	})
}
