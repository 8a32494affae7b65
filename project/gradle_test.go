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
	const computed = " ? app/build.gradle:1 computes it"
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
		`defaultConfig { manifestPlaceholders = [x: "a"] }
			buildTypes { release { manifestPlaceholders = [x: "b"] } }`: "b",
		`defaultConfig { manifestPlaceholders = [x: "a"] }
			buildTypes { named("release") { manifestPlaceholders["x"] = "b" } }`: "b",
		`defaultConfig { manifestPlaceholders = [x: "a"] }
			buildTypes { release { if (y) { manifestPlaceholders = [x: "b"] } } }`: "a|b",
		`buildTypes { if ("debug" == y) { release { manifestPlaceholders = [x: "a"] } } }`: "a",
		`'a`:                            "",
		`manifestPlaceholders`:          computed,
		`manifestPlaceholders = [x: "a`: computed,
	} {
		g := &gradleValues{}
		g.read("app/build.gradle", []byte(script))
		if got := meant(g.placeholder("x")); got != want {
			t.Errorf("%s\n%q, want %q", script, got, want)
		}
	}
}

// TestGradleRelease: what the type release has comes before flavours and defaults where it
// is sure to hold, and beside them where it is not. Each script has x "a" by default.
func TestGradleRelease(t *testing.T) {
	const b = `manifestPlaceholders = [x: "b"]`
	for script, want := range map[string]string{
		`android { buildTypes { release { minify(true)
			` + b + ` } } }`: "b",
		`android.buildTypes.release.` + b: "b",
		`android { productFlavors { f { manifestPlaceholders = [x: "c"] } }
			buildTypes { release { ` + b + ` }; qa { manifestPlaceholders = [x: "d"] } } }`: "b",
		`def f() { return 1 }
			buildTypes { release { ` + b + ` } }`: "b",
		`if (strict) { android.buildTypes.release.` + b + ` }`:                                "a|b",
		`if (strict) android.buildTypes.release.` + b:                                         "a|b",
		`buildTypes { release { if (strict) ` + b + ` } }`:                                    "a|b",
		"buildTypes { release { if (f(strict))\n" + b + " } }":                                "a|b",
		"buildTypes { release { if (strict) c() else\n" + b + " } }":                          "a|b",
		`buildTypes { release { strict && (` + b + `) } }`:                                    "a|b",
		`buildTypes { release { if (!strict) return; ` + b + ` } }`:                           "a|b",
		`if (strict) { buildTypes { release { ` + b + ` } } }`:                                "a|b",
		`buildTypes { release { ` + b + `; if (c) { manifestPlaceholders.put("x", "c") } } }`: "b|c",
		`buildTypes { release { ` + b + `; manifestPlaceholders = [y: "c"] } }`:               "a|b",
		`buildTypes { release { ` + b + ` } }
			androidComponents { onVariants(selector().all()) { it.manifestPlaceholders.put("x", "c") } }`: "b|c",
		`buildTypes { release { ` + b + ` } all { manifestPlaceholders["x"] = "c" } }`:       "b|c",
		`buildTypes { release { ` + b + ` } debug { manifestPlaceholders = [x: "c"] } }`:     "b",
		`buildTypes { debug { ` + b + ` }; release { initWith debug } }`:                     "a|b",
		`buildTypes { debug { ` + b + ` }; release { initWith(getByName("debug")) } }`:       "a|b",
		`buildTypes { debug { ` + b + ` }; release { initWith base } }`:                      "a|b",
		`buildTypes { debug { ` + b + ` }; qa { initWith debug }; release { initWith qa } }`: "a|b",
		`buildTypes { debug { ` + b + ` }; qa { initWith release } }`:                        "a",
		`buildTypes { release { ` + b + ` }; qa { initWith debug }
			debug { manifestPlaceholders = [x: "c"] } }`: "b|c",
	} {
		g := &gradleValues{}
		g.read(
			"android/app/build.gradle",
			[]byte("android { defaultConfig { manifestPlaceholders = [x: 'a'] } }\n"+script),
		)
		if got := meant(g.placeholder("x")); got != want {
			t.Errorf("%s\n%q, want %q", script, got, want)
		}
	}
	others := []string{"platforms/android/CordovaLib/build.gradle", "android/app/more.gradle", "build.gradle"}
	for _, name := range others {
		g := &gradleValues{}
		g.read("android/app/build.gradle", []byte(`defaultConfig { manifestPlaceholders = [x: "a"] }`))
		g.read(name, []byte(`buildTypes { release { manifestPlaceholders = [x: "b"] } }`))
		if got := meant(g.placeholder("x")); got != "a|b" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestGradleDeep: what a script of a mebibyte costs is bounded, and what is not read of it
// is said.
func TestGradleDeep(t *testing.T) {
	deep := strings.Repeat(strings.Repeat("a.", 190)+"a{", 97)
	script := deep + "buildTypes{debug{manifestPlaceholders=[" + strings.Repeat("a:1,", 250_000) + "a:1]"
	g := &gradleValues{}
	g.read("app/build.gradle", []byte(script))
	if g.doubt == "" || len(g.rows) > maxRows+1 {
		t.Errorf("%d values, %q", len(g.rows), g.doubt)
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
