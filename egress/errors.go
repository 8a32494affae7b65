package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// Step is a step on the way out.
type Step uint8

// The steps, in their order.
const (
	// StepResolve turns the host into addresses.
	StepResolve Step = iota
	// StepJudge decides which of them may be dialled.
	StepJudge
	// StepConnect opens the TCP connection.
	StepConnect
	// StepTLS is the handshake and the verification of the chain.
	StepTLS
	// StepPin compares the chain with the host's pins.
	StepPin
)

// String returns the step's name: resolve, judge, connect, tls or pin.
func (s Step) String() string {
	names := [...]string{"resolve", "judge", "connect", "tls", "pin"}
	if int(s) < len(names) {
		return names[s]
	}
	return "invalid-step"
}

// Reason says why a step failed or refused. The list is closed.
type Reason uint8

// The reasons.
const (
	// ResolverFailed: no name server gave a usable answer.
	ResolverFailed Reason = iota
	// BadHost: the host is neither a name in normal form nor an address in
	// canonical form.
	BadHost
	// NoSuchHost: the name has no address.
	NoSuchHost
	// AddressRefused: every address of the host is refused.
	AddressRefused
	// Unreachable: no address accepted a connection.
	Unreachable
	// Cleartext: the caller's transport is for TLS only.
	Cleartext
	// HandshakeFailed: the other side does not speak TLS as it must.
	HandshakeFailed
	// Untrusted: no trusted authority vouches for the certificate.
	Untrusted
	// WrongName: the certificate is for another host.
	WrongName
	// CertificateExpired: the certificate is expired or not valid yet.
	CertificateExpired
	// Revoked: the server's certificate, or one of an authority below the trusted
	// one, is revoked.
	Revoked
	// RevocationUnknown: a list of revoked certificates that the chain is judged by
	// has expired, or is not its authority's.
	RevocationUnknown
	// StapleMissing: the certificate says that the server proves by a stapled OCSP
	// answer that it is not revoked, and the server does not.
	StapleMissing
	// PinMismatch: no certificate of the chain is pinned.
	PinMismatch
	// PinsExpired: all pins of the host are expired, or the pinned certificate
	// itself is.
	PinsExpired
	// PinsUnreadable: the host is pinned, but there is no readable pin.
	PinsUnreadable
	reasonCount
)

var reasonNames = [reasonCount]string{
	ResolverFailed:     "resolver-failed",
	BadHost:            "bad-host",
	NoSuchHost:         "no-such-host",
	AddressRefused:     "address-refused",
	Unreachable:        "unreachable",
	Cleartext:          "cleartext",
	HandshakeFailed:    "handshake-failed",
	Untrusted:          "untrusted",
	WrongName:          "wrong-name",
	CertificateExpired: "certificate-expired",
	Revoked:            "certificate-revoked",
	RevocationUnknown:  "revocation-unknown",
	StapleMissing:      "staple-missing",
	PinMismatch:        "pin-mismatch",
	PinsExpired:        "pins-expired",
	PinsUnreadable:     "pins-unreadable",
}

// String returns the reason as it stands in events, such as "pin-mismatch".
func (r Reason) String() string {
	if r < reasonCount {
		return reasonNames[r]
	}
	return "invalid-reason"
}

// Refused reports whether the reason is a refusal by this side's rules (for a
// gateway: 403) rather than a failure of the other side (502 or 504).
func (r Reason) Refused() bool {
	return r == BadHost || r == AddressRefused || r == Cleartext
}

// Error is what every function of this package returns.
type Error struct {
	Step   Step
	Reason Reason
	// Host is the host that was asked for.
	Host string
	// Addr is the address where it went wrong; zero if none.
	Addr netip.AddrPort
	// Refused are the answers that were dropped.
	Refused []Answer
	// Failed are the attempts to connect that failed.
	Failed []Attempt
	// Err is the cause; nil for refused addresses.
	Err error
}

// Error names the host, the step, the reason and the cause.
func (e *Error) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%q: %s: %s", e.Host, e.Step, e.Reason)
	for i, a := range e.Refused {
		sep := ", "
		if i == 0 {
			sep = ": "
		}
		if i == 4 {
			fmt.Fprintf(&s, " and %d more", len(e.Refused)-i)
			break
		}
		s.WriteString(sep + a.String())
	}
	if e.Err != nil {
		fmt.Fprintf(&s, ": %v", e.Err)
	}
	return s.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether the step ran out of time (for a gateway: 504).
func (e *Error) Timeout() bool {
	if errors.Is(e.Err, context.DeadlineExceeded) {
		return true
	}
	var t interface{ Timeout() bool }
	return errors.As(e.Err, &t) && t.Timeout()
}

// Temporary reports whether trying again may help. It makes Error a net.Error.
func (e *Error) Temporary() bool { return e.Timeout() }

var _ net.Error = (*Error)(nil)

// resolveError wraps what a Resolver returned.
func resolveError(host string, err error) *Error {
	e := &Error{Step: StepResolve, Reason: ResolverFailed, Host: host, Err: err}
	var dns *net.DNSError
	if errors.Is(err, ErrNoSuchHost) || errors.As(err, &dns) && dns.IsNotFound {
		e.Reason = NoSuchHost
	}
	return e
}
