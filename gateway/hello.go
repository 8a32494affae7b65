package gateway

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
)

// clientHello is what the gateway reads from a TLS ClientHello.
type clientHello struct {
	// name is the server name in lower case; "" if the extension is absent.
	name string
	// ech says that an encrypted_client_hello extension is there. Browsers send
	// it with random content (GREASE) on every connection, so it proves nothing:
	// the outer name alone counts.
	ech bool
}

var (
	// errNotTLS: the first bytes are no TLS handshake record.
	errNotTLS = errors.New("no TLS handshake")
	// errHello: a TLS handshake record, and no well-formed ClientHello in it.
	errHello = errors.New("malformed ClientHello")
	// errHelloShort: what has come so far is a beginning; more must be read.
	errHelloShort = errors.New("incomplete ClientHello")
)

func badHello(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errHello, fmt.Sprintf(format, args...))
}

const (
	recordHandshake  = 22
	recordHeader     = 5
	maxRecord        = 1 << 14
	maxHello         = 1 << 15 // real ones are 0.5 to 4 kB
	extServerName    = 0
	extEncryptedCH   = 0xfe0d
	messageHello     = 1
	maxHelloRecords  = 64
	maxOpening       = maxHello + maxHelloRecords*recordHeader
	handshakeHeading = 4
)

// readHello finds the ClientHello at the start of what a client sent: TLS
// records of handshake type, over which the message may be fragmented anywhere
// (RFC 8446 section 5.1). It returns errHelloShort as long as more bytes can
// make it whole, and how many bytes its records take up.
func readHello(data []byte) (hello clientHello, n int, err error) {
	message, rest, err := assemble(data)
	if err != nil {
		return clientHello{}, 0, err
	}
	hello, err = parseHello(message)
	return hello, len(data) - len(rest), err
}

// assemble joins the fragments of the first handshake message, and returns what
// is behind their records. A message that lies in one record is returned without
// a copy.
func assemble(data []byte) (message, behind []byte, err error) {
	var joined []byte
	for records := 0; ; records++ {
		if records == maxHelloRecords {
			return nil, nil, badHello("more than %d records", maxHelloRecords)
		}
		fragment, rest, err := cutRecord(data)
		if err != nil {
			return nil, nil, err
		}
		if joined == nil {
			joined = fragment[:len(fragment):len(fragment)]
		} else {
			joined = append(joined, fragment...)
		}
		whole, err := helloLength(joined)
		if err != nil {
			return nil, nil, err
		}
		if whole > 0 && len(joined) >= whole {
			if len(joined) > whole {
				return nil, nil, badHello("bytes after the message in its record")
			}
			return joined, rest, nil
		}
		data = rest
	}
}

// helloLength returns the length of the message that begins with head, or 0 if
// its heading is not complete.
func helloLength(head []byte) (int, error) {
	if head[0] != messageHello {
		return 0, badHello("handshake message of type %d", head[0])
	}
	if len(head) < handshakeHeading {
		return 0, nil
	}
	n := int(head[1])<<16 | int(head[2])<<8 | int(head[3])
	if n > maxHello {
		return 0, badHello("message of %d bytes", n)
	}
	return handshakeHeading + n, nil
}

// cutRecord takes the first record off.
func cutRecord(data []byte) (fragment, rest []byte, err error) {
	switch {
	case len(data) > 0 && data[0] != recordHandshake:
		return nil, nil, errNotTLS
	case len(data) > 1 && data[1] != 3:
		return nil, nil, errNotTLS
	case len(data) < recordHeader:
		return nil, nil, errHelloShort
	}
	n := int(binary.BigEndian.Uint16(data[3:]))
	switch {
	case n == 0 || n > maxRecord:
		return nil, nil, badHello("record of %d bytes", n)
	case len(data) < recordHeader+n:
		return nil, nil, errHelloShort
	}
	return data[recordHeader : recordHeader+n], data[recordHeader+n:], nil
}

// cursor takes values off the front of bytes, and remembers when there were too few.
type cursor struct {
	data []byte
	bad  bool
}

func (p *cursor) take(n int) []byte {
	if n > len(p.data) {
		p.bad = true
		p.data = nil
		return nil
	}
	taken := p.data[:n]
	p.data = p.data[n:]
	return taken
}

func (p *cursor) number(bytes int) int {
	n := 0
	for _, b := range p.take(bytes) {
		n = n<<8 | int(b)
	}
	return n
}

// vector takes a length of that many bytes and as many bytes as it says.
func (p *cursor) vector(lengthBytes int) []byte { return p.take(p.number(lengthBytes)) }

// parseHello reads a whole handshake message (RFC 8446 section 4.1.2).
func parseHello(message []byte) (clientHello, error) {
	p := cursor{data: message[handshakeHeading:]}
	p.take(2 + 32) // legacy_version, random
	session := p.vector(1)
	suites := p.vector(2)
	compressions := p.vector(1)
	if p.bad || len(session) > 32 || len(suites) < 2 || len(suites)%2 != 0 || len(compressions) == 0 {
		return clientHello{}, badHello("fixed part")
	}
	if len(p.data) == 0 {
		return clientHello{}, nil
	}
	extensions := p.vector(2)
	if p.bad || len(p.data) != 0 {
		return clientHello{}, badHello("length of the extensions")
	}
	return parseExtensions(extensions)
}

func parseExtensions(data []byte) (clientHello, error) {
	var hello clientHello
	var low uint64 // bit set of the types below 64
	var high [64]uint16
	seen := high[:0]
	p := cursor{data: data}
	for len(p.data) > 0 {
		kind := uint16(p.number(2))
		body := p.vector(2)
		if p.bad {
			return clientHello{}, badHello("extension runs over the end")
		}
		if kind < 64 {
			if low&(1<<kind) != 0 {
				return clientHello{}, badHello("extension %d twice", kind)
			}
			low |= 1 << kind
		} else {
			for _, other := range seen {
				if other == kind {
					return clientHello{}, badHello("extension %d twice", kind)
				}
			}
			if len(seen) == len(high) {
				return clientHello{}, badHello("too many extensions")
			}
			seen = append(seen, kind)
		}
		switch kind {
		case extServerName:
			name, err := parseServerName(body)
			if err != nil {
				return clientHello{}, err
			}
			hello.name = name
		case extEncryptedCH:
			hello.ech = true
		}
	}
	return hello, nil
}

// parseServerName reads the extension's body: exactly one host_name (RFC 6066
// section 3), made of the characters of a name, not an address, without a
// trailing dot.
func parseServerName(body []byte) (string, error) {
	p := cursor{data: body}
	list := p.vector(2)
	if p.bad || len(p.data) != 0 {
		return "", badHello("length of the server names")
	}
	p = cursor{data: list}
	kind, raw := p.number(1), p.vector(2)
	switch {
	case p.bad || kind != 0 || len(raw) == 0:
		return "", badHello("server name")
	case len(p.data) != 0:
		return "", badHello("more than one server name")
	}
	name, err := hostname.ParseASCII(string(raw))
	switch {
	case err != nil:
		return "", badHello("server name: %v", err)
	case name.Addr().IsValid():
		return "", badHello("server name is an address")
	case name.String() != strings.ToLower(string(raw)): // a dot at the end, an A-label of something else
		return "", badHello("server name is not in normal form")
	}
	return name.String(), nil
}
