package pin

import (
	"errors"
	"fmt"
)

// The DER tags that a certificate's frame uses.
const (
	tagBoolean         = 0x01
	tagInteger         = 0x02
	tagBitString       = 0x03
	tagOctetString     = 0x04
	tagOID             = 0x06
	tagUTF8String      = 0x0c
	tagPrintableString = 0x13
	tagTeletexString   = 0x14
	tagIA5String       = 0x16
	tagUTCTime         = 0x17
	tagGeneralizedTime = 0x18
	tagUniversalString = 0x1c
	tagBMPString       = 0x1e
	tagSequence        = 0x30
	tagSet             = 0x31
	tagContext0        = 0xa0 // [0] constructed: the version
	tagContext1        = 0x81 // [1] primitive: issuerUniqueID
	tagContext2        = 0x82 // [2] primitive: subjectUniqueID
	tagContext3        = 0xa3 // [3] constructed: the extensions
)

// errTruncated says that the input ends inside an element. It is kept apart
// from other errors because a truncated download is a common mistake with a
// remedy of its own.
var errTruncated = errors.New("the data ends inside an element")

// element is one tag-length-value of DER.
type element struct {
	tag  byte
	full []byte // with tag and length
	body []byte // the value alone
}

// next takes the first element off data. It accepts DER only: one-byte tags
// (a certificate's frame has no others), definite and shortest lengths (X.690
// sections 10.1 and 8.1.3).
func next(data []byte) (e element, rest []byte, err error) {
	if len(data) < 2 {
		return e, nil, errTruncated
	}
	e.tag = data[0]
	if e.tag&0x1f == 0x1f {
		return e, nil, fmt.Errorf("tag 0x%02x has more than one byte", e.tag)
	}
	length, header, err := readLength(data)
	if err != nil {
		return e, nil, err
	}
	if length > len(data)-header {
		return e, nil, errTruncated
	}
	e.full, e.body = data[:header+length], data[header:header+length]
	return e, data[header+length:], nil
}

// readLength returns the length of the value and the size of tag and length.
func readLength(data []byte) (length, header int, err error) {
	first := data[1]
	if first < 0x80 {
		return int(first), 2, nil
	}
	n := int(first & 0x7f)
	switch {
	case n == 0:
		return 0, 0, errors.New("an indefinite length: BER, not DER")
	case n > 4:
		return 0, 0, fmt.Errorf("a length of %d bytes", n)
	case len(data) < 2+n:
		return 0, 0, errTruncated
	}
	var u uint64
	for _, b := range data[2 : 2+n] {
		u = u<<8 | uint64(b)
	}
	if data[2] == 0 || u < 0x80 {
		return 0, 0, errors.New("a length that is not the shortest: BER, not DER")
	}
	if u > 1<<30 {
		return 0, 0, fmt.Errorf("a length of %d bytes", u)
	}
	return int(u), 2 + n, nil
}

// expect takes the first element off data and requires its tag.
func expect(data []byte, tag byte, what string) (e element, rest []byte, err error) {
	e, rest, err = next(data)
	if err != nil {
		return e, nil, fmt.Errorf("%s: %w", what, err)
	}
	if e.tag != tag {
		return e, nil, fmt.Errorf("%s: tag 0x%02x instead of 0x%02x", what, e.tag, tag)
	}
	return e, rest, nil
}

// frame is a certificate taken apart as far as every certificate can be
// (RFC 5280 section 4.1); nothing inside the parts is looked at.
type frame struct {
	version    int
	serial     []byte
	issuer     element
	validity   element
	subject    element
	spki       element
	extensions []byte // the body of the extensions' SEQUENCE; nil if none
}

// walk takes a certificate apart. The whole of der must be one certificate.
func walk(der []byte) (frame, error) {
	var f frame
	certificate, rest, err := expect(der, tagSequence, "certificate")
	if err != nil {
		return f, err
	}
	if len(rest) > 0 {
		return f, &trailingError{n: len(rest)}
	}
	tbs, rest, err := expect(certificate.body, tagSequence, "to-be-signed part")
	if err != nil {
		return f, err
	}
	if _, rest, err = expect(rest, tagSequence, "signature algorithm"); err != nil {
		return f, err
	}
	if _, rest, err = expect(rest, tagBitString, "signature"); err != nil {
		return f, err
	}
	if len(rest) > 0 {
		return f, fmt.Errorf("%d bytes after the signature", len(rest))
	}
	return f, f.walkTBS(tbs.body)
}

func (f *frame) walkTBS(data []byte) error {
	var err error
	f.version = 1
	if len(data) > 0 && data[0] == tagContext0 {
		var v element
		if v, data, err = expect(data, tagContext0, "version"); err != nil {
			return err
		}
		if v, _, err = expect(v.body, tagInteger, "version"); err != nil {
			return err
		}
		if len(v.body) != 1 || v.body[0] > 2 {
			return fmt.Errorf("version % x is unknown: X.509 has 1, 2 and 3", v.body)
		}
		f.version = int(v.body[0]) + 1
	}
	var serial, algorithm element
	for _, part := range []struct {
		to   *element
		tag  byte
		what string
	}{
		{&serial, tagInteger, "serial number"},
		{&algorithm, tagSequence, "signature algorithm"},
		{&f.issuer, tagSequence, "issuer"},
		{&f.validity, tagSequence, "validity"},
		{&f.subject, tagSequence, "subject"},
		{&f.spki, tagSequence, "public key"},
	} {
		if *part.to, data, err = expect(data, part.tag, part.what); err != nil {
			return err
		}
	}
	f.serial = serial.body
	if err := checkSPKI(f.spki.body); err != nil {
		return err
	}
	return f.walkOptional(data)
}

// walkOptional reads what may follow the public key: unique identifiers and
// extensions, in this order and nothing else.
func (f *frame) walkOptional(data []byte) error {
	last := byte(0)
	for len(data) > 0 {
		e, rest, err := next(data)
		if err != nil {
			return fmt.Errorf("after the public key: %w", err)
		}
		order := e.tag & 0x1f
		if (e.tag != tagContext1 && e.tag != tagContext2 && e.tag != tagContext3) || order <= last {
			return fmt.Errorf("after the public key: unexpected tag 0x%02x", e.tag)
		}
		if e.tag == tagContext3 {
			list, after, err := expect(e.body, tagSequence, "extensions")
			if err != nil {
				return err
			}
			if len(after) > 0 {
				return errors.New("extensions: bytes after the list")
			}
			f.extensions = list.body
		}
		last, data = order, rest
	}
	return nil
}

// checkSPKI requires the shape SEQUENCE { AlgorithmIdentifier, BIT STRING }.
func checkSPKI(body []byte) error {
	algorithm, rest, err := expect(body, tagSequence, "public key algorithm")
	if err != nil {
		return err
	}
	if _, _, err := expect(algorithm.body, tagOID, "public key algorithm"); err != nil {
		return err
	}
	if _, rest, err = expect(rest, tagBitString, "public key bits"); err != nil {
		return err
	}
	if len(rest) > 0 {
		return errors.New("public key: bytes after the key")
	}
	return nil
}

// trailingError says that bytes follow a well-formed element.
type trailingError struct{ n int }

func (e *trailingError) Error() string {
	return fmt.Sprintf("%d bytes after the certificate", e.n)
}

// SPKI returns the DER SubjectPublicKeyInfo of a DER certificate: a part of
// der, byte for byte as it stands there. The error is a *FormatError.
func SPKI(der []byte) ([]byte, error) {
	f, err := walk(der)
	if err != nil {
		return nil, diagnose("", der, err)
	}
	return f.spki.full, nil
}
