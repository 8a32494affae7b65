package export_test

import (
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
