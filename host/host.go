// Package host reads host names as browsers read them, for everything that
// compares, lists or dials one: there is one reading, and it is here.
//
// [Parse] brings a host into its one normal form, a [Name]: a name as lower-case
// A-labels without a trailing dot, or an address in its canonical spelling. Names
// are mapped by UTS 46, non-transitional, with CheckHyphens and UseSTD3ASCIIRules
// off, as the WHATWG URL Standard does (section 3.5, "domain to ASCII"); so
// r3---sn.x.example, _x.example and -a.example are names. What some resolver or C
// library would read as another host is an error rather than that host: short,
// octal, hexadecimal and full-width addresses, zones, empty labels. An IPv4
// address that is written as IPv6 (::ffff:1.2.3.4) is the IPv4 address.
//
// [Parse] is what nearly everybody needs, and [ParseASCII] what reads the wire:
// their errors say what is wrong with the host and what to write instead. A Name
// is a comparable value, with == for equal hosts; it is immutable and safe for
// concurrent use.
//
// The package is pure: no network, no clock, no log.
package host

import (
	"errors"
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Name is a host in its one normal form. Names compare with ==. The zero Name is
// no host; it never comes from Parse.
type Name struct {
	text string
	addr netip.Addr
}

// The reasons for which a text is not a host.
var (
	ErrEmpty     = errors.New("the host is empty")
	ErrCharacter = errors.New("a character in the host cannot stand in a host name")
	ErrNotASCII  = errors.New("the host has a character that is not ASCII; names on the wire must be A-labels")
	ErrLabel     = errors.New("the host has an empty label, or one of more than 63 characters")
	ErrLong      = errors.New("the host name is too long: at most 253 characters")
	ErrAddress   = errors.New("the host is an address that is not in its canonical spelling")
	ErrMapping   = errors.New("the host name cannot be mapped to A-labels")
)

// maxName is the longest name (RFC 1035, section 2.3.4), without its last dot;
// maxWritten is how long one may be before it is mapped, in bytes: mapping takes
// time.
const (
	maxName    = 253
	maxWritten = 1024
)

// Parse reads a host as it stands in a URL: a name, an IPv4 address, or an IPv6
// address in brackets. One dot at the end of a name is left out. It does not
// allocate for a host that is in normal form already.
func Parse(s string) (Name, error) {
	text, addr, err := normal(s)
	if err != nil {
		return Name{}, err
	}
	return Name{text, addr}, nil
}

// ParseASCII is Parse for a host as it comes over the wire, in a TLS server name,
// a Host field or a request target: there names are A-labels (RFC 6066, section
// 3; RFC 9110, section 4.2.3; RFC 3986, section 3.2.2), and whoever sends another
// script, or what some reader folds into a letter (U+212A, U+017F), is refused.
func ParseASCII(s string) (Name, error) {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return Name{}, ErrNotASCII
		}
	}
	return Parse(s)
}

// ParsePlain is Parse for a host as it stands alone, as [Name.String] writes it: an
// address of IPv6 has no brackets.
func ParsePlain(s string) (Name, error) {
	if strings.IndexByte(s, ':') >= 0 {
		s = "[" + s + "]"
	}
	return Parse(s)
}

// Normalize returns the text of the Name that Parse returns, but keeps the case
// of ASCII letters, for callers that compare without it: then nothing is
// allocated for a name that is written in ASCII. An IPv6 address keeps its
// brackets.
func Normalize(s string) (string, error) {
	text, addr, err := read(s)
	if err == nil && addr.Is6() {
		return s, nil // it is canonical, or it would have been an error
	}
	return text, err
}

// FromAddr returns the Name of an address. A zone is left out.
func FromAddr(a netip.Addr) Name {
	a = a.Unmap().WithZone("")
	return Name{a.String(), a}
}

// String returns the normal form; an IPv6 address has no brackets.
func (n Name) String() string { return n.text }

// URL returns the host as it stands in a URL: an IPv6 address in brackets.
func (n Name) URL() string {
	if n.addr.Is6() {
		return "[" + n.text + "]"
	}
	return n.text
}

// Addr returns the address, invalid for a name.
func (n Name) Addr() netip.Addr { return n.addr }

// IsZero reports whether n is no host.
func (n Name) IsZero() bool { return n.text == "" }

// IsLoopback reports whether the host always means this machine: localhost and
// the names below it (RFC 6761, section 6.3), 127.0.0.0/8 and ::1.
func (n Name) IsLoopback() bool {
	if n.addr.IsValid() {
		return n.addr.IsLoopback()
	}
	return n.text == "localhost" || strings.HasSuffix(n.text, ".localhost")
}

