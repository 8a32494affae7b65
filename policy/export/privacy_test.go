package export_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/native"
	"github.com/cordon-sec/cordon/policy/privacy"
)

func capacitorConfig(t testing.TB, text string) *capacitor.Config {
	t.Helper()
	config, err := capacitor.Read("capacitor.config.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return config
}

const contacting = `<access origin="https://api.example.org/v1/*"/>
<access origin="http://api.example.org"/>
<access origin="https://*.ads.example.net"/>
<allow-navigation href="https://shop.example.org/*"/>
<allow-intent href="tel:*"/>`

// What is exported is a manifest that Apple takes, whether something tracks or not.
func TestPrivacyManifest(t *testing.T) {
	for _, test := range []struct {
		tracking []string
		want     []string
	}{
		{nil, []string{"NSPrivacyTracking"}},
		{[]string{"t.ads.example.net", "a.example.com"}, []string{"NSPrivacyTracking", "NSPrivacyTrackingDomains"}},
	} {
		source, _ := sourceOf(t, contacting+`<access origin="https://xn--bcher-kva.example.org"/>`)
		source.Tracking = test.tracking
		artifact := writerOf("privacy-manifest")(source)
		v, err := native.ParsePropertyList(artifact.Path, artifact.Content)
		if err != nil {
			t.Fatalf("%v\n%s", err, artifact.Content)
		}
		if wrong := privacy.Check(v); wrong != nil {
			t.Errorf("%v\n%s", wrong, artifact.Content)
		}
		var got []string
		for _, e := range v.Entries {
			got = append(got, e.Key)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Error(diff)
		}
		before, _, _ := strings.Cut(string(artifact.Content), "-->")
		if _, comment, ok := strings.Cut(before, "<!--"); !ok || strings.Contains(comment, "--") {
			t.Errorf("App Store Connect takes no -- in a comment:\n%s", comment)
		}
	}
}

// Whatever hosts a list has, the comments are XML, and name a host by its own name or by
// its line.
func TestCommentsOfXML(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	names := []string{
		"r3---sn.example.com",
		"a--b.example",
		"xn--bcher-kva.example",
		"x----y.example",
		"r3-----sn.example",
		"a--b.xn--bcher-kva.example",
	}
	for range 200 {
		label := "a"
		for range random.IntN(12) {
			label += string("-b-"[random.IntN(3)])
		}
		names = append(names, label+"z.example")
	}
	for _, name := range names {
		source, _ := sourceOf(t, `<access origin="https://`+name+`"/><allow-navigation href="https://*.`+name+`/*"/>`)
		source.File = "a---" + name + ".xml"
		source.Tracking, source.Own = []string{name}, []string{name}
		for _, format := range []string{"privacy-manifest", "ios-app-bound-domains", "ios-ats", "android-nsc"} {
			content := writerOf(format)(source).Content
			decoder := xml.NewDecoder(bytes.NewReader(content))
			var err error
			for err == nil {
				var token xml.Token
				token, err = decoder.Token()
				if comment, ok := token.(xml.Comment); ok && bytes.Contains(comment, []byte("--")) {
					t.Errorf("%s of %s: -- in a comment:\n%s", format, name, comment)
				}
			}
			if err != io.EOF {
				t.Errorf("%s of %s: %v\n%s", format, name, err, content)
			}
		}
	}
}

// A host with two hyphens is said as people write it, else by the line that has it.
func TestHostsInComments(t *testing.T) {
	source, _ := sourceOf(t, `<access origin="https://r3---sn.example.com"/>
<access origin="https://*.xn--bcher-kva.example"/>`)
	content := string(writerOf("privacy-manifest")(source).Content)
	_, list, _ := strings.Cut(content, "Domains contacted:\n")
	list, _, _ = strings.Cut(list, "-->")
	want := "    the host of config.xml:1:9 (its two hyphens must not stand in a comment)  encrypted (https, wss)  " +
		"pages, requests\n    *.b\u00fccher.example  encrypted (https, wss)  pages, requests\n"
	if diff := cmp.Diff(want, list); diff != "" {
		t.Error(diff)
	}
}

// The domains that are contacted, with how, what for, and each line that says so.
func TestDataSafety(t *testing.T) {
	source, _ := sourceOf(t, contacting)
	source.Tracking = []string{"t.ads.example.net", "a.example.com"}
	source.By = func(at policy.Place) string {
		if at.Line == 3 {
			return "the plugin x 1.0.0"
		}
		return ""
	}
	artifact := writerOf("data-safety")(source)
	_, list, _ := strings.Cut(string(artifact.Content), "is not among the domains")
	_, list, _ = strings.Cut(list, "\n")
	want := `*.ads.example.net  encrypted (https, wss)  requests  tracking
    config.xml:3:1: access https://*.ads.example.net, of the plugin x 1.0.0
api.example.org  not encrypted (http, https, ws, wss)  requests
    config.xml:1:9: access https://api.example.org/v1/*
    config.xml:2:1: access http://api.example.org
shop.example.org  encrypted (https, wss)  pages
    config.xml:4:1: allow-navigation https://shop.example.org/*
`
	if diff := cmp.Diff(want, list); diff != "" {
		t.Error(diff)
	}
	var losses []string
	for _, loss := range artifact.Losses {
		losses = append(losses, loss.Rule+": "+loss.Message)
	}
	if diff := cmp.Diff([]string{"a.example.com: it was stated to track, and no line lets the app reach it; what a " +
		"native library contacts belongs into that library's own privacy manifest"}, losses); diff != "" {
		t.Error(diff)
	}
}

// A list that covers every host cannot be declared, and says so.
func TestDataSafetyOfEveryHost(t *testing.T) {
	source, _ := sourceOf(t, `<access origin="*"/>`)
	source.Tracking = []string{"a.example.com"}
	artifact := writerOf("data-safety")(source)
	if len(artifact.Domains) != 1 || artifact.Domains[0].Host != "*" || len(artifact.Losses) != 1 ||
		!artifact.Losses[0].Widens {
		t.Errorf("%+v %+v", artifact.Domains, artifact.Losses)
	}
	empty, _ := sourceOf(t, "")
	if text := string(writerOf("data-safety")(empty).Content); !strings.Contains(text, "contact no domain") {
		t.Error(text)
	}
}
