package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/cordon-sec/cordon/egress"
	hostname "github.com/cordon-sec/cordon/host"
)

// everywhere allows any address for the host of a URL: the operator named it. A
// host that cannot be read is never dialled, and needs nothing.
func everywhere(u *url.URL) []egress.Private {
	at, err := hostname.ParseAuthority(u.Host)
	if err != nil {
		return nil
	}
	host := at.Host.String()
	return []egress.Private{
		{Host: host, Range: netip.MustParsePrefix("0.0.0.0/0")},
		{Host: host, Range: netip.MustParsePrefix("::/0")},
	}
}

// serviceTransport reaches one upstream of a service, private or not.
func (b *Backend) serviceTransport(upstream *url.URL) http.RoundTripper {
	transport := b.dialer.Transport(egress.TransportOptions{Allow: everywhere(upstream),
		Cleartext: upstream.Scheme == "http"})
	transport.MaxIdleConnsPerHost = 64
	transport.IdleConnTimeout = 90 * time.Second
	b.parts.add(func(context.Context) error { transport.CloseIdleConnections(); return nil })
	return transport
}

// providerClient reaches the identity providers. Those that the configuration
// names by an address may be private; http is for loopback only (auth checks
// it).
func (b *Backend) providerClient() *http.Client {
	var allow []egress.Private
	cleartext := false
	for _, p := range b.Settings.Identity.Providers {
		e := p.Endpoints
		for _, text := range []string{p.Issuer, p.Discovery, e.Authorization, e.Token, e.UserInfo, e.Request,
			e.Inspection} {
			if u, err := url.Parse(text); err == nil && u.Host != "" {
				allow = append(allow, everywhere(u)...)
				cleartext = cleartext || u.Scheme == "http"
			}
		}
	}
	transport := b.dialer.Transport(egress.TransportOptions{Allow: allow, Cleartext: cleartext})
	b.parts.add(func(context.Context) error { transport.CloseIdleConnections(); return nil })
	return &http.Client{Transport: transport, Timeout: 15 * time.Second, CheckRedirect: sameOrigin}
}

// sameOrigin follows redirects within one origin only: secrets stay with whom
// they were meant for.
func sameOrigin(r *http.Request, via []*http.Request) error {
	first := via[0].URL
	if len(via) > 3 || r.URL.Scheme != first.Scheme || r.URL.Host != first.Host {
		return http.ErrUseLastResponse
	}
	return nil
}

// webhookClient sends webhooks: https to public addresses and to those that
// egress.allow covers, http to the latter only. It follows no redirects.
func (b *Backend) webhookClient() *http.Client {
	secure := b.dialer.Transport(egress.TransportOptions{})
	clear := &http.Transport{DialContext: b.dialAllowed, MaxIdleConnsPerHost: 8, IdleConnTimeout: 90 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second, MaxResponseHeaderBytes: 256 << 10}
	b.parts.add(func(context.Context) error { secure.CloseIdleConnections(); clear.CloseIdleConnections(); return nil })
	return &http.Client{Transport: byScheme{secure: secure, clear: clear}, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// byScheme sends http and https different ways.
type byScheme struct{ secure, clear http.RoundTripper }

// RoundTrip is part of http.RoundTripper.
func (t byScheme) RoundTrip(r *http.Request) (*http.Response, error) {
	switch r.URL.Scheme {
	case "https":
		return t.secure.RoundTrip(r)
	case "http":
		return t.clear.RoundTrip(r)
	}
	return nil, errors.New("a webhook's address must be http or https")
}

// dialAllowed connects to an address that egress.allow covers, and to no public
// one: what goes there is not encrypted.
func (b *Backend) dialAllowed(ctx context.Context, _, address string) (net.Conn, error) {
	at, err := hostname.ParseAuthority(address)
	if err != nil {
		return nil, err
	}
	answers, err := b.dialer.Resolve(ctx, egress.Destination{Host: at.Host.String(), Port: at.Port})
	if err != nil {
		return nil, err
	}
	last := errors.New("http is for addresses that egress.allow covers")
	for _, a := range answers {
		if a.Refused != egress.Usable || !b.allowed(a.Addr) {
			continue
		}
		conn, _, err := b.dialer.Dial(ctx, egress.Destination{Host: a.Addr.Unmap().String(), Port: at.Port})
		if err == nil {
			return conn, nil
		}
		last = err
	}
	return nil, last
}

// allowed reports whether egress.allow covers an address.
func (b *Backend) allowed(a netip.Addr) bool {
	for _, text := range b.Settings.Egress.Allow {
		if p, err := egress.ParsePrivate("", text); err == nil && p.Range.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}
