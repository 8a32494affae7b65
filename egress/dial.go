package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// Dial resolves the destination's host, judges every answer, and connects to
// the first judged address that accepts, trying them beside each other as in
// RFC 8305. The connection is the system's own, unwrapped, so that copies
// between two of them can stay in the kernel. The error is an *Error; the
// Result is filled in as far as it got.
func (d *Dialer) Dial(ctx context.Context, to Destination) (*net.TCPConn, Result, error) {
	result := Result{Host: to.Host}
	if to.Port == 0 {
		return nil, result, &Error{Step: StepResolve, Reason: BadHost, Host: to.Host, Err: errors.New("port 0")}
	}
	began := time.Now()
	answers, cached, err := d.resolve(ctx, to)
	result.Resolve, result.Cached = time.Since(began), cached
	if err != nil {
		return nil, result, err
	}
	usable := result.take(answers)
	if len(usable) == 0 {
		return nil, result, &Error{Step: StepJudge, Reason: AddressRefused, Host: to.Host, Refused: result.Refused}
	}
	began = time.Now()
	conn, failed, err := d.race(ctx, interleave(usable), to.Port)
	result.Connect, result.Failed = time.Since(began), failed
	if err != nil {
		e := &Error{Step: StepConnect, Reason: Unreachable, Host: to.Host, Refused: result.Refused, Failed: failed,
			Err: err}
		if len(failed) > 0 {
			e.Addr = failed[len(failed)-1].Addr
		}
		return nil, result, e
	}
	result.Addr = remote(conn)
	return conn, result, nil
}

// take notes the answers that are dropped and returns the addresses of the others.
func (r *Result) take(answers []Answer) []netip.Addr {
	usable := make([]netip.Addr, 0, len(answers))
	for _, a := range answers {
		if a.Refused == Usable {
			usable = append(usable, a.Addr.Unmap())
		} else {
			r.Refused = append(r.Refused, a)
		}
	}
	return usable
}

func remote(conn *net.TCPConn) netip.AddrPort {
	a, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := a.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// interleave orders addresses as RFC 8305 section 4 does: families in turn,
// IPv6 first, the resolver's order within each.
func interleave(addrs []netip.Addr) []netip.Addr {
	if len(addrs) < 2 {
		return addrs
	}
	var six, four []netip.Addr
	for _, a := range addrs {
		if a.Is4() {
			four = append(four, a)
		} else {
			six = append(six, a)
		}
	}
	mixed := make([]netip.Addr, 0, len(addrs))
	for i := range max(len(six), len(four)) {
		if i < len(six) {
			mixed = append(mixed, six[i])
		}
		if i < len(four) {
			mixed = append(mixed, four[i])
		}
	}
	return mixed[:min(len(mixed), MaxAttempts)]
}

// attempted is how one attempt ended.
type attempted struct {
	conn *net.TCPConn
	addr netip.AddrPort
	err  error
}

// race connects to the first address that accepts. The next address is tried
// when an attempt fails, or beside it after the attempt delay. When it returns,
// all other attempts are cancelled and what they opened is closed.
func (d *Dialer) race(ctx context.Context, addrs []netip.Addr, port uint16) (*net.TCPConn, []Attempt, error) {
	ctx, cancel := context.WithTimeout(ctx, d.config.ConnectTimeout)
	defer cancel()
	if len(addrs) == 1 {
		a := d.attempt(ctx, netip.AddrPortFrom(addrs[0], port))
		if a.err != nil {
			return nil, []Attempt{{a.addr, a.err}}, a.err
		}
		return a.conn, nil, nil
	}
	done := make(chan attempted)
	running := 0
	start := func() {
		to := netip.AddrPortFrom(addrs[0], port)
		addrs = addrs[1:]
		running++
		go func() { done <- d.attempt(ctx, to) }()
	}
	start()
	delay := time.NewTimer(d.config.AttemptDelay)
	defer delay.Stop()
	var failed []Attempt
	for running > 0 {
		select {
		case a := <-done:
			running--
			if a.err == nil {
				cancel()
				drain(done, running)
				return a.conn, failed, nil
			}
			failed = append(failed, Attempt{a.addr, a.err})
			if ctx.Err() == nil && len(addrs) > 0 {
				start()
				delay.Reset(d.config.AttemptDelay)
			}
		case <-delay.C:
			if len(addrs) > 0 {
				start()
				delay.Reset(d.config.AttemptDelay)
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, failed, err
	}
	return nil, failed, failed[len(failed)-1].Err
}

// drain waits for the attempts that lost, which end at once because their
// context did, and closes what they opened all the same.
func drain(done <-chan attempted, running int) {
	for range running {
		if a := <-done; a.conn != nil {
			_ = a.conn.Close()
		}
	}
}

func (d *Dialer) attempt(ctx context.Context, to netip.AddrPort) attempted {
	// Dialer.DialTCP would bind to a local port first, even for a zero local
	// address, and so use up the ports of the machine whatever they lead to.
	conn, err := d.net.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return attempted{nil, to, err}
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		_ = conn.Close()
		return attempted{nil, to, fmt.Errorf("connected with a %T", conn)}
	}
	return attempted{tcp, to, nil}
}
