package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
)

func TestErrorTexts(t *testing.T) {
	refused := []Answer{Judge(netip.MustParseAddr("10.0.0.1")), Judge(netip.MustParseAddr("2002:a00:1::1"))}
	for want, e := range map[string]*Error{
		`"a.example": judge: address-refused: 10.0.0.1 (special-purpose), 2002:a00:1::1 (embedded-ipv4)`: {
			Step: StepJudge, Reason: AddressRefused, Host: "a.example", Refused: refused},
		`"a\nb": resolve: bad-host: no`: {Host: "a\nb", Reason: BadHost, Err: errors.New("no")},
		`"x": tls: wrong-name: 10.0.0.1 (special-purpose), 10.0.0.1 (special-purpose), 10.0.0.1 (special-purpose), ` +
			`10.0.0.1 (special-purpose) and 2 more`: {
			Step: StepTLS, Reason: WrongName, Host: "x", Refused: slices.Repeat(refused[:1], 6)},
	} {
		if got := e.Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if s := fmt.Sprint(Judge(netip.MustParseAddr("8.8.8.8")), Step(9), Reason(99), Refusal(99)); s != "8.8.8.8 "+
		"invalid-step invalid-reason invalid-refusal" {
		t.Errorf("names: %s", s)
	}
	seen := map[string]bool{}
	for r := range reasonCount {
		if seen[r.String()] || r.String() == "" {
			t.Errorf("reason %d has no name of its own: %q", r, r)
		}
		seen[r.String()] = true
	}
}

func TestTimeoutIsTold(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{context.DeadlineExceeded, true}, {os.ErrDeadlineExceeded, true}, {&net.DNSError{IsTimeout: true}, true},
		{fmt.Errorf("x: %w", context.DeadlineExceeded), true}, {context.Canceled, false}, {errors.New("x"), false},
		{nil, false},
	} {
		var e net.Error = &Error{Err: c.err}
		if e.Timeout() != c.want {
			t.Errorf("%v: Timeout() = %v", c.err, e.Timeout())
		}
	}
	if resolveError("a", &net.DNSError{IsNotFound: true}).Reason != NoSuchHost {
		t.Error("the standard library's no such host is not told")
	}
}

// TestOwnInterfaces asks the real system for its addresses.
func TestOwnInterfaces(t *testing.T) {
	addrs, err := interfaces()
	if err != nil || !slices.ContainsFunc(addrs, netip.Addr.IsLoopback) {
		t.Fatalf("addresses %v, %v", addrs, err)
	}
	d := testDialer(t, Config{Allow: []Private{private(t, "", "0.0.0.0/0", 0), private(t, "", "::/0", 0)},
		OwnPorts: []uint16{3128}})
	for _, addr := range addrs {
		if a := d.judge("a.example", addr, Destination{Host: "a.example", Port: 3128}); a.Refused == Usable {
			t.Errorf("%s on the own port is usable", addr)
		}
	}
}

// TestSystemResolverOfThisMachine resolves a name that needs no network.
func TestSystemResolverOfThisMachine(t *testing.T) {
	d, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	answers, err := d.Resolve(t.Context(), Destination{Host: "LOCALHOST", Port: 80})
	if err != nil || len(answers) == 0 {
		t.Fatalf("localhost: %v, %v", answers, err)
	}
	for _, a := range answers {
		if a.Refused != Special {
			t.Errorf("localhost at %v is not refused", a)
		}
	}
}
