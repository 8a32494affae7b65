package ca_test

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/ca"
	"github.com/cordon-sec/cordon/internal/testpki"
)

func create(t *testing.T, o ca.Options) *ca.Authority {
	t.Helper()
	a, err := ca.Create(filepath.Join(t.TempDir(), "ca"), o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func issuer(t *testing.T, a *ca.Authority, o ca.IssuerOptions) *ca.Issuer {
	t.Helper()
	i, err := a.Issuer(o)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestCreateOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "ca")
	if _, err := ca.Open(dir); !errors.Is(err, ca.ErrNone) {
		t.Fatalf("Open before Create: %v", err)
	}
	var created atomic.Int32
	var prints sync.Map
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			a, mine, err := ca.OpenOrCreate(dir, ca.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			if mine {
				created.Add(1)
			}
			prints.Store(a.Fingerprint(), true)
		})
	}
	wg.Wait()
	n := 0
	prints.Range(func(any, any) bool { n++; return true })
	if created.Load() != 1 || n != 1 {
		t.Errorf("%d processes created an authority, %d different ones", created.Load(), n)
	}
	if _, err := ca.Create(dir, ca.Options{}); !errors.Is(err, ca.ErrExists) {
		t.Errorf("Create again: %v", err)
	}
	for name, mode := range map[string]fs.FileMode{ca.KeyFile: 0o600, ca.CertificateFile: 0o644} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v, want %v", name, info.Mode(), err, mode)
		}
	}
	left, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Create(other, ca.Options{}); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("Create beside other files: %v", err)
	}
}

func TestCreatedAuthority(t *testing.T) {
	a := create(t, ca.Options{})
	c := a.Certificate()
	if _, ok := c.PublicKey.(*ecdsa.PublicKey); !ok || !c.IsCA || !c.MaxPathLenZero || len(a.Permitted()) != 0 ||
		len(a.Notes()) != 0 {
		t.Errorf("certificate %+v", c)
	}
	if !strings.HasPrefix(c.Subject.CommonName, "Cordon development CA") || len(a.Fingerprint()) != 95 ||
		a.String() != c.Subject.CommonName {
		t.Errorf("named %q, fingerprint %s", a, a.Fingerprint())
	}
	if block, rest := pem.Decode(a.PEM()); block == nil || len(rest) > 0 || block.Type != "CERTIFICATE" ||
		string(block.Bytes) != string(c.Raw) {
		t.Errorf("PEM text %s", a.PEM())
	}
	if s := fmt.Sprintf("%s %v", a, a); strings.Contains(s, "PRIVATE") || strings.Contains(s, "0x") {
		t.Errorf("it prints as %s", s)
	}
	for name, o := range map[string]ca.Options{
		"short life": {Lifetime: time.Minute}, "long life": {Lifetime: 100 * ca.DefaultLifetime},
		"long name": {Name: strings.Repeat("x", 65)}, "bad host": {Permit: []string{"a b"}},
		"dot": {Permit: []string{"."}},
	} {
		if _, err := ca.Create(filepath.Join(t.TempDir(), "ca"), o); err == nil {
			t.Errorf("%s: created", name)
		}
	}
}

// TestLeavesWork connects to a server with each certificate.
func TestLeavesWork(t *testing.T) {
	a := create(t, ca.Options{})
	i := issuer(t, a, ca.IssuerOptions{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			secure := tls.Server(conn, &tls.Config{GetCertificate: i.GetCertificate})
			_, _ = io.WriteString(secure, "hello")
			_ = secure.Close()
		}
	})
	defer wg.Wait()
	defer l.Close()
	for _, host := range []string{"localhost", "API.example.org", "127.0.0.1",
		strings.Repeat("a", 60) + ".example.org"} {
		conn, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{RootCAs: a.Pool(), ServerName: host})
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		leaf := conn.ConnectionState().PeerCertificates[0]
		if body, err := io.ReadAll(conn); err != nil || string(body) != "hello" {
			t.Errorf("%s: %q, %v", host, body, err)
		}
		if life := leaf.NotAfter.Sub(leaf.NotBefore); life >= 398*24*time.Hour || leaf.IsCA {
			t.Errorf("%s: valid for %v, CA %v", host, life, leaf.IsCA)
		}
		_ = conn.Close()
	}
	for _, host := range []string{"", "*.example.org", "Example.org", "a b", "127.1", "::ffff:7f00:1",
		"fe80::1%eth0", "a."} {
		if c, err := i.Leaf(host); err == nil {
			t.Errorf("Leaf(%q) = %v", host, c.Leaf.DNSNames)
		}
	}
	if _, err := i.Leaf(); err == nil {
		t.Error("a certificate for no host")
	}
	both, err := i.Leaf("localhost", "127.0.0.1", "::1")
	if err != nil || both.Leaf.VerifyHostname("localhost") != nil || both.Leaf.VerifyHostname("[::1]") != nil {
		t.Errorf("several hosts: %v", err)
	}
}

