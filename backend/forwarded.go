package backend

import (
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/internal/problem"
)

// believe puts the client's address, without a zone, into every request. When the
// request comes from a proxy that the operator named, it is the last address that is
// none of these, from X-Forwarded-For or, without it, from Forwarded (RFC 7239). A
// proxy that writes the first may pass on the second as a client sent it, so that
// one never wins, unless forwardedOnly says that proxies write only Forwarded.
func believe(proxies []netip.Prefix, forwardedOnly bool, next http.Handler) http.Handler {
	trusted := trustOf(proxies)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			next.ServeHTTP(w, r)
			return
		}
		plain := netip.AddrPortFrom(plainAddr(from.Addr()), from.Port())
		if trusted(plain.Addr()) {
			hops, err := hopsOf(r.Header, forwardedOnly)
			if err != nil {
				problem.Write(w, problem.Problem{Status: http.StatusBadRequest, Reason: "bad-forwarded",
					Detail: "The field Forwarded cannot be read."})
				return
			}
			for _, text := range slices.Backward(hops) {
				hop, ok := parseHop(text)
				if !ok {
					break
				}
				plain = netip.AddrPortFrom(hop, 0)
				if !trusted(hop) {
					break
				}
			}
		}
		if plain != from {
			r = r.Clone(r.Context())
			r.RemoteAddr = plain.String()
		}
		next.ServeHTTP(w, r)
	})
}

// trustOf reports for an address whether it is one of the proxies'. A range that is
// written as IPv4 within IPv6 is the one of IPv4.
func trustOf(proxies []netip.Prefix) func(netip.Addr) bool {
	var ranges []netip.Prefix
	for _, p := range proxies {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		ranges = append(ranges, p)
	}
	return func(a netip.Addr) bool {
		return slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(a) })
	}
}

// plainAddr is an address in the one form that rules and limits compare: IPv4 as
// such, and without a zone, which says something about this machine only.
func plainAddr(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// hopsOf lists what the proxies say of those whom they got the request from, the
// nearest last.
func hopsOf(h http.Header, forwardedOnly bool) ([]string, error) {
	if list := h.Values("X-Forwarded-For"); len(list) > 0 && !forwardedOnly {
		return strings.Split(strings.Join(list, ","), ","), nil
	}
	if list := h.Values("Forwarded"); len(list) > 0 {
		return forwardedFor(strings.Join(list, ","))
	}
	return nil, nil
}

// parseHop reads an address as proxies write it: with a port or without, IPv6 in
// brackets or bare, with a zone or without. "unknown" and names that hide an address
// (RFC 7239, section 6.3) are none.
func parseHop(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	// A port may be hidden, too: "192.0.2.1:_gazonk".
	if i := strings.LastIndex(text, ":_"); i > 0 && i+2 < len(text) {
		text = text[:i]
	}
	if a, err := netip.ParseAddr(text); err == nil {
		return plainAddr(a), true
	}
	if a, err := netip.ParseAddrPort(text); err == nil {
		return plainAddr(a.Addr()), true
	}
	inner, bracketed := strings.CutPrefix(text, "[")
	if inner, ok := strings.CutSuffix(inner, "]"); ok && bracketed {
		a, err := netip.ParseAddr(inner)
		return plainAddr(a), err == nil && !a.Is4()
	}
	return netip.Addr{}, false
}

var errForwarded = errors.New("backend: Forwarded is malformed")

// forwardedFor reads Forwarded (RFC 7239, section 4) and returns the `for` of each
// element, "" where there is none. A field that is not whole is an error: a quote
// that a client leaves open would swallow what the proxy adds.
func forwardedFor(text string) ([]string, error) {
	var hops []string
	hop, named := "", false
	for {
		text = strings.TrimLeft(text, " \t")
		switch {
		case text == "":
			return append(hops, hop), nil
		case text[0] == ',':
			hops, hop, named, text = append(hops, hop), "", false, text[1:]
			continue
		case text[0] == ';':
			text = text[1:]
			continue
		}
		name, value, rest, err := forwardedPair(text)
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(name, "for") {
			if named {
				return nil, errForwarded
			}
			hop, named = value, true
		}
		text = strings.TrimLeft(rest, " \t")
		if text != "" && text[0] != ',' && text[0] != ';' {
			return nil, errForwarded
		}
	}
}

// forwardedPair takes one pair of a name and a value, a token or a quoted string, off
// a text. Values that are not quoted may have the colons and brackets that some
// proxies forget to quote.
func forwardedPair(text string) (name, value, rest string, err error) {
	name, rest, ok := strings.Cut(text, "=")
	if !ok || name == "" || strings.ContainsAny(name, " \t\",;:[]") {
		return "", "", "", errForwarded
	}
	if !strings.HasPrefix(rest, `"`) {
		end := strings.IndexAny(rest, " \t,;")
		if end < 0 {
			end = len(rest)
		}
		if end == 0 || strings.ContainsAny(rest[:end], `"=\`) {
			return "", "", "", errForwarded
		}
		return name, rest[:end], rest[end:], nil
	}
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '"':
			return name, b.String(), rest[i+1:], nil
		case '\\':
			if i++; i == len(rest) {
				return "", "", "", errForwarded
			}
			b.WriteByte(rest[i])
		default:
			b.WriteByte(rest[i])
		}
	}
	return "", "", "", errForwarded
}
