package pin_test

import (
	"errors"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/testpki"
	"github.com/cordon-sec/cordon/pin"
)

func newSet(t testing.TB, entries ...pin.Entry) *pin.Set {
	t.Helper()
	s, err := pin.NewSet(entries...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhichEntriesBindAHost(t *testing.T) {
	s := newSet(t,
		pin.Entry{Host: "example.org", Subdomains: true, Source: "wide"},
		pin.Entry{Host: "api.example.org", Source: "api"},
		pin.Entry{Host: "api.example.org", Source: "api too"},
		pin.Entry{Host: "deep.example.org", Subdomains: true, Source: "deep"},
		pin.Entry{Host: "alone.example.com", Source: "alone"},
	)
	for host, want := range map[string][]string{
		"example.org":           {"wide"},
		"www.example.org":       {"wide"},
		"api.example.org":       {"api", "api too"},
		"v1.api.example.org":    {"wide"},
		"deep.example.org":      {"deep"},
		"a.b.deep.example.org":  {"deep"},
		"alone.example.com":     {"alone"},
		"www.alone.example.com": nil,
		"notexample.org":        nil,
		"org":                   nil,
		"":                      nil,
		"192.0.2.1":             nil,
	} {
		bound, ok := s.For(host)
		var got []string
		for _, e := range bound.Entries() {
			got = append(got, e.Source)
		}
		if ok != (len(want) > 0) || len(got) != len(want) || (ok && (got[0] != want[0] || bound.Host != host)) {
			t.Errorf("For(%q) = %v, %v, want %v", host, got, ok, want)
		}
	}
	var none *pin.Set
	if _, ok := none.For("example.org"); ok || none.Entries() != nil {
		t.Error("a nil set binds a host")
	}
}

func TestEntriesThatAreRefused(t *testing.T) {
	for name, e := range map[string]pin.Entry{
		"no host":         {},
		"upper case":      {Host: "Example.org"},
		"wildcard":        {Host: "*.example.org"},
		"trailing dot":    {Host: "example.org."},
		"port":            {Host: "example.org:443"},
		"address":         {Host: "192.0.2.1"},
		"IPv6":            {Host: "::1"},
		"other script":    {Host: "exämple.org"},
		"empty label":     {Host: "a..example"},
		"long label":      {Host: string(make([]byte, 64)) + ".example"},
		"mixed":           {Host: "example.org", Anchors: [][]byte{{1}}},
		"mixed otherwise": {Host: "example.org", Mode: pin.InsteadOfRoots, Hashes: []pin.Hash{{1}}},
		"mode":            {Host: "example.org", Mode: 9},
	} {
		if _, err := pin.NewSet(e); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestVerify(t *testing.T) {
	root := testpki.Root(t, testpki.Spec{Name: "Root"})
	middle := root.Intermediate(t, testpki.Spec{Name: "Middle"})
	leaf := middle.Leaf(t, testpki.Spec{Name: "a.example", Hosts: []string{"a.example"}})
	renewed := middle.Leaf(t, testpki.Spec{Name: "a.example", Hosts: []string{"a.example"}, Signer: leaf.Key})
	other := testpki.Root(t, testpki.Spec{Name: "Other"})
	chain := [][]byte{leaf.DER(), middle.DER(), root.DER()}
	hash := func(p *testpki.Pair) pin.Hash {
		h, err := pin.Of(p.DER())
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	now := testpki.Now
	onTop := func(expires time.Time, hashes ...pin.Hash) pin.Entry {
		return pin.Entry{Host: "a.example", Hashes: hashes, Expires: expires}
	}
	instead := func(expires time.Time, anchors ...[]byte) pin.Entry {
		return pin.Entry{Host: "a.example", Mode: pin.InsteadOfRoots, Anchors: anchors, Expires: expires}
	}
	never, past := time.Time{}, now.Add(-time.Nanosecond)
	for name, c := range map[string]struct {
		entries []pin.Entry
		chain   [][]byte
		want    error
		backup  bool
	}{
		"leaf":                  {[]pin.Entry{onTop(never, hash(leaf))}, chain, nil, false},
		"leaf with backup":      {[]pin.Entry{onTop(never, hash(leaf), hash(other))}, chain, nil, true},
		"two pins, both in use": {[]pin.Entry{onTop(never, hash(leaf), hash(middle))}, chain, nil, false},
		"root":                  {[]pin.Entry{onTop(never, hash(root))}, chain, nil, false},
		"renewed with the key": {[]pin.Entry{onTop(never, hash(leaf))},
			[][]byte{renewed.DER(), middle.DER(), root.DER()}, nil, false},
		"none matches": {[]pin.Entry{onTop(never, hash(other))}, chain, pin.ErrMismatch, true},
		"empty":        {[]pin.Entry{onTop(never)}, chain, pin.ErrNoPins, false},
		"expired":      {[]pin.Entry{onTop(past, hash(leaf))}, chain, pin.ErrExpired, false},
		"expires now":  {[]pin.Entry{onTop(now, hash(leaf))}, chain, pin.ErrExpired, false},
		"one expired, one live": {[]pin.Entry{onTop(past, hash(leaf)), onTop(never, hash(other))}, chain,
			pin.ErrMismatch, true},
		"expired and unreadable": {[]pin.Entry{onTop(past, hash(leaf)), onTop(never)}, chain, pin.ErrExpired, false},
		"unreadable and live":    {[]pin.Entry{onTop(never), onTop(never, hash(leaf))}, chain, nil, false},
		"empty chain":            {[]pin.Entry{onTop(never, hash(leaf))}, nil, pin.ErrMismatch, true},
		"anchor":                 {[]pin.Entry{instead(never, middle.DER())}, chain, nil, false},
		"other anchor":           {[]pin.Entry{instead(never, other.DER())}, chain, pin.ErrMismatch, false},
		"anchor by key only":     {[]pin.Entry{instead(never, renewed.DER())}, chain, pin.ErrMismatch, false},
		"no anchor":              {[]pin.Entry{instead(never)}, chain, pin.ErrNoPins, false},
		"expired anchor":         {[]pin.Entry{instead(past, root.DER())}, chain, pin.ErrExpired, false},
		"both": {[]pin.Entry{instead(never, root.DER()), onTop(never, hash(leaf))}, chain, nil,
			false},
		"both, hash wrong": {[]pin.Entry{instead(never, root.DER()), onTop(never, hash(other))}, chain,
			pin.ErrMismatch, true},
		"both, anchor wrong": {[]pin.Entry{instead(never, other.DER()), onTop(never, hash(leaf))}, chain,
			pin.ErrMismatch, false},
		"both, no hash": {[]pin.Entry{instead(never, root.DER()), onTop(never)}, chain, pin.ErrNoPins, false},
	} {
		bound, ok := newSet(t, c.entries...).For("a.example")
		if !ok {
			t.Fatalf("%s: not bound", name)
		}
		if err := bound.Verify(c.chain, now); !errors.Is(err, c.want) || (c.want == nil) != (err == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if got := bound.HasBackup(c.chain, now); got != c.backup {
			t.Errorf("%s: backup %v, want %v", name, got, c.backup)
		}
	}
	bound, _ := newSet(t, onTop(never, hash(leaf))).For("a.example")
	var format *pin.FormatError
	if err := bound.Verify([][]byte{[]byte("x")}, now); !errors.As(err, &format) {
		t.Errorf("a chain that cannot be read: %v", err)
	}
	if !errors.Is((pin.Bound{}).Verify(chain, now), pin.ErrNoPins) {
		t.Error("the zero Bound accepts a chain")
	}
}