func TestLimitedAuthority(t *testing.T) {
	named := issuer(t, create(t, ca.Options{Permit: []string{"localhost", "*.example.org"}}), ca.IssuerOptions{})
	addresses := issuer(t, create(t, ca.Options{Permit: []string{"127.0.0.0/8", "::1"}}), ca.IssuerOptions{})
	mixed := create(t, ca.Options{Permit: []string{"example.org", "10.0.0.1"}})
	for _, c := range []struct {
		issuer *ca.Issuer
		host   string
		want   bool
	}{
		{named, "localhost", true}, {named, "example.org", true}, {named, "a.b.example.org", true},
		{named, "example.com", false}, {named, "notexample.org", false}, {named, "127.0.0.1", false},
		{named, "::1", false}, {addresses, "127.9.9.9", true}, {addresses, "::1", true}, {addresses, "::2", false},
		{addresses, "10.0.0.1", false}, {addresses, "localhost", false},
		{issuer(t, mixed, ca.IssuerOptions{}), "10.0.0.1", true},
		{issuer(t, mixed, ca.IssuerOptions{}), "10.0.0.2", false},
	} {
		if _, err := c.issuer.Leaf(c.host); (err == nil) != c.want {
			t.Errorf("Leaf(%q): %v, want success %v", c.host, err, c.want)
		}
	}
	if got := strings.Join(mixed.Permitted(), " "); got != "example.org 10.0.0.1/32" {
		t.Errorf("Permitted() = %q", got)
	}
}

func TestIssuerCache(t *testing.T) {
	var mu sync.Mutex
	now := time.Now()
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	i := issuer(t, create(t, ca.Options{}), ca.IssuerOptions{Size: 2, Now: clock})
	serial := func(host string) string {
		t.Helper()
		c, err := i.Leaf(host)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.SerialNumber.String()
	}
	var serials sync.Map
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			c, err := i.Leaf("shared.example")
			if err != nil {
				t.Error(err)
				return
			}
			serials.Store(c.Leaf.SerialNumber.String(), true)
		})
	}
	wg.Wait()
	n := 0
	serials.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("one host was signed for %d times", n)
	}
	first, second := serial("a.example"), serial("b.example")
	if first == second || serial("a.example") != first || serial("b.example") != second {
		t.Error("certificates are not kept")
	}
	serial("c.example")
	if serial("b.example") != second {
		t.Error("the last used was dropped")
	}
	if serial("a.example") == first {
		t.Error("more than two are kept")
	}
	kept := serial("b.example")
	mu.Lock()
	now = now.Add(ca.LeafLifetime * 3 / 4)
	mu.Unlock()
	c, err := i.Leaf("b.example")
	if err != nil || c.Leaf.SerialNumber.String() == kept ||
		c.Leaf.NotAfter.Before(now.Add(ca.LeafLifetime-time.Minute)) {
		t.Errorf("a certificate near its end was not renewed: %v", err)
	}
	mu.Lock()
	now = now.Add(-48 * time.Hour) // the clock is set back, to before the certificate begins
	mu.Unlock()
	back, err := i.Leaf("b.example")
	if err != nil || now.Before(back.Leaf.NotBefore) || back.Leaf.SerialNumber.Cmp(c.Leaf.SerialNumber) == 0 {
		t.Errorf("a certificate that is not yet valid was given: %v", err)
	}
	if _, err := i.Leaf("bad host"); err == nil {
		t.Error("a bad host got a certificate")
	}
}

