package pin_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/testpki"
	"github.com/cordon-sec/cordon/pin"
)

// certificates makes one of each kind, by name.
func certificates(t testing.TB) map[string]*testpki.Pair {
	t.Helper()
	root := testpki.Root(t, testpki.Spec{Name: "Root"})
	return map[string]*testpki.Pair{
		"root":         root,
		"intermediate": root.Intermediate(t, testpki.Spec{Name: "Intermediate", Key: "p384"}),
		"rsa": root.Leaf(t,
			testpki.Spec{Name: "rsa.example", Hosts: []string{"rsa.example", "192.0.2.1"}, Key: "rsa"}),
		"ecdsa":   root.Leaf(t, testpki.Spec{Name: "ec.example", Hosts: []string{"ec.example"}}),
		"ed25519": root.Leaf(t, testpki.Spec{Name: "ed.example", Hosts: []string{"ed.example"}, Key: "ed25519"}),
		"expired": root.Leaf(t, testpki.Spec{Name: "old.example", To: testpki.Now.Add(-time.Minute)}),
		"long ago": root.Leaf(t, testpki.Spec{Name: "ancient", From: time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC),
			To: time.Date(2051, 1, 1, 0, 0, 0, 0, time.UTC)}),
		"no name": root.Leaf(t, testpki.Spec{}),
	}
}

// TestPinsAgreeWithTheStandardLibrary compares what the walk finds with what
// crypto/x509 reads, where that reads anything.
func TestPinsAgreeWithTheStandardLibrary(t *testing.T) {
	for name, p := range certificates(t) {
		c, err := pin.ReadCER(name, p.DER())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := p.Certificate
		if !bytes.Equal(c.SPKI, want.RawSubjectPublicKeyInfo) ||
			c.Pin() != pin.Hash(sha256.Sum256(want.RawSubjectPublicKeyInfo)) {
			t.Errorf("%s: another public key", name)
		}
		names := slices.Clone(want.DNSNames)
		for _, ip := range want.IPAddresses {
			names = append(names, ip.String())
		}
		if !slices.Equal(c.Names, names) || c.CA != want.IsCA || c.CommonName() != want.Subject.CommonName {
			t.Errorf("%s: names %v, CA %v, CN %q", name, c.Names, c.CA, c.CommonName())
		}
		if !c.NotBefore.Equal(want.NotBefore) || !c.NotAfter.Equal(want.NotAfter) {
			t.Errorf("%s: valid from %v to %v, want %v to %v", name, c.NotBefore, c.NotAfter, want.NotBefore,
				want.NotAfter)
		}
		if c.SelfIssued != bytes.Equal(want.RawIssuer, want.RawSubject) {
			t.Errorf("%s: self-issued %v", name, c.SelfIssued)
		}
	}
	keys := map[string]string{"rsa": "RSA 2048", "ecdsa": "ECDSA P-256", "ed25519": "Ed25519",
		"intermediate": "ECDSA P-384"}
	all := certificates(t)
	for name, want := range keys {
		if c, err := pin.ReadCER(name, all[name].DER()); err != nil || c.Key != want {
			t.Errorf("%s: key %q, want %q (%v)", name, c.Key, want, err)
		}
	}
}

// knownPin is the published pin of Let's Encrypt's ISRG Root X1.
const knownPin = "C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M="

// TestKnownAnswer hashes the Ed25519 key that RFC 8410 section 10.1 prints.
func TestKnownAnswer(t *testing.T) {
	block, _ := pem.Decode([]byte("-----BEGIN PUBLIC KEY-----\n" +
		"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"))
	sum := sha256.Sum256(block.Bytes)
	want := base64.StdEncoding.EncodeToString(sum[:])
	if got := pin.HashOf(block.Bytes).String(); got != want {
		t.Errorf("pin %s, want %s", got, want)
	}
	if h, err := pin.ParseHash(knownPin); err != nil || h.String() != knownPin {
		t.Errorf("ParseHash: %v, %v", h, err)
	}
}

func TestParseHash(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))
	for _, s := range []string{good, "sha256/" + good, "sha256//" + good} {
		if h, err := pin.ParseHash(s); err != nil || h.String() != good {
			t.Errorf("ParseHash(%q) = %v, %v", s, h, err)
		}
	}
	for _, s := range []string{
		"", "x", good[:43], good + "=", good + "\n", good[:10] + "\n" + good[10:], "sha1/" + good, "sha512/" + good,
		base64.StdEncoding.EncodeToString(make([]byte, 31)), base64.StdEncoding.EncodeToString(make([]byte, 33)),
		base64.StdEncoding.EncodeToString(make([]byte, 32)), strings.Repeat("ab", 32),
		// bits beyond the last byte
		base64.RawStdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32)), good[:42] + "F=",
	} {
		if h, err := pin.ParseHash(s); err == nil {
			t.Errorf("ParseHash(%q) = %v, want an error", s, h)
		}
	}
}

