package pin_test

import (
	"bytes"
	"encoding/pem"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/testpki"
	"github.com/cordon-sec/cordon/pin"
)

func TestReadChain(t *testing.T) {
	p := certificates(t)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, []byte("\n")) }
	for name, c := range map[string]struct {
		data []byte
		want []string
		err  pin.Format
	}{
		"DER":      {p["rsa"].DER(), []string{"rsa.example"}, ""},
		"PEM":      {p["rsa"].PEM(), []string{"rsa.example"}, ""},
		"chain":    {join(p["rsa"].PEM(), []byte("# and"), p["root"].PEM()), []string{"rsa.example", "Root"}, ""},
		"with key": {join(p["rsa"].PEM(), p["rsa"].KeyPEM(t)), nil, pin.PEMKey},
		"one broken": {join(p["rsa"].PEM(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})),
			nil, pin.Broken},
		"cut off":      {join(p["rsa"].PEM(), p["root"].PEM()[:100]), nil, pin.Truncated},
		"PKCS#7":       {[]byte("-----BEGIN PKCS7-----\nMA==\n-----END PKCS7-----\n"), nil, pin.PKCS7},
		"text":         {[]byte("hello"), nil, pin.Text},
		"two in DER":   {append(bytes.Clone(p["rsa"].DER()), p["root"].DER()...), nil, pin.DERChain},
		"key in front": {join(p["rsa"].KeyPEM(t), p["rsa"].PEM()), nil, pin.PEMKey},
	} {
		chain, err := pin.ReadChain("f", c.data)
		if c.err != "" {
			if e := mustFormat(t, name, err); e.Format != c.err || e.Name != "f" {
				t.Errorf("%s: %v, want %s", name, err, c.err)
			}
			continue
		}
		var got []string
		for _, c := range chain {
			got = append(got, c.CommonName())
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestOfFile(t *testing.T) {
	p := certificates(t)["ecdsa"]
	spki := p.Certificate.RawSubjectPublicKeyInfo
	want := pin.HashOf(spki)
	for name, data := range map[string][]byte{
		"DER": p.DER(), "PEM": p.PEM(), "key": spki,
		"PEM key": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}),
	} {
		if h, err := pin.OfFile("f", data); err != nil || h != want {
			t.Errorf("%s: %v, %v", name, h, err)
		}
	}
	for name, data := range map[string][]byte{"private": p.KeyPEM(t), "text": []byte("x"),
		"longer": append(bytes.Clone(spki), 0)} {
		if h, err := pin.OfFile("f", data); err == nil {
			t.Errorf("%s: %v", name, h)
		}
	}
}

func TestWarnings(t *testing.T) {
	root := testpki.Root(t, testpki.Spec{Name: "Root", To: testpki.Now.AddDate(10, 0, 0)})
	at := func(days int) time.Time { return testpki.Now.AddDate(0, 0, days) }
	leaf := func(s testpki.Spec) *pin.Certificate {
		s.Name = "leaf"
		c, err := pin.ReadCER("", root.Leaf(t, s).DER())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	authority, err := pin.ReadCER("", root.DER())
	if err != nil {
		t.Fatal(err)
	}
	good := leaf(testpki.Spec{To: at(365)})
	for name, c := range map[string]struct {
		chain []*pin.Certificate
		want  []string
	}{
		"chain":     {[]*pin.Certificate{good, authority}, nil},
		"authority": {[]*pin.Certificate{authority}, nil},
		"leaf only": {[]*pin.Certificate{good}, []string{"only a server's own key"}},
		"expired": {[]*pin.Certificate{leaf(testpki.Spec{To: at(0).Add(-time.Second)}), authority},
			[]string{`"leaf" expired on`}},
		"soon": {[]*pin.Certificate{leaf(testpki.Spec{To: at(30)}), authority}, []string{`"leaf" expires soon`}},
		"later": {[]*pin.Certificate{leaf(testpki.Spec{From: at(1), To: at(365)}), authority},
			[]string{`"leaf" is not valid before`}},
		"twice": {[]*pin.Certificate{good, good, authority}, []string{"the same key"}},
		"none":  {nil, nil},
	} {
		got := pin.Warnings(c.chain, testpki.Now)
		if len(got) != len(c.want) || len(got) > 0 && !strings.Contains(got[0], c.want[0]) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
