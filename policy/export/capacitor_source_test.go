package export_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/export"
)

// masks is a configuration with server.allowNavigation.
func masks(entries ...string) string {
	return `{"server":{"allowNavigation":["` + strings.Join(entries, `","`) + `"]}}`
}

// A Capacitor app without a config.xml: its masks are the lines, and what they cover less
// than is said is a loss.
func TestCapacitorSource(t *testing.T) {
	source := export.CapacitorSource(capacitorConfig(t, masks("Shop.example.org", "*.example.net", "io", "a.*.com",
		"https://x.example", "b\u00fccher.example.", "*", "..")))
	var got []string
	for _, o := range source.Origins {
		got = append(got, fmt.Sprint(o.Host, " ", o.Subdomains, " ", o.Rule.Text))
	}
	for _, loss := range source.Unread {
		got = append(got, fmt.Sprint(loss.Rule, ": ", loss.Message, " ", loss.Widens))
	}
	want := []string{"shop.example.org false Shop.example.org", "example.net true *.example.net", "io true io",
		"xn--bcher-kva.example false b\u00fccher.example.", " false *", " false ..",
		"*.example.net: the mask covers the names one level below example.net, and neither example.net itself nor " +
			"what is deeper true",
		"io: on Android a mask of one label covers every host that ends in .io, on iOS io alone true",
		"a.*.com: the mask is not one host, nor the names below one false",
		"https://x.example: the mask is not one host, nor the names below one false",
		"..: a mask of dots covers every host on Android, and none on iOS true",
		": nothing limits what the pages of a Capacitor app request: hosts that only scripts ask are not among the " +
			"lines of capacitor.config.json false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if text := string(writerOf("data-safety")(source).Content); !strings.Contains(text,
		"*.example.net  not encrypted (http, https)  pages\n    capacitor.config.json:1:50: server.allowNavigation "+
			"*.example.net\n") {
		t.Error(text)
	}
}

// Whatever opens inside on one of the platforms is among the domains, and what is among
// them and opens on neither is told.
func TestCapacitorSourceLaw(t *testing.T) {
	hosts := []string{
		"example.net",
		"a.example.net",
		"b.a.example.net",
		"io",
		"x.io",
		"y.x.io",
		"other.test",
		"localhost",
		"x.localhost",
		"10.0.0.1",
		"net",
		"a.xn--bcher-kva.example",
	}
	for _, mask := range []string{"example.net", "EXAMPLE.net.", "*.example.net", "*.a.example.net", "io", "*.io", "*",
		"*.",
		".", "localhost", "10.0.0.1", "net.", "*.xn--bcher-kva.example"} {
		config := capacitorConfig(t, masks(mask))
		source := export.CapacitorSource(config)
		domains := source.Domains()
		doc := configxml.Effective(config.File, nil, configxml.Additions{Capacitor: config})
		for _, name := range hosts {
			opens := false
			for _, platform := range []string{"capacitor-android", "capacitor-ios"} {
				compiled, err := dialect.Compile(doc, policy.Target{Platform: platform,
					Version: policy.Version{Major: 7}})
				if err != nil {
					t.Fatal(err)
				}
				d := compiled.Decide(policy.Request{URL: "https://" + name + "/", Kind: policy.Navigation})
				opens = opens || d.Reason == policy.Listed
			}
			named := slices.ContainsFunc(domains, func(d export.Domain) bool {
				return d.Host == "*" || d.Host == name || d.Subdomains && strings.HasSuffix(name, "."+d.Host)
			})
			told := slices.ContainsFunc(source.Unread, func(l export.Loss) bool { return l.Widens })
			if opens && !named || named && !opens && !told {
				t.Errorf(
					"%s: %s opens: %v, is among the domains: %v, a loss is told: %v",
					mask,
					name,
					opens,
					named,
					told,
				)
			}
		}
	}
}

// With a config.xml beside it the configuration says which pages open, and the lines of
// the file what is requested: they are no pages, whatever they would be in Cordova.
func TestInCapacitor(t *testing.T) {
	config := capacitorConfig(t, masks("login.idp.org"))
	for _, test := range []struct {
		body  string
		both  bool
		bound string
		list  string
	}{
		{`<access origin="https://api.thirdparty.com"/>`, false, "localhost idp.org",
			"api.thirdparty.com requests\nlogin.idp.org pages"},
		{`<access origin="https://api.thirdparty.com"/><allow-navigation href="https://frame.example/*"/>`, false,
			"localhost idp.org", "api.thirdparty.com requests\nframe.example requests\nlogin.idp.org pages"},
		{`<access origin="https://api.thirdparty.com"/>`, true, "localhost thirdparty.com idp.org",
			"api.thirdparty.com pages, requests\nlogin.idp.org pages"},
	} {
		source, _ := sourceOf(t, test.body)
		source = source.InCapacitor(config, test.both)
		source.Own = []string{"localhost"}
		var bound, list []string
		for _, d := range boundList(t, writerOf("ios-app-bound-domains")(source).Content).Domains {
			bound = append(bound, d.String())
		}
		safety := writerOf("data-safety")(source)
		for _, d := range safety.Domains {
			list = append(list, d.Name()+" "+strings.Join(d.Purposes, ", "))
		}
		if got := strings.Join(bound, " "); got != test.bound {
			t.Errorf("%s: bound are %s, want %s", test.body, got, test.bound)
		}
		if diff := cmp.Diff(test.list, strings.Join(list, "\n")); diff != "" {
			t.Errorf("%s: %s", test.body, diff)
		}
		if diff := cmp.Diff(safety.Domains, writerOf("privacy-manifest")(source).Domains); diff != "" {
			t.Error(diff)
		}
		if !strings.Contains(string(safety.Content), "for config.xml and capacitor.config.json") {
			t.Errorf("the sources are not named:\n%s", safety.Content)
		}
	}
}
