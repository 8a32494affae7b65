package pin

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	hostname "github.com/cordon-sec/cordon/host"
)

// Mode says what a pin does to the system's roots.
type Mode uint8

// The modes.
const (
	// OnTopOfRoots pins hold in addition to the normal check: the chain must
	// verify against the roots, and one of its certificates must have a pinned
	// key.
	OnTopOfRoots Mode = iota
	// InsteadOfRoots pins are certificates that take the place of the roots:
	// the chain must lead to one of them, and the roots are not asked.
	InsteadOfRoots
)

// String returns the mode's name, such as "on top of the roots".
func (m Mode) String() string {
	switch m {
	case OnTopOfRoots:
		return "on top of the roots"
	case InsteadOfRoots:
		return "instead of the roots"
	}
	return "invalid mode"
}

// Entry binds one host, or a host and everything below it, to pins. An entry
// without pins is not without effect: it binds its host to nothing, so that
// every connection there fails. That is what becomes of a pin that could not
// be read.
type Entry struct {
	// Host is a host name as an A-label in lower case, without wildcard, port
	// or trailing dot. Addresses are never pinned (RFC 7469 section 2.3.3).
	Host string
	// Subdomains makes the entry count for every name below Host as well.
	Subdomains bool
	Mode       Mode
	// Hashes are the pins of an OnTopOfRoots entry.
	Hashes []Hash
	// Authority says that the pins are of keys of certificate authorities,
	// for systems that keep these apart from a host's own (iOS). Wherever
	// Cordon itself checks, any key of the verified chain counts.
	Authority bool
	// Anchors are the certificates of an InsteadOfRoots entry, each in DER.
	Anchors [][]byte
	// Expires is when the entry stops to count; zero: never. A host all of
	// whose pins are expired cannot be reached: pins that silently turn off are
	// the hole that they were to close.
	Expires time.Time
	// Source says where the entry was read, for messages, such as
	// "config.xml:12:3" or "www/certificates/api.example.org.cer".
	Source string
}

// Set is a set of pins that belong to hosts. It is immutable and safe for
// concurrent use. A nil Set binds no host.
type Set struct {
	exact map[string][]Entry
	below map[string][]Entry
	all   []Entry
}

// NewSet makes a set. It returns an error for an entry whose host is not in
// normal form or whose pins do not fit its mode.
func NewSet(entries ...Entry) (*Set, error) {
	s := &Set{exact: map[string][]Entry{}, below: map[string][]Entry{}, all: slices.Clone(entries)}
	for _, e := range entries {
		if err := e.check(); err != nil {
			return nil, err
		}
		s.exact[e.Host] = append(s.exact[e.Host], e)
		if e.Subdomains {
			s.below[e.Host] = append(s.below[e.Host], e)
		}
	}
	return s, nil
}

func (e *Entry) check() error {
	if err := CheckHost(e.Host); err != nil {
		return fmt.Errorf("pin%s: %w", at(e.Source), err)
	}
	switch {
	case e.Mode == OnTopOfRoots && len(e.Anchors) > 0:
		return fmt.Errorf("pin for %s%s: certificates given for pins on top of the roots", e.Host, at(e.Source))
	case e.Mode == InsteadOfRoots && len(e.Hashes) > 0:
		return fmt.Errorf("pin for %s%s: key hashes given for pins instead of the roots", e.Host, at(e.Source))
	case e.Mode > InsteadOfRoots:
		return fmt.Errorf("pin for %s%s: unknown mode", e.Host, at(e.Source))
	}
	return nil
}

func at(source string) string {
	if source == "" {
		return ""
	}
	return " at " + source
}

// CheckHost returns an error unless host is a host name that pins can belong
// to: labels of lower-case letters, digits, hyphens and underscores, and not
// an address.
func CheckHost(host string) error {
	n, err := hostname.Parse(host)
	switch {
	case err != nil:
		return fmt.Errorf("host %q: %w", host, err)
	case n.Addr().IsValid():
		return fmt.Errorf("host %q: an address cannot be pinned", host)
	case n.String() != host:
		return fmt.Errorf("host %q: it must be in normal form, which is %s", host, n)
	}
	return nil
}

// Entries returns all entries in the order given. The caller must not change
// them.
func (s *Set) Entries() []Entry {
	if s == nil {
		return nil
	}
	return s.all
}

