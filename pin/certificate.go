package pin

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/cordon-sec/cordon/internal/wording"
)

// Certificate is what a person needs to know about a certificate that is
// pinned. It is read leniently: what cannot be understood is left empty, since
// the pin is right all the same.
type Certificate struct {
	// Raw is the whole certificate in DER.
	Raw []byte
	// SPKI is the SubjectPublicKeyInfo, a part of Raw.
	SPKI []byte
	// Subject and Issuer are distinguished names as "CN=…, O=…".
	Subject, Issuer string
	// Names are the DNS names and addresses of the subject alternative name.
	Names []string
	// NotBefore and NotAfter are the validity, zero where unreadable.
	NotBefore, NotAfter time.Time
	// Serial is the serial number in hexadecimal.
	Serial string
	// Key names the public key, such as "RSA 2048", "ECDSA P-256" or "Ed25519";
	// an unknown algorithm by its object identifier.
	Key string
	// CA says that the certificate may sign others.
	CA bool
	// SelfIssued says that subject and issuer are the same.
	SelfIssued bool
}

// Pin returns the RFC 7469 hash of the certificate's key.
func (c *Certificate) Pin() Hash { return HashOf(c.SPKI) }

// CommonName returns the subject's common name, or "".
func (c *Certificate) CommonName() string {
	for part := range strings.SplitSeq(c.Subject, ", ") {
		if name, ok := strings.CutPrefix(part, "CN="); ok {
			return name
		}
	}
	return ""
}

func newCertificate(der []byte, f frame) *Certificate {
	c := &Certificate{
		Raw:        der,
		SPKI:       f.spki.full,
		Subject:    distinguishedName(f.subject.body),
		Issuer:     distinguishedName(f.issuer.body),
		Serial:     hex.EncodeToString(f.serial),
		Key:        keyName(f.spki.body),
		SelfIssued: string(f.subject.full) == string(f.issuer.full),
	}
	c.NotBefore, c.NotAfter = validity(f.validity.body)
	c.readExtensions(f.extensions)
	return c
}

// validity reads the two times of RFC 5280 section 4.1.2.5.
func validity(body []byte) (from, to time.Time) {
	first, rest, err := next(body)
	if err != nil {
		return from, to
	}
	from = readTime(first)
	if second, _, err := next(rest); err == nil {
		to = readTime(second)
	}
	return from, to
}

func readTime(e element) time.Time {
	text := string(e.body)
	switch e.tag {
	case tagUTCTime:
		// Two-digit years up to 49 are 20xx, later ones 19xx.
		if len(text) < 2 {
			return time.Time{}
		}
		century := "19"
		if text[0] < '5' {
			century = "20"
		}
		text = century + text
	case tagGeneralizedTime:
	default:
		return time.Time{}
	}
	t, err := time.Parse("20060102150405Z", text)
	if err != nil {
		return time.Time{}
	}
	return t
}

// attributeNames are the name types of RFC 4519 that certificates use.
var attributeNames = map[string]string{
	"2.5.4.3": "CN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST",
	"2.5.4.9": "street", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.97": "organizationIdentifier",
	"0.9.2342.19200300.100.1.25": "DC", "1.2.840.113549.1.9.1": "emailAddress",
}

// distinguishedName writes a name in the order of the certificate, as
// "C=US, O=Example, CN=Root". Control characters are escaped, so that a name
// cannot forge a line of output.
func distinguishedName(body []byte) string {
	var parts []string
	for len(body) > 0 {
		set, rest, err := expect(body, tagSet, "")
		if err != nil {
			break
		}
		body = rest
		for inner := set.body; len(inner) > 0; {
			pair, rest, err := expect(inner, tagSequence, "")
			if err != nil {
				break
			}
			inner = rest
			if part, ok := attribute(pair.body); ok {
				parts = append(parts, part)
			}
		}
	}
	return strings.Join(parts, ", ")
}

func attribute(body []byte) (string, bool) {
	oid, rest, err := expect(body, tagOID, "")
	if err != nil {
		return "", false
	}
	value, _, err := next(rest)
	if err != nil {
		return "", false
	}
	name := oidString(oid.body)
	if known, ok := attributeNames[name]; ok {
		name = known
	}
	return name + "=" + wording.Printable(directoryString(value)), true
}

func directoryString(e element) string {
	switch e.tag {
	case tagUTF8String, tagPrintableString, tagIA5String:
		return string(e.body)
	case tagTeletexString:
		runes := make([]rune, len(e.body))
		for i, b := range e.body {
			runes[i] = rune(b)
		}
		return string(runes)
	case tagBMPString:
		units := make([]uint16, len(e.body)/2)
		for i := range units {
			units[i] = uint16(e.body[2*i])<<8 | uint16(e.body[2*i+1])
		}
		return string(utf16.Decode(units))
	}
	return "#" + hex.EncodeToString(e.full)
}

