package egress

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/testpki"
)

// issuing is an extension that makes a list one of a part.
func issuing(t *testing.T, content ...byte) []pkix.Extension {
	t.Helper()
	value, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: content})
	if err != nil {
		t.Fatal(err)
	}
	return []pkix.Extension{{Id: issuingPoint, Critical: true, Value: value}}
}

// Contents of the extension: the parts at the addresses "a" and "b", of
// certificates that are no authorities', and lists for others.
var (
	partA    = []byte{0xa0, 5, 0xa0, 3, 0x86, 1, 'a', 0x81, 1, 0xff}
	partB    = []byte{0xa0, 5, 0xa0, 3, 0x86, 1, 'b', 0x81, 1, 0xff}
	indirect = []byte{0x84, 1, 0xff}
)

// TestRevocationLists: a chain is refused where a list of one of its authorities
// names one of its certificates, or does not count.
func TestRevocationLists(t *testing.T) {
	root := testpki.Root(t, testpki.Spec{Name: "Root"})
	below := root.Intermediate(t, testpki.Spec{Name: "Below"})
	leaf := below.Leaf(t, testpki.Spec{Name: host, Hosts: []string{host}})
	other := below.Leaf(t, testpki.Spec{Name: host, Hosts: []string{host}})
	namesake := testpki.Root(t, testpki.Spec{Name: "Below"})
	past, future := testpki.Now.Add(-48*time.Hour), testpki.Now.Add(48*time.Hour)
	revoked := func(pairs ...*testpki.Pair) testpki.List { return testpki.List{Revoked: pairs} }
	expired := testpki.List{From: past, To: past.Add(time.Hour)}
	expiredRevoked := testpki.List{From: past, To: past.Add(time.Hour), Revoked: []*testpki.Pair{leaf}}
	part := func(content []byte, l testpki.List) testpki.List {
		l.Extensions = issuing(t, content...)
		return l
	}
	damaged := func() []byte {
		block, _ := pem.Decode(below.CRL(t, testpki.List{}))
		block.Bytes[len(block.Bytes)-1] ^= 1
		return pem.EncodeToMemory(block)
	}
	for _, each := range []struct {
		name  string
		files [][]byte
		want  error
	}{
		{"no list", nil, nil},
		{"an empty list", [][]byte{below.CRL(t, testpki.List{})}, nil},
		{"another certificate", [][]byte{below.CRL(t, revoked(other))}, nil},
		{"the certificate", [][]byte{below.CRL(t, revoked(other, leaf))}, ErrRevoked},
		{"the intermediate", [][]byte{below.CRL(t, testpki.List{}), root.CRL(t, revoked(below))}, ErrRevoked},
		{"the root itself is not judged", [][]byte{root.CRL(t, revoked(root))}, nil},
		{"an expired list", [][]byte{below.CRL(t, expired)}, ErrRevocationUnknown},
		{"an expired list that names it", [][]byte{below.CRL(t, expiredRevoked)}, ErrRevoked},
		{"an expired list of the root", [][]byte{root.CRL(t, expired)}, ErrRevocationUnknown},
		{"revoked, and an expired list of the root", [][]byte{root.CRL(t, expired), below.CRL(t, revoked(leaf))},
			ErrRevoked},
		{"a list of tomorrow", [][]byte{below.CRL(t, testpki.List{From: future, To: future.Add(time.Hour)})},
			ErrRevocationUnknown},
		{"an expired list and a current one", [][]byte{below.CRL(t, expired), below.CRL(t, testpki.List{})}, nil},
		{"a current list and an expired one", [][]byte{below.CRL(t, testpki.List{}), below.CRL(t, expired)}, nil},
		{"a newer list without it", [][]byte{below.CRL(t, expiredRevoked), below.CRL(t, testpki.List{})}, nil},
		{"one file with two lists", [][]byte{append(root.CRL(t, testpki.List{}), below.CRL(t, revoked(leaf))...)},
			ErrRevoked},
		{"of an authority of the same name", [][]byte{namesake.CRL(t, revoked(leaf))}, nil},
		{"with a broken signature", [][]byte{damaged()}, ErrRevocationUnknown},
		{"one part names it, one does not", [][]byte{below.CRL(t, part(partA, testpki.List{})),
			below.CRL(t, part(partB, revoked(leaf)))}, ErrRevoked},
		{"one part has expired", [][]byte{below.CRL(t, part(partA, testpki.List{})),
			below.CRL(t, part(partB, expired))}, ErrRevocationUnknown},
	} {
		t.Run(each.name, func(t *testing.T) {
			lists := &RevocationLists{}
			for _, file := range each.files {
				if err := lists.Add(file); err != nil {
					t.Fatal(err)
				}
			}
			chain := []*x509.Certificate{leaf.Certificate, below.Certificate, root.Certificate}
			for range 2 { // the second time signatures are known
				if err := lists.Check(chain, testpki.Now); !errors.Is(err, each.want) ||
					each.want == nil && err != nil {
					t.Errorf("%v, want %v", err, each.want)
				}
			}
		})
	}
	var none *RevocationLists
	if err := none.Check([]*x509.Certificate{leaf.Certificate, below.Certificate}, testpki.Now); err != nil {
		t.Error(err)
	}
}