// tlv writes one DER element.
func tlv(tag byte, body ...[]byte) []byte {
	content := bytes.Join(body, nil)
	b, err := asn1.Marshal(asn1.RawValue{FullBytes: nil, Class: int(tag >> 6), IsCompound: tag&0x20 != 0,
		Tag: int(tag & 0x1f), Bytes: content})
	if err != nil {
		panic(err)
	}
	return b
}

// oddCertificate is one that crypto/x509 refuses: a negative serial number and
// a key of an algorithm that does not exist.
func oddCertificate() (der, spki []byte) {
	algorithm := tlv(0x30, tlv(0x06, []byte{0x2a, 0x03, 0x04, 0x05}))
	name := tlv(0x30, tlv(0x31, tlv(0x30, tlv(0x06, []byte{0x55, 4, 3}), tlv(0x0c, []byte("odd\nname")))))
	validity := tlv(0x30, tlv(0x17, []byte("250101000000Z")), tlv(0x18, []byte("20510101000000Z")))
	spki = tlv(0x30, algorithm, tlv(0x03, []byte{0, 1, 2, 3}))
	tbs := tlv(0x30, tlv(0xa0, tlv(0x02, []byte{2})), tlv(0x02, []byte{0x80}), algorithm, name, validity, name, spki)
	return tlv(0x30, tbs, algorithm, tlv(0x03, []byte{0, 9})), spki
}

func TestCertificateThatTheLibraryRefuses(t *testing.T) {
	der, spki := oddCertificate()
	if _, err := x509.ParseCertificate(der); err == nil {
		t.Fatal("crypto/x509 reads the certificate: it does not test what it is for")
	}
	c, err := pin.ReadCER("odd.cer", der)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(c.SPKI, spki) || c.Key != "1.2.3.4.5" || c.Serial != "80" || c.Subject != `CN=odd\nname` ||
		!c.SelfIssued {
		t.Errorf("read %+v", c)
	}
	if c.NotAfter.Year() != 2051 || c.NotBefore.Year() != 2025 {
		t.Errorf("valid from %v to %v", c.NotBefore, c.NotAfter)
	}
}

func mustFormat(t *testing.T, name string, err error) *pin.FormatError {
	t.Helper()
	var e *pin.FormatError
	if !errors.As(err, &e) {
		t.Fatalf("%s: error %v is not a *FormatError", name, err)
	}
	return e
}