// TestLoadOperatorsAuthority loads what an operator brings: other keys, and an
// intermediate whose root the clients trust.
func TestLoadOperatorsAuthority(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, parts ...[]byte) string {
		path := filepath.Join(dir, name)
		var data []byte
		for _, p := range parts {
			data = append(data, p...)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	root := testpki.Root(t, testpki.Spec{Name: "Operator root", Key: "rsa"})
	middle := root.Intermediate(t, testpki.Spec{Name: "Operator middle"})
	cert, key := write("m.pem", middle.PEM(), root.PEM()), write("m.key", middle.KeyPEM(t))
	a, err := ca.Load(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := issuer(t, a, ca.IssuerOptions{}).Leaf("a.example")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Certificate) != 2 {
		t.Fatalf("%d certificates are sent, want the leaf and the intermediate", len(c.Certificate))
	}
	between := x509.NewCertPool()
	between.AddCert(middle.Certificate)
	if _, err := c.Leaf.Verify(x509.VerifyOptions{DNSName: "a.example", Roots: root.Pool(),
		Intermediates: between}); err != nil {
		t.Error(err)
	}
	for _, kind := range []string{"ecdsa", "ed25519"} {
		p := testpki.Root(t, testpki.Spec{Name: kind, Key: kind})
		if _, err := ca.Load(write(kind+".pem", p.PEM()), write(kind+".key", p.KeyPEM(t))); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	der, rsaKey := root.DER(), root.Key.(*rsa.PrivateKey)
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)})
	if _, err := ca.Load(write("r.der", der), write("r.key", pkcs1)); err != nil {
		t.Errorf("DER and PKCS#1: %v", err)
	}
	sec1, _ := x509.MarshalECPrivateKey(middle.Key.(*ecdsa.PrivateKey))
	if _, err := ca.Load(cert,
		write("sec1.key", pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1}))); err != nil {
		t.Errorf("SEC 1: %v", err)
	}
	open := write("open.key", middle.KeyPEM(t))
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	if a, err := ca.Load(cert, open); err != nil || len(a.Notes()) < 1 || !strings.Contains(a.Notes()[0], "0644") {
		t.Errorf("a key that others can read: %v, %v", a.Notes(), err)
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	root := testpki.Root(t, testpki.Spec{Name: "Root"})
	other := testpki.Root(t, testpki.Spec{Name: "Other", Key: "rsa"})
	leaf := root.Leaf(t, testpki.Spec{Name: "leaf"})
	old := testpki.Root(t, testpki.Spec{Name: "Old", To: testpki.Now.Add(-time.Minute)})
	good, goodKey := write("good.pem", root.PEM()), write("good.key", root.KeyPEM(t))
	encrypted := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")})
	broken := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("hunter2")})
	for name, c := range map[string]struct {
		cert, key string
		want      error
		says      string
	}{
		"wrong key":      {good, write("other.key", other.KeyPEM(t)), ca.ErrWrongKey, "other.key"},
		"leaf":           {write("leaf.pem", leaf.PEM()), write("leaf.key", leaf.KeyPEM(t)), ca.ErrNotCA, "leaf.pem"},
		"expired":        {write("old.pem", old.PEM()), write("old.key", old.KeyPEM(t)), ca.ErrExpired, "old.pem"},
		"no certificate": {filepath.Join(dir, "none.pem"), goodKey, fs.ErrNotExist, "none.pem"},
		"no key":         {good, filepath.Join(dir, "none.key"), fs.ErrNotExist, "none.key"},
		"swapped":        {goodKey, good, nil, "no certificate in it"},
		"key is a cert":  {good, good, nil, "no private key in it"},
		"encrypted":      {good, write("enc.key", encrypted), nil, "is encrypted"},
		"broken key":     {good, write("broken.key", broken), nil, "must be in PKCS#8"},
		"text":           {write("text.pem", []byte("hello")), goodKey, nil, "no certificate in it"},
		"broken PEM cert": {write("b.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})),
			goodKey, nil, "certificate 1"},
	} {
		_, err := ca.Load(c.cert, c.key)
		if err == nil || !strings.Contains(err.Error(), c.says) || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error holds the file: %v", name, err)
		}
	}
}

func TestInstructions(t *testing.T) {
	authority, err := ca.Create(filepath.Join(t.TempDir(), "ca"), ca.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const file, quoted = "/tmp/ca's $(files)/ca.pem", `'/tmp/ca'\''s $(files)/ca.pem'`
	name := ca.StoreName(authority.Certificate())
	seen := map[string]bool{}
	for _, i := range ca.Instructions(file, authority.Certificate()) {
		if i.System == "" || i.Title == "" || len(i.Trust) == 0 || seen[i.System] {
			t.Errorf("instruction %+v", i)
		}
		seen[i.System] = true
		for _, line := range append(i.Trust, i.Undo...) {
			if strings.Contains(line, "ca.pem") && !strings.Contains(line, quoted) && i.System != "windows" {
				t.Errorf("%s: unquoted file in %q", i.System, line)
			}
		}
		if i.System == "chromium" && !strings.Contains(i.Undo[0], " -n "+name) {
			t.Errorf("%s: %s does not name %s", i.System, i.Undo[0], name)
		}
	}
}