// TestListsThatDoNotCount: what cannot be heeded as a whole is an error.
func TestListsThatDoNotCount(t *testing.T) {
	root := testpki.Root(t, testpki.Spec{Name: "Root"})
	delta := pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, 1}}
	issuer := pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 29}, Critical: true, Value: []byte{0x30, 0}}
	der := func(file []byte) []byte {
		block, _ := pem.Decode(file)
		return block.Bytes
	}
	for _, each := range []struct{ name, says, file string }{
		{"nothing", "must hold revocation lists", ""},
		{"text", "must hold revocation lists", "revoked: all"},
		{"a certificate", "it holds a CERTIFICATE too", string(root.PEM())},
		{"PEM that is cut off", "0 of 1 can be read", "-----BEGIN X509 CRL-----\nMIIB"},
		{"something behind", "1 of 1 can be read", string(root.CRL(t, testpki.List{})) + "-----BEG"},
		{"a delta", "(of delta lists: use the whole list)",
			string(root.CRL(t, testpki.List{Extensions: []pkix.Extension{delta}}))},
		{"for other authorities", "(indirectCRL)",
			string(root.CRL(t, testpki.List{Extensions: issuing(t, indirect...)}))},
		{"a part that cannot be read", "cannot be read", string(root.CRL(t, testpki.List{
			Extensions: []pkix.Extension{{Id: issuingPoint, Critical: true, Value: []byte{0x30, 1}}}}))},
		{"an entry for another authority", "an entry of the list", string(root.CRL(t, testpki.List{
			Revoked: []*testpki.Pair{root},
			Entry:   func(e *x509.RevocationListEntry) { e.ExtraExtensions = []pkix.Extension{issuer} }}))},
	} {
		lists := &RevocationLists{}
		if err := lists.Add([]byte(each.file)); err == nil || !strings.Contains(err.Error(), each.says) {
			t.Errorf("%s: %v, want %q", each.name, err, each.says)
		}
		if lists.byIssuer != nil {
			t.Errorf("%s: half of it counts", each.name)
		}
	}
	if err := new(RevocationLists).Add(der(root.CRL(t, testpki.List{}))); err != nil {
		t.Errorf("DER: %v", err)
	}
}