func oidString(body []byte) string {
	var numbers []string
	var n uint64
	for _, b := range body {
		if n > 1<<56 {
			return hex.EncodeToString(body)
		}
		n = n<<7 | uint64(b&0x7f)
		if b&0x80 != 0 {
			continue
		}
		if len(numbers) == 0 {
			first := min(n/40, 2)
			numbers = append(numbers, strconv.FormatUint(first, 10))
			n -= first * 40
		}
		numbers = append(numbers, strconv.FormatUint(n, 10))
		n = 0
	}
	return strings.Join(numbers, ".")
}

var (
	keyAlgorithms = map[string]string{
		"1.2.840.113549.1.1.10": "RSA-PSS", "1.3.101.112": "Ed25519", "1.3.101.113": "Ed448",
		"1.3.101.110": "X25519", "1.2.840.10040.4.1": "DSA",
		"2.16.840.1.101.3.4.3.17": "ML-DSA-44", "2.16.840.1.101.3.4.3.18": "ML-DSA-65",
		"2.16.840.1.101.3.4.3.19": "ML-DSA-87",
	}
	curves = map[string]string{
		"1.2.840.10045.3.1.7": "P-256", "1.3.132.0.34": "P-384", "1.3.132.0.35": "P-521",
		"1.3.132.0.33": "P-224", "1.3.132.0.10": "secp256k1",
	}
)

// keyName names the key of a SubjectPublicKeyInfo whose shape was checked.
func keyName(spki []byte) string {
	algorithm, rest, err := next(spki)
	if err != nil {
		return ""
	}
	oid, parameters, err := next(algorithm.body)
	if err != nil {
		return ""
	}
	switch name := oidString(oid.body); name {
	case "1.2.840.113549.1.1.1":
		return rsaName(rest)
	case "1.2.840.10045.2.1":
		curve, _, err := next(parameters)
		if err != nil || curve.tag != tagOID {
			return "ECDSA"
		}
		if known, ok := curves[oidString(curve.body)]; ok {
			return "ECDSA " + known
		}
		return "ECDSA " + oidString(curve.body)
	default:
		if known, ok := keyAlgorithms[name]; ok {
			return known
		}
		return name
	}
}

func rsaName(rest []byte) string {
	bits, _, err := next(rest)
	if err != nil || len(bits.body) < 1 {
		return "RSA"
	}
	key, _, err := expect(bits.body[1:], tagSequence, "")
	if err != nil {
		return "RSA"
	}
	modulus, _, err := expect(key.body, tagInteger, "")
	if err != nil {
		return "RSA"
	}
	n := modulus.body
	for len(n) > 0 && n[0] == 0 {
		n = n[1:]
	}
	return fmt.Sprintf("RSA %d", len(n)*8)
}

// readExtensions reads the two extensions that matter to a person: names and
// whether the certificate may sign others.
func (c *Certificate) readExtensions(list []byte) {
	for len(list) > 0 {
		extension, rest, err := expect(list, tagSequence, "")
		if err != nil {
			return
		}
		list = rest
		oid, rest, err := expect(extension.body, tagOID, "")
		if err != nil {
			return
		}
		if len(rest) > 0 && rest[0] == tagBoolean {
			if _, rest, err = next(rest); err != nil {
				return
			}
		}
		value, _, err := expect(rest, tagOctetString, "")
		if err != nil {
			return
		}
		switch oidString(oid.body) {
		case "2.5.29.17":
			c.Names = alternativeNames(value.body)
		case "2.5.29.19":
			c.CA = basicConstraints(value.body)
		}
	}
}

func basicConstraints(body []byte) bool {
	outer, _, err := expect(body, tagSequence, "")
	if err != nil {
		return false
	}
	flag, _, err := expect(outer.body, tagBoolean, "")
	return err == nil && len(flag.body) == 1 && flag.body[0] == 0xff
}

func alternativeNames(body []byte) []string {
	outer, _, err := expect(body, tagSequence, "")
	if err != nil {
		return nil
	}
	var names []string
	for list := outer.body; len(list) > 0; {
		name, rest, err := next(list)
		if err != nil {
			return names
		}
		list = rest
		switch name.tag {
		case 0x82: // dNSName
			names = append(names, wording.Printable(string(name.body)))
		case 0x87: // iPAddress
			if addr, ok := netip.AddrFromSlice(name.body); ok {
				names = append(names, addr.String())
			}
		}
	}
	return names
}
