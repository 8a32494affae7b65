package pin

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"
)

// Format names what a file that should hold a DER certificate holds.
type Format string

// The formats that are told apart.
const (
	// DER is one certificate in DER: the only format that every device loads.
	DER Format = "DER certificate"
	// PEM is one certificate as PEM text.
	PEM Format = "PEM certificate"
	// PEMChain is several certificates as PEM text.
	PEMChain Format = "several PEM certificates"
	// PEMKey is a private key as PEM text.
	PEMKey Format = "PEM private key"
	// PEMPublicKey is a public key as PEM text.
	PEMPublicKey Format = "PEM public key"
	// PEMOther is PEM text of another kind.
	PEMOther Format = "PEM text without a certificate"
	// BOM is anything after a byte-order mark.
	BOM Format = "text with a byte-order mark"
	// Base64 is the base64 of a certificate without PEM's frame.
	Base64 Format = "bare base64"
	// Trailing is a DER certificate with more bytes after it.
	Trailing Format = "DER certificate with trailing bytes"
	// DERChain is several DER certificates one after the other.
	DERChain Format = "several DER certificates"
	// PKCS7 is a PKCS#7 (.p7b, .p7c) bundle.
	PKCS7 Format = "PKCS#7 bundle"
	// PKCS12 is a PKCS#12 (.p12, .pfx) key store.
	PKCS12 Format = "PKCS#12 key store"
	// PublicKey is a bare SubjectPublicKeyInfo in DER.
	PublicKey Format = "bare public key (SubjectPublicKeyInfo)"
	// PrivateKey is a private key in DER.
	PrivateKey Format = "private key"
	// Empty is a file without a byte.
	Empty Format = "empty file"
	// Truncated is the beginning of a DER structure.
	Truncated Format = "truncated certificate"
	// Text is text that is no PEM.
	Text Format = "text"
	// Broken starts like a DER certificate and is none.
	Broken Format = "broken certificate"
	// Unknown is anything else.
	Unknown Format = "unknown data"
)

// FormatError says that data is not one certificate in DER, and what it is.
type FormatError struct {
	// Name is the file's name, or "".
	Name string
	// Format is what the data is.
	Format Format
	// Remedy says what to do about it, or is "".
	Remedy string
	// Err is where the walk through the DER stopped; nil for other formats.
	Err error
}

// Error names the file, the real format and the remedy.
func (e *FormatError) Error() string {
	var s strings.Builder
	if e.Name != "" {
		fmt.Fprintf(&s, "%s: ", e.Name)
	}
	fmt.Fprintf(&s, "not a DER certificate but %s", article(e.Format))
	if e.Err != nil {
		fmt.Fprintf(&s, " (%v)", e.Err)
	}
	if e.Remedy != "" {
		fmt.Fprintf(&s, ": %s", e.Remedy)
	}
	return s.String()
}

// Unwrap returns the reason inside.
func (e *FormatError) Unwrap() error { return e.Err }

func article(f Format) string {
	switch f {
	case PEMChain, DERChain, Text, Base64, BOM, PEMOther, Unknown:
		return string(f)
	case Empty:
		return "an " + string(f)
	}
	return "a " + string(f)
}

const convert = "convert it with: openssl x509 -in FILE -outform der -out FILE.cer"

// ReadCER reads the content of a .cer file as the strictest device does: one
// DER certificate and nothing else (iOS loads nothing else; Java also takes
// PEM text, and of several certificates silently the first). name is for the
// error, a *FormatError that names what the file really is.
func ReadCER(name string, data []byte) (*Certificate, error) {
	f, err := walk(data)
	if err != nil {
		return nil, diagnose(name, data, err)
	}
	return newCertificate(data, f), nil
}

// LoadedByDevices reports whether a file name ends as the Cordova plugins
// require, exactly ".cer", and if it does not but looks as if it should (as
// X.CER does), a sentence that says so. A file with such a name is in the app
// and pins nothing.
func LoadedByDevices(name string) (loaded bool, warning string) {
	ext := path.Ext(name)
	switch {
	case ext == ".cer":
		return true, ""
	case strings.EqualFold(ext, ".cer"):
		return false, fmt.Sprintf("%s: the plugins load names that end in \".cer\" exactly; %q pins nothing", name, ext)
	case strings.EqualFold(ext, ".crt"), strings.EqualFold(ext, ".der"), strings.EqualFold(ext, ".pem"):
		return false, fmt.Sprintf("%s: the plugins load *.cer files only; this file pins nothing", name)
	}
	return false, ""
}