func TestFormatsThatAreRefused(t *testing.T) {
	p := certificates(t)
	der, second := p["ecdsa"].DER(), p["rsa"].DER()
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(edKey)
	block, _ := pem.Decode(p["ecdsa"].KeyPEM(t))
	sec1, _ := asn1.Marshal(struct {
		V int
		K []byte
	}{1, bytes.Repeat([]byte{7}, 32)})
	encrypted := tlv(0x30, tlv(0x30, tlv(0x06, []byte{0x2a, 3, 4})), tlv(0x04, []byte("sealed")))
	pkcs7 := tlv(0x30, tlv(0x06, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2}), tlv(0xa0, der))
	pkcs12 := tlv(0x30, tlv(0x02, []byte{3}),
		tlv(0x30, tlv(0x06, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1}), tlv(0xa0, tlv(0x04, []byte("x")))))
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY",
		Bytes: p["ecdsa"].Certificate.RawSubjectPublicKeyInfo})
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	indefinite := bytes.Clone(der)
	indefinite[1] = 0x80
	for _, c := range []struct {
		name string
		data []byte
		want pin.Format
	}{
		{"empty", nil, pin.Empty},
		{"pem", p["ecdsa"].PEM(), pin.PEM},
		{"pem after text", join([]byte("subject=x\n"), p["ecdsa"].PEM()), pin.PEM},
		{"pem chain", join(p["ecdsa"].PEM(), p["rsa"].PEM()), pin.PEMChain},
		{"pem with key", join(p["ecdsa"].PEM(), p["ecdsa"].KeyPEM(t)), pin.PEMKey},
		{"pem public key", publicPEM, pin.PEMPublicKey},
		{"pem request", []byte("-----BEGIN CERTIFICATE REQUEST-----\nMA==\n-----END CERTIFICATE REQUEST-----\n"),
			pin.PEMOther},
		{"pem pkcs7", []byte("-----BEGIN PKCS7-----\nMA==\n-----END PKCS7-----\n"), pin.PKCS7},
		{"bom and pem", join([]byte("\xef\xbb\xbf"), p["ecdsa"].PEM()), pin.BOM},
		{"utf-16", []byte("\xff\xfe-\x00-\x00"), pin.BOM},
		{"base64", []byte(base64.StdEncoding.EncodeToString(der)), pin.Base64},
		{"trailing newline", join(der, []byte("\n")), pin.Trailing},
		{"trailing zeros", join(der, make([]byte, 12)), pin.Trailing},
		{"two in one", join(der, second), pin.DERChain},
		{"pkcs7", pkcs7, pin.PKCS7},
		{"pkcs7 with a newline", join(pkcs7, []byte("\n")), pin.PKCS7},
		{"pkcs12", pkcs12, pin.PKCS12},
		{"spki", p["rsa"].Certificate.RawSubjectPublicKeyInfo, pin.PublicKey},
		{"pkcs8", pkcs8, pin.PrivateKey},
		{"pkcs8 ecdsa", block.Bytes, pin.PrivateKey},
		{"sec1", sec1, pin.PrivateKey},
		{"encrypted key", encrypted, pin.PrivateKey},
		{"truncated", der[:len(der)/2], pin.Truncated},
		{"one byte short", der[:len(der)-1], pin.Truncated},
		{"one byte", der[:1], pin.Truncated},
		{"three bytes", der[:3], pin.Truncated},
		{"text", []byte("this is not a certificate\n"), pin.Text},
		{"html", []byte("<html>404</html>"), pin.Text},
		{"garbage", []byte{0, 1, 2, 3}, pin.Unknown},
		{"gif", []byte("GIF89a\x01\x00\x01\x00"), pin.Unknown},
		{"indefinite length", indefinite, pin.Broken},
		{"empty sequence", []byte{0x30, 0}, pin.Broken},
		{"request", tlv(0x30, tlv(0x30, tlv(0x02, []byte{0})), tlv(0x30, tlv(0x06, []byte{0x2a})),
			tlv(0x03, []byte{0})), pin.Broken},
	} {
		got, err := pin.ReadCER("f.cer", c.data)
		if err == nil {
			t.Errorf("%s: read as %v", c.name, got)
			continue
		}
		e := mustFormat(t, c.name, err)
		if e.Format != c.want {
			t.Errorf("%s: %q, want %q (%v)", c.name, e.Format, c.want, err)
		}
		if !strings.HasPrefix(err.Error(), "f.cer: not a DER certificate but ") ||
			!strings.Contains(err.Error(), string(c.want)) {
			t.Errorf("%s: message %q", c.name, err)
		}
		if _, err := pin.Of(c.data); err == nil {
			t.Errorf("%s has a pin", c.name)
		}
	}
}

func TestNamesThatDevicesLoad(t *testing.T) {
	for name, want := range map[string]bool{"a.cer": true, "X.CER": false, "a.Cer": false, "a.crt": false,
		"a.pem": false, "readme.txt": false, ".cer": true} {
		loaded, warning := pin.LoadedByDevices(name)
		if loaded != want || (warning == "") != (want || name == "readme.txt") {
			t.Errorf("LoadedByDevices(%q) = %v, %q", name, loaded, warning)
		}
	}
}

func FuzzSPKI(f *testing.F) {
	for _, p := range certificates(f) {
		f.Add(p.DER())
	}
	odd, _ := oddCertificate()
	f.Add(odd)
	f.Add([]byte("-----BEGIN CERTIFICATE-----"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := pin.ReadCER("f.cer", data)
		known, knownErr := x509.ParseCertificate(data)
		if err != nil {
			var e *pin.FormatError
			if !errors.As(err, &e) || e.Format == "" || e.Format == pin.DER {
				t.Fatalf("error %v", err)
			}
			return // crypto/x509 also reads certificates with bytes after the signature
		}
		if !bytes.Contains(data, c.SPKI) {
			t.Fatal("the public key is not a part of the certificate")
		}
		if knownErr == nil && !bytes.Equal(known.RawSubjectPublicKeyInfo, c.SPKI) {
			t.Fatal("crypto/x509 finds another public key")
		}
		if strings.ContainsAny(c.Subject+c.Issuer, "\n\x1b\x00") {
			t.Fatalf("a name with control characters: %q", c.Subject)
		}
	})
}