// IsLoopback reports whether a host, with or without a port, with or without the
// brackets of an IPv6 address, always means this machine. It guards against names
// of strangers that lead here (DNS rebinding) and decides where tokens may go in
// the clear: what cannot be read is not loopback.
func IsLoopback(hostport string) bool {
	s := hostport
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Zone() == "" && a.Unmap().IsLoopback()
	}
	if i := strings.LastIndexByte(s, ':'); i >= 0 && strings.IndexByte(s[i:], ']') < 0 {
		if strings.Trim(s[i+1:], "0123456789") != "" {
			return false
		}
		s = s[:i]
	}
	n, err := Parse(s)
	return err == nil && n.IsLoopback()
}

// normal is read with the letters of a name in lower case.
func normal(s string) (string, netip.Addr, error) {
	text, addr, err := read(s)
	if err == nil {
		text = strings.ToLower(text) // which allocates only where there is an upper-case letter
	}
	return text, addr, err
}

// read checks a host and brings it into its normal form, but for the case of
// ASCII letters.
func read(s string) (string, netip.Addr, error) {
	switch {
	case s == "":
		return "", netip.Addr{}, ErrEmpty
	case len(s) > maxWritten:
		return "", netip.Addr{}, ErrLong
	case s[0] == '[':
		return readIPv6(s)
	}
	ascii := true
	labelStart, numeric := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '-', c == '_':
			numeric = false
		case '0' <= c && c <= '9':
			numeric = numeric || i == labelStart
		case c == '.':
			if i == labelStart || i-labelStart > 63 {
				return "", netip.Addr{}, ErrLabel
			}
			if i == len(s)-1 {
				s = s[:i]
				break
			}
			labelStart, numeric = i+1, false
		case c >= utf8.RuneSelf:
			ascii = false
		default:
			return "", netip.Addr{}, ErrCharacter
		}
	}
	if !ascii || hasACEPrefix(s) {
		text, err := mapped(s)
		return text, netip.Addr{}, err
	}
	switch {
	case len(s) > maxName:
		return "", netip.Addr{}, ErrLong
	case len(s)-labelStart > 63:
		return "", netip.Addr{}, ErrLabel
	case numeric || isHexadecimal(s[labelStart:]):
		a, err := netip.ParseAddr(s)
		if err != nil || !a.Is4() {
			return "", netip.Addr{}, ErrAddress
		}
		return s, a, nil
	}
	return s, netip.Addr{}, nil
}

// readIPv6 reads an address in brackets in its canonical spelling (RFC 5952),
// without a zone.
func readIPv6(s string) (string, netip.Addr, error) {
	inside, closed := strings.CutSuffix(s[1:], "]")
	a, err := netip.ParseAddr(inside)
	if !closed || err != nil || !a.Is6() || a.Zone() != "" || a.String() != inside {
		return "", netip.Addr{}, ErrAddress
	}
	if a.Is4In6() {
		a = a.Unmap()
		return a.String(), a, nil
	}
	return inside, a, nil
}

// hasACEPrefix reports whether some label may begin with "xn--": whether it has
// hyphens in the third and fourth place.
func hasACEPrefix(s string) bool {
	for i := 0; i+4 <= len(s); i++ {
		if (i == 0 || s[i-1] == '.') && s[i+1] != '.' && s[i+2] == '-' && s[i+3] == '-' {
			return true
		}
	}
	return false
}

// isHexadecimal reports whether a last label would be read as a hexadecimal
// number: "0x" and hexadecimal digits only (WHATWG URL, "ends in a number").
func isHexadecimal(label string) bool {
	if len(label) < 2 || label[0] != '0' || label[1]|0x20 != 'x' {
		return false
	}
	for i := 2; i < len(label); i++ {
		if c := label[i] | 0x20; !('0' <= label[i] && label[i] <= '9' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return true
}

// profile maps and checks names as browsers do.
var profile = idna.New(
	idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false),
	idna.CheckHyphens(false), idna.VerifyDNSLength(true), idna.BidiRule(), idna.CheckJoiners(true),
)

// mapped maps a name to A-labels. A name that turns into something else than a
// name, such as full-width digits into an address, is an error.
func mapped(s string) (string, error) {
	// The mapping drops empty labels at the end, which a browser keeps. A last
	// ASCII full stop is gone already.
	if !utf8.ValidString(s) {
		return "", ErrCharacter
	}
	if dotted := fullStops.Replace(s); strings.HasSuffix(dotted, ".") || strings.Contains(dotted, "..") {
		return "", ErrLabel
	}
	text, err := profile.ToASCII(s)
	if err != nil || text == "" {
		return "", ErrMapping
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return "", ErrCharacter
		}
	}
	text = strings.TrimSuffix(text, ".")
	last := text[strings.LastIndexByte(text, '.')+1:]
	if last == "" {
		return "", ErrLabel
	}
	if strings.Trim(last, "0123456789") == "" || isHexadecimal(last) {
		return "", ErrAddress
	}
	return text, nil
}

// fullStops writes what UTS 46 takes for a full stop as one.
var fullStops = strings.NewReplacer("\u3002", ".", "\uff0e", ".", "\uff61", ".")
