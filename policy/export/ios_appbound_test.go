package export_test

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/appbound"
	"github.com/cordon-sec/cordon/policy/native"
)

// boundList reads an exported list as WebKit does.
func boundList(t testing.TB, content []byte) appbound.List {
	t.Helper()
	f, err := native.NewFile(native.Info, "Info.plist", content)
	if err != nil {
		t.Fatalf("no property list: %v\n%s", err, content)
	}
	lists := appbound.Lists(native.Merge([]*native.Fragment{f}))
	if len(lists) != 1 || len(lists[0].Wrong) > 0 {
		t.Fatalf("not one list that WebKit reads whole: %+v\n%s", lists, content)
	}
	return lists[0]
}

func appBoundReader(t testing.TB, content []byte) func(string) bool {
	list := boundList(t, content)
	return func(raw string) bool {
		u, err := url.Parse(raw)
		if err != nil {
			return false
		}
		at, err := host.ParseAuthority(u.Host)
		return err == nil && list.Covers(u.Scheme, at.Host.URL())
	}
}

func TestAppBoundLaw(t *testing.T) {
	law{Export: writerOf("ios-app-bound-domains"), Reader: appBoundReader, Kind: policy.Navigation,
		Schemes: []string{"http", "https"}, Ports: []string{""}}.Check(t)
}

// The hosts of the app's own pages come first, each domain once, and what is said
// beyond the lines or less than them is a loss.
func TestAppBoundDomains(t *testing.T) {
	source, _ := sourceOf(t, `<access origin="https://api.example.net"/>
<allow-navigation href="https://shop.example.org/*"/>
<allow-navigation href="*://*.example.org"/>
<allow-navigation href="http://10.0.0.1:8080/x/*"/>`)
	source.Own = []string{"localhost"}
	artifact := writerOf("ios-app-bound-domains")(source)
	var got []string
	for _, d := range boundList(t, artifact.Content).Domains {
		got = append(got, d.String())
	}
	for _, loss := range artifact.Losses {
		got = append(got, fmt.Sprint(loss.Rule, ": ", loss.Message, " ", loss.Widens))
	}
	want := []string{"localhost", "example.org", "10.0.0.1",
		"https://shop.example.org/*: WebKit keeps the registrable domain: pages of example.org and of every name " +
			"below it count true",
		"https://shop.example.org/*: WebKit does not compare the scheme true",
		"http://10.0.0.1:8080/x/*: WebKit does not compare the scheme and the port and the path true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What does not fit into ten, and every host, are named line by line.
func TestAppBoundDomainsTooMany(t *testing.T) {
	body := `<allow-navigation href="https://*"/>`
	for i := range 11 {
		body += fmt.Sprintf(`<allow-navigation href="*://*.h%d.org"/>`, i)
	}
	source, _ := sourceOf(t, body)
	source.Own = []string{"app.example.org"}
	artifact := writerOf("ios-app-bound-domains")(source)
	if n := len(boundList(t, artifact.Content).Domains); n != appbound.Max {
		t.Errorf("%d domains", n)
	}
	var got []string
	for _, loss := range artifact.Losses {
		got = append(got, fmt.Sprint(loss.Rule, ": ", loss.Message, " ", loss.Widens))
	}
	want := []string{
		"app.example.org: the app's own pages have a real name: pages of the network at example.org and below it " +
			"count as well true",
		"https://*: every host cannot be said: pages of domains without an entry do not open false",
		"*://*.h9.org: h9.org would be the eleventh domain: its pages do not open false",
		"*://*.h10.org: h10.org would be the eleventh domain: its pages do not open false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