// diagnose finds out what data is, after the walk stopped with err.
func diagnose(name string, data []byte, err error) *FormatError {
	e := &FormatError{Name: name}
	switch trimmed := bytes.TrimLeft(data, " \t\r\n"); {
	case len(data) == 0:
		e.Format = Empty
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")), bytes.HasPrefix(data, []byte("\xff\xfe")),
		bytes.HasPrefix(data, []byte("\xfe\xff")):
		e.Format, e.Remedy = BOM, "save it without the mark, then "+convert
	case bytes.Contains(trimmed, []byte("-----BEGIN ")):
		e.Format, e.Remedy = diagnosePEM(trimmed)
	case data[0] == tagSequence:
		e.Format, e.Remedy, e.Err = diagnoseDER(data, err)
	case isBase64(trimmed):
		e.Format, e.Remedy = Base64, "decode it with: base64 -d FILE > FILE.cer"
	case isText(data):
		e.Format = Text
	default:
		e.Format, e.Err = Unknown, err
	}
	return e
}

func diagnosePEM(data []byte) (Format, string) {
	certificates := bytes.Count(data, []byte("-----BEGIN CERTIFICATE-----")) +
		bytes.Count(data, []byte("-----BEGIN X509 CERTIFICATE-----")) +
		bytes.Count(data, []byte("-----BEGIN TRUSTED CERTIFICATE-----"))
	switch {
	case bytes.Contains(data, []byte("PRIVATE KEY-----")):
		return PEMKey, "a private key must not be in an app: remove it, and replace the key"
	case certificates > 1:
		return PEMChain, "put each certificate into a file of its own; " + convert
	case certificates == 1:
		return PEM, convert
	case bytes.Contains(data, []byte("-----BEGIN PKCS7-----")):
		return PKCS7, "take the certificates out with: openssl pkcs7 -print_certs"
	case bytes.Contains(data, []byte("PUBLIC KEY-----")):
		return PEMPublicKey, "a key has no name and no expiry; use the certificate"
	}
	return PEMOther, ""
}

// diagnoseDER names a DER structure that is not one certificate.
func diagnoseDER(data []byte, err error) (Format, string, error) {
	var trailing *trailingError
	if errors.As(err, &trailing) {
		return diagnoseTrailing(data, trailing)
	}
	outer, _, outerErr := next(data)
	if outerErr != nil {
		if errors.Is(outerErr, errTruncated) {
			return Truncated, "fetch the file again", nil
		}
		return Broken, "", err
	}
	first, rest, firstErr := next(outer.body)
	switch {
	case firstErr != nil:
		return Broken, "", err
	case first.tag == tagOID:
		return PKCS7, "take the certificates out with: openssl pkcs7 -inform der -print_certs", nil
	case first.tag == tagInteger:
		return diagnoseKey(rest, err)
	case first.tag == tagSequence && checkSPKI(outer.body) == nil:
		return PublicKey, "a key has no name and no expiry; use the certificate", nil
	case first.tag == tagSequence && isEncryptedKey(first, rest):
		return PrivateKey, "a private key must not be in an app: remove it, and replace the key", nil
	}
	return Broken, "", err
}

// isEncryptedKey tells EncryptedPrivateKeyInfo (RFC 5958), which is an
// algorithm and an octet string.
func isEncryptedKey(first element, rest []byte) bool {
	if _, _, err := expect(first.body, tagOID, ""); err != nil {
		return false
	}
	_, after, err := expect(rest, tagOctetString, "")
	return err == nil && len(after) == 0
}

// diagnoseKey tells structures apart that begin with a version: PKCS#12 goes
// on with a ContentInfo, PKCS#8 with an algorithm, PKCS#1 with the modulus,
// SEC 1 with the octets of the key.
func diagnoseKey(rest []byte, err error) (Format, string, error) {
	const remedy = "a private key must not be in an app: remove it, and replace the key"
	second, after, secondErr := next(rest)
	if secondErr != nil {
		return Broken, "", err
	}
	switch second.tag {
	case tagInteger, tagOctetString:
		return PrivateKey, remedy, nil
	case tagSequence:
		if third, _, thirdErr := next(after); thirdErr == nil && third.tag == tagOctetString {
			return PrivateKey, remedy, nil
		}
		return PKCS12, "a key store must not be in an app: remove it, and replace the key", nil
	}
	return Broken, "", err
}

func diagnoseTrailing(data []byte, trailing *trailingError) (Format, string, error) {
	cut := len(data) - trailing.n
	if _, err := walk(data[:cut]); err != nil {
		return diagnoseDER(data[:cut], err)
	}
	if _, err := walk(data[cut:]); err == nil {
		return DERChain, "put each certificate into a file of its own", nil
	}
	return Trailing, fmt.Sprintf("cut the last %d bytes off", trailing.n), nil
}

func isBase64(data []byte) bool {
	data = bytes.TrimRight(data, " \t\r\n=")
	if len(data) < 64 || data[0] != 'M' {
		return false
	}
	for _, c := range data {
		if !(c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/' ||
			c == '\r' || c == '\n') {
			return false
		}
	}
	return true
}

func isText(data []byte) bool {
	for _, c := range data {
		if c < 0x20 && c != '\t' && c != '\r' && c != '\n' || c == 0x7f {
			return false
		}
	}
	return true
}