// TestListsThatAreBeingWritten: a file of which a part is there counts as a whole or
// not at all, wherever it is cut off.
func TestListsThatAreBeingWritten(t *testing.T) {
	root := testpki.Root(t, testpki.Spec{Name: "Root"})
	first := root.Intermediate(t, testpki.Spec{Name: "First"}).CRL(t, testpki.List{})
	whole := append(first, root.CRL(t, testpki.List{Revoked: []*testpki.Pair{root}})...)
	for n := range whole {
		lists := &RevocationLists{}
		err := lists.Add(whole[:n])
		one := n == len(first) || n == len(first)-1 // the line's end may be missing
		if complete := n == len(whole)-1; (err == nil) != (one || complete) {
			t.Fatalf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
}

// TestOneKeyWithTwoIdentifiers: a list counts below every certificate of its
// authority's key.
func TestOneKeyWithTwoIdentifiers(t *testing.T) {
	root := testpki.Root(t, testpki.Spec{Name: "Root"})
	one := root.Intermediate(t, testpki.Spec{Name: "Below"})
	two := root.Intermediate(t, testpki.Spec{Name: "Below", Signer: one.Key,
		Change: func(c *x509.Certificate) { c.SubjectKeyId = []byte("another") }})
	leaf := one.Leaf(t, testpki.Spec{Name: host})
	lists := &RevocationLists{}
	if err := lists.Add(one.CRL(t, testpki.List{Revoked: []*testpki.Pair{leaf}})); err != nil {
		t.Fatal(err)
	}
	for _, issuer := range []*testpki.Pair{one, two} {
		chain := []*x509.Certificate{leaf.Certificate, issuer.Certificate, root.Certificate}
		if err := lists.Check(chain, testpki.Now); !errors.Is(err, ErrRevoked) {
			t.Errorf("below the key %x: %v", issuer.Certificate.SubjectKeyId, err)
		}
	}
}

// TestRevokedOrigins: the lists count for each connection, those of a destination
// before the configuration's.
func TestRevokedOrigins(t *testing.T) {
	root := testpki.Root(t, testpki.Spec{Name: "Root"})
	leaf := root.Leaf(t, testpki.Spec{Name: host, Hosts: []string{host}})
	lists := func(l testpki.List) *RevocationLists {
		r := &RevocationLists{}
		if err := r.Add(root.CRL(t, l)); err != nil {
			t.Fatal(err)
		}
		return r
	}
	named, none := lists(testpki.List{Revoked: []*testpki.Pair{leaf}}), lists(testpki.List{})
	old := lists(testpki.List{From: testpki.Now.Add(-time.Hour), To: testpki.Now.Add(-time.Minute)})
	port := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}})
	for i, each := range []struct {
		config, destination *RevocationLists
		want                Reason
	}{
		{nil, nil, fine}, {none, nil, fine}, {named, nil, Revoked}, {old, nil, RevocationUnknown},
		{nil, named, Revoked}, {named, none, fine}, {none, named, Revoked},
	} {
		c := Config{Roots: root.Pool(), Revocations: each.config}
		if got := connect(t, c, port, Destination{Revocations: each.destination}); got != each.want {
			t.Errorf("%d: %v, want %v", i, got, each.want)
		}
	}
}

func FuzzRevocationLists(f *testing.F) {
	root := testpki.Root(f, testpki.Spec{Name: "Root"})
	leaf := root.Leaf(f, testpki.Spec{Name: host})
	file := root.CRL(f, testpki.List{Revoked: []*testpki.Pair{leaf}})
	block, _ := pem.Decode(file)
	list, err := x509.ParseRevocationList(block.Bytes)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Add(block.Bytes)
	f.Add(slices.Concat(file, file))
	chain := []*x509.Certificate{leaf.Certificate, root.Certificate}
	f.Fuzz(func(t *testing.T, data []byte) {
		lists := &RevocationLists{}
		if lists.Add(data) != nil {
			return
		}
		if bytes.Contains(data, list.RawTBSRevocationList) || bytes.Contains(data, []byte("BEGIN")) {
			return // what is signed is there
		}
		if err := lists.Check(chain, testpki.Now); errors.Is(err, ErrRevoked) {
			t.Errorf("a list that the authority has not signed revokes: %v", err)
		}
	})
}
