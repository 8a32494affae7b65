package gateway

import (
	"errors"
	"sync"
)

// opening follows the first records of a tunnel in both directions, until it is
// known which ClientHello counts. An origin may answer the first with a
// HelloRetryRequest, and goes by the second from then on (RFC 8446, sections
// 4.1.2 and 4.1.4): the second is judged as the first was. Until the origin has
// answered, what the client sends passes at once as long as it cannot be a
// ClientHello; a handshake record, and what comes behind it, is held.
//
// It holds no more than one hello, copies nothing else, and is over with the
// origin's first handshake message.
type opening struct {
	check func(clientHello) (reason string)
	// mu and order are for the two goroutines of a tunnel that no worker serves:
	// order is held, and taken first, while something is written to the origin.
	mu, order sync.Mutex

	state  openingState
	client framing
	origin framing
	answer answerHead

	held  []byte // a handshake record of the client, and what came behind it
	ready []byte // what was held and may go on
}

type openingState int

const (
	// unanswered: the origin has not answered the last ClientHello.
	unanswered openingState = iota
	// retrying: it has, with a HelloRetryRequest.
	retrying
	// settled: it has, with anything else.
	settled
)

// errSecondHello is what every refused second ClientHello is, for errors.Is.
var errSecondHello = errors.New("after the first ClientHello")

// secondHelloError says what is wrong with what followed the first ClientHello.
type secondHelloError struct{ detail string }

func (e *secondHelloError) Error() string        { return errSecondHello.Error() + ": " + e.detail }
func (e *secondHelloError) Is(target error) bool { return target == errSecondHello }

// fromClient returns what goes on now: what was held and has become free, and
// behind it what may pass of the client's next bytes.
func (o *opening) fromClient(b []byte) ([]byte, error) {
	before := o.take()
	if o.state != settled {
		n := 0
		if len(o.held) == 0 {
			n = o.unheld(b)
		}
		if n < len(b) {
			o.held = append(o.held, b[n:]...)
		}
		b = b[:n:n]
		if err := o.advance(); err != nil {
			return nil, err
		}
		if free := o.take(); len(free) > 0 {
			b = append(b, free...)
		}
	}
	if len(before) > 0 {
		b = append(before, b...)
	}
	return b, nil
}

// fromOrigin looks at the origin's next bytes, all of which go on. What they
// set free is taken by take.
func (o *opening) fromOrigin(b []byte) error {
	for len(b) > 0 && o.state != settled {
		if o.origin.between() && (b[0] < recordChange || b[0] > recordHeartbeat) {
			o.state = settled // no server of TLS begins like that
			break
		}
		kind, body, rest := o.origin.next(b)
		b = rest
		switch {
		case kind == notTLS:
			o.state = settled
		case kind == recordHandshake && o.state == unanswered:
			o.read(body)
		case kind == recordHandshake:
			o.answer.skip(body) // nothing follows a HelloRetryRequest until it is answered
		}
	}
	return o.advance()
}

// read goes on reading the origin's handshake messages.
func (o *opening) read(body []byte) {
	for len(body) > 0 && o.state == unanswered {
		var what answerKind
		what, body = o.answer.read(body)
		switch what {
		case answerRetry:
			o.state = retrying
			o.answer.skip(body)
		case answerOther:
			o.state = settled
		}
	}
}

// unheld returns how many of the bytes belong to records that cannot be a
// ClientHello.
func (o *opening) unheld(b []byte) (n int) {
	for n < len(b) {
		if o.client.between() && b[n] == recordHandshake {
			return n
		}
		kind, _, rest := o.client.next(b[n:])
		n = len(b) - len(rest)
		if kind == notTLS {
			// A TLS server gives up here; whoever goes on is none.
			o.state = settled
			return len(b)
		}
	}
	return n
}

// advance sets free what may go on of what is held.
func (o *opening) advance() error {
	for o.state == retrying && len(o.held) > 0 {
		hello, n, err := readHello(o.held)
		switch {
		case errors.Is(err, errHelloShort) && len(o.held) < maxOpening:
			return nil
		case err != nil:
			return &secondHelloError{"the second is not one: " + err.Error()}
		}
		if reason := o.check(hello); reason != "" {
			return &secondHelloError{reason + ": the second's server name is " + quoteName(hello.name)}
		}
		o.state = unanswered
		rest := o.held[n:]
		n += o.unheld(rest)
		o.ready, o.held = append(o.ready, o.held[:n]...), o.held[n:]
	}
	switch {
	case o.state == settled:
		o.ready, o.held = append(o.ready, o.held...), nil
	case len(o.held) > maxOpening:
		return &secondHelloError{"too much before the origin's answer"}
	}
	return nil
}