// For returns the pins that bind host, which must be a lower-case name: the
// entries that name it, else those of the nearest name above it that counts
// for subdomains, as Android and TrustKit do. ok is false if none does.
func (s *Set) For(host string) (b Bound, ok bool) {
	if s == nil {
		return Bound{}, false
	}
	if entries := s.exact[host]; len(entries) > 0 {
		return Bound{Host: host, entries: entries}, true
	}
	for parent := host; ; {
		_, rest, found := strings.Cut(parent, ".")
		if !found {
			return Bound{}, false
		}
		if entries := s.below[rest]; len(entries) > 0 {
			return Bound{Host: host, entries: entries}, true
		}
		parent = rest
	}
}

// Why the pins of a host refuse a connection.
var (
	// ErrNoPins: the host is bound, and no pin could be read for it.
	ErrNoPins = errors.New("the host is pinned, but there is no readable pin")
	// ErrExpired: every pin of the host is expired.
	ErrExpired = errors.New("the pins of the host are expired")
	// ErrMismatch: no certificate of the chain is pinned.
	ErrMismatch = errors.New("no certificate of the chain is pinned")
)

// Bound are the pins that bind one host.
type Bound struct {
	Host    string
	entries []Entry
}

// Entries returns the entries that bind the host, expired ones included. The
// caller must not change them.
func (b Bound) Entries() []Entry { return b.entries }

// ReplacesRoots reports whether the host's pins take the place of the roots.
func (b Bound) ReplacesRoots() bool {
	return slices.ContainsFunc(b.entries, func(e Entry) bool { return e.Mode == InsteadOfRoots })
}

// Anchors returns the certificates, in DER, that take the place of the roots
// for this host at the time now. The error is ErrNoPins or ErrExpired.
func (b Bound) Anchors(now time.Time) ([][]byte, error) {
	var anchors [][]byte
	live, err := b.live(InsteadOfRoots, now)
	for _, e := range live {
		anchors = append(anchors, e.Anchors...)
	}
	return anchors, err
}

// Hashes returns the pinned keys of this host at the time now. The error is
// ErrNoPins or ErrExpired.
func (b Bound) Hashes(now time.Time) ([]Hash, error) {
	var hashes []Hash
	live, err := b.live(OnTopOfRoots, now)
	for _, e := range live {
		hashes = append(hashes, e.Hashes...)
	}
	return hashes, err
}

// live returns the entries of a mode that have pins and are not expired.
func (b Bound) live(mode Mode, now time.Time) ([]Entry, error) {
	var live []Entry
	expired := false
	for _, e := range b.entries {
		switch {
		case e.Mode != mode || len(e.Hashes)+len(e.Anchors) == 0:
		case !e.Expires.IsZero() && !now.Before(e.Expires):
			expired = true
		default:
			live = append(live, e)
		}
	}
	switch {
	case len(live) > 0:
		return live, nil
	case expired:
		return nil, ErrExpired
	}
	return nil, ErrNoPins
}

// Verify checks a chain that was built and verified already, each certificate
// in DER, the leaf first: against the system's roots, or against Anchors if
// ReplacesRoots. Where a host has pins of both modes, both must hold. The
// error is ErrMismatch, ErrExpired, ErrNoPins or a *FormatError.
func (b Bound) Verify(chain [][]byte, now time.Time) error {
	replaces, onTop := b.ReplacesRoots(), false
	for _, e := range b.entries {
		onTop = onTop || e.Mode == OnTopOfRoots
	}
	if replaces {
		if err := b.verifyAnchors(chain, now); err != nil {
			return err
		}
	}
	if onTop || !replaces {
		return b.verifyHashes(chain, now)
	}
	return nil
}

func (b Bound) verifyAnchors(chain [][]byte, now time.Time) error {
	anchors, err := b.Anchors(now)
	if err != nil {
		return err
	}
	for _, der := range chain {
		for _, anchor := range anchors {
			if string(der) == string(anchor) {
				return nil
			}
		}
	}
	return ErrMismatch
}

func (b Bound) verifyHashes(chain [][]byte, now time.Time) error {
	hashes, err := b.Hashes(now)
	if err != nil {
		return err
	}
	for _, der := range chain {
		h, err := Of(der)
		if err != nil {
			return err
		}
		if slices.Contains(hashes, h) {
			return nil
		}
	}
	return ErrMismatch
}

// HasBackup reports whether the host has a pin that is not expired and matches
// no key of the chain (DER certificates): the backup pin that RFC 7469 section
// 2.5 requires, without which the loss of one key locks every app out.
func (b Bound) HasBackup(chain [][]byte, now time.Time) bool {
	hashes, err := b.Hashes(now)
	if err != nil {
		return false
	}
	inChain := map[Hash]bool{}
	for _, der := range chain {
		if h, err := Of(der); err == nil {
			inChain[h] = true
		}
	}
	return slices.ContainsFunc(hashes, func(h Hash) bool { return !inChain[h] })
}
