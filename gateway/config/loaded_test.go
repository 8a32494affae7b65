package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/ca"
	"github.com/cordon-sec/cordon/policy/enforced"
)

// What a configuration names must be there, or nothing is taken.
func TestWhatIsNamedMustBeThere(t *testing.T) {
	list, err := enforced.Compile("config.xml", []byte(`<widget/>`), App{}.Options())
	if err != nil {
		t.Fatal(err)
	}
	whole := func() Loaded {
		return Loaded{
			Config: Config{
				TLS: &TLS{Certificate: "c", Key: "k", ClientCA: "ca"}, CA: CA{"c", "k"},
				Apps: []App{{Name: "a", Config: "x", Inspect: true, Certificate: "a.test",
					Credential: &Credential{"a", "env:X"}}},
			},
			Apps:        []Contents{{List: list, Password: DigestOf([]byte("s3cret"))}},
			Certificate: &tls.Certificate{}, ClientCAs: x509.NewCertPool(), Authority: &ca.Authority{},
		}
	}
	for says, change := range map[string]func(*Loaded){
		"":                               func(*Loaded) {},
		"no app is named":                func(l *Loaded) { *l = Loaded{} },
		"the contents of 0":              func(l *Loaded) { l.Apps = nil },
		"the contents of 2":              func(l *Loaded) { l.Apps = append(l.Apps, l.Apps[0]) },
		"its list must be there":         func(l *Loaded) { l.Apps[0].List = nil },
		"compiled":                       func(l *Loaded) { l.Apps[0].List = &enforced.List{} },
		"the password of its credential": func(l *Loaded) { l.Apps[0].Password = DigestOf(nil) },
		"tls: the certificate":           func(l *Loaded) { l.Certificate = nil },
		"tls: client_ca":                 func(l *Loaded) { l.ClientCAs = nil },
		"ca: the authority":              func(l *Loaded) { l.Authority = nil },
		"ca: there is an authority": func(l *Loaded) {
			l.Config.CA, l.Config.Apps[0].Inspect = CA{}, false
		},
		"would not speak TLS": func(l *Loaded) {
			l.Config.TLS, l.Config.Apps[0].Certificate, l.ClientCAs = nil, "", nil
		},
	} {
		l := whole()
		change(&l)
		if err := l.Validate(); says == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// What is there needs no name of a file.
func TestWhatIsThereNeedsNoName(t *testing.T) {
	list, err := enforced.Compile("config.xml", []byte(`<widget/>`), App{}.Options())
	if err != nil {
		t.Fatal(err)
	}
	app := App{Name: "a", Config: "x", Inspect: true, Certificate: "device", Credential: &Credential{User: "a"}}
	l := Loaded{
		Config:      Config{TLS: &TLS{}, Apps: []App{app}},
		Apps:        []Contents{{List: list, Password: DigestOf([]byte("s3cret"))}},
		Certificate: &tls.Certificate{}, ClientCAs: x509.NewCertPool(), Authority: &ca.Authority{},
	}
	if err := l.Validate(); err != nil {
		t.Error(err)
	}
	if found := l.Config.Check(); len(found) != 4 {
		t.Errorf("of the configuration alone: %v", join(found))
	}
}

func TestDigest(t *testing.T) {
	d := DigestOf([]byte("s3cret"))
	if !d.Matches("s3cret") || d.Matches("s3cret ") || d.Matches("") || d.IsZero() {
		t.Error("the digest of a password")
	}
	if zero := DigestOf(nil); zero.Matches("") || zero.Matches("s3cret") || !zero.IsZero() {
		t.Error("no password matches a password")
	}
	shown := fmt.Sprintf("%v %+v %#v %s %x %d", d, d, d, d, d, d)
	if shown != "*** *** *** *** *** ***" {
		t.Error(shown)
	}
	if shown = fmt.Sprintf("%+v", Contents{Password: d}); !strings.Contains(shown, "Password:***") {
		t.Error(shown)
	}
}

func TestMistakesInPins(t *testing.T) {
	const good = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
	for says, p := range map[string]Pin{
		"apps[0].pins[0].spki[1]: ": {Host: "a.test", SPKI: []string{good, "short"}},
		`apps[0].pins[0].expires: "soon" must be a day, as in 2027-01-31`: {Host: "a.test", SPKI: []string{good},
			Expires: "soon"},
	} {
		app := App{Name: "a", Config: "config.xml", Pins: []Pin{p}}
		if err := (Config{Apps: []App{app}}).Validate(); err == nil || !strings.HasPrefix(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
		if entries, err := app.PinEntries(); err == nil || entries != nil {
			t.Errorf("%v: %v", p, entries)
		}
	}
}