// take returns what was held and goes on now.
func (o *opening) take() []byte {
	free := o.ready
	o.ready = nil
	return free
}

// abandon ends it where the client sends nothing more: what is held is no whole
// hello that anybody waits for.
func (o *opening) abandon() { o.state, o.held, o.ready = settled, nil, nil }

// over reports whether nothing is left to look at or to pass on.
func (o *opening) over() bool { return o.state == settled && len(o.ready) == 0 }

// isOver is over for goroutines: what was set free has been written, too.
func (o *opening) isOver() bool {
	o.order.Lock()
	defer o.order.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.over()
}

// framing follows the records of one direction.
type framing struct {
	head [recordHeader]byte
	had  int // bytes of the head that have come
	left int // bytes of the record's body that are to come
}

// notTLS is the kind of what is no TLS record. Records of the types that TLS
// knows are taken for records whatever their version is: some servers do not
// look at it.
const notTLS = -1

// between reports whether the next byte begins a record.
func (f *framing) between() bool { return f.had == 0 && f.left == 0 }

// next takes bytes off: some of a record's head (the kind is 0), or of its body,
// with the record's type.
func (f *framing) next(b []byte) (kind int, body, rest []byte) {
	if f.left > 0 {
		n := min(f.left, len(b))
		f.left -= n
		return int(f.head[0]), b[:n], b[n:]
	}
	f.head[f.had] = b[0]
	f.had++
	switch {
	case f.had == 2 && (f.head[0] < recordChange || f.head[0] > recordData) && b[0] != 3:
		return notTLS, nil, b[1:]
	case f.had == recordHeader:
		f.had, f.left = 0, int(f.head[3])<<8|int(f.head[4])
	}
	return 0, nil, b[1:]
}

// answerHead reads the beginning of the origin's handshake messages: type,
// length, and of a ServerHello version and random.
type answerHead struct {
	head [handshakeHeading + 2 + 32]byte
	had  int // bytes of the head that have come
	left int // bytes to skip until the next message
}

type answerKind int

const (
	// answerShort: more must come.
	answerShort answerKind = iota
	answerRetry
	answerOther
)

// retryRandom is what tells a HelloRetryRequest from a ServerHello.
var retryRandom = []byte{
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
}

const (
	recordChange         = 20
	recordData           = 23
	recordHeartbeat      = 24
	messageHelloRequest  = 0
	messageServerHello   = 2
	helloRandom          = handshakeHeading + 2
	retryRandomEnd       = helloRandom + 32
	leastServerHelloBody = 2 + 32
)

// read takes bytes of handshake records off, and says what the message is as
// soon as that is known.
func (a *answerHead) read(b []byte) (answerKind, []byte) {
	b = a.skipped(b)
	for len(b) > 0 {
		a.head[a.had] = b[0]
		a.had++
		b = b[1:]
		switch {
		case a.had == handshakeHeading && a.head[0] == messageHelloRequest:
			a.next(handshakeHeading) // TLS 1.2 lets a client ignore it
			b = a.skipped(b)
		case a.had == 1 && a.head[0] != messageServerHello && a.head[0] != messageHelloRequest,
			a.had == handshakeHeading && a.length() < leastServerHelloBody,
			a.had > helloRandom && a.head[a.had-1] != retryRandom[a.had-helloRandom-1]:
			return answerOther, b
		case a.had == retryRandomEnd:
			a.next(retryRandomEnd)
			return answerRetry, b
		}
	}
	return answerShort, nil
}

// skip takes bytes off that say nothing: the rest of a HelloRetryRequest.
func (a *answerHead) skip(b []byte) { a.skipped(b) }

func (a *answerHead) skipped(b []byte) []byte {
	n := min(a.left, len(b))
	a.left -= n
	return b[n:]
}

// next goes on to the message behind the one of which n bytes have come.
func (a *answerHead) next(n int) { a.had, a.left = 0, handshakeHeading+a.length()-n }

func (a *answerHead) length() int {
	return int(a.head[1])<<16 | int(a.head[2])<<8 | int(a.head[3])
}
