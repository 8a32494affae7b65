package gateway

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/cordon-sec/cordon/policy/pattern"
)

// hopFields are meant for the next hop only (RFC 9110 section 7.6.1), or are
// what no proxy may pass on: Proxy sets an environment variable in CGI programs
// (CVE-2016-5385), HTTP2-Settings asks for an upgrade that changes framing, and
// Alt-Svc (RFC 7838), once Alternate-Protocol, leads a browser past the proxy, to
// another host or to QUIC. HTTP/2's ALTSVC frame ends where HTTP/2 does: here.
var hopFields = [...]string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
	"Proxy-Authorization", "Proxy-Authenticate", "Proxy-Authentication-Info", "Http2-Settings", "Proxy",
	"Alt-Svc", "Alternate-Protocol",
}

// dropHopFields removes what is meant for this hop: the fixed fields and those
// that Connection names, which it returns. Connection cannot take away what
// says where a message goes, or where it ends.
func dropHopFields(h http.Header) (named []string) {
	for _, value := range h["Connection"] {
		for name := range strings.SplitSeq(value, ",") {
			name = http.CanonicalHeaderKey(textproto.TrimString(name))
			if name != "" && name != "Host" && name != "Content-Length" {
				delete(h, name)
				named = append(named, name)
			}
		}
	}
	for _, name := range hopFields {
		delete(h, name)
	}
	return named
}

// dropRequestFields is dropHopFields for a request. That the client takes
// trailers is passed on, because the gateway passes trailers on (RFC 9110
// section 10.1.4).
func dropRequestFields(h http.Header) (named []string) {
	trailers := false
	for _, value := range h["Te"] {
		for coding := range strings.SplitSeq(value, ",") {
			trailers = trailers || strings.EqualFold(textproto.TrimString(coding), "trailers")
		}
	}
	if named = dropHopFields(h); trailers {
		h["Te"] = []string{"trailers"}
	}
	return named
}

// notInTrailers are fields that must not come behind a body, besides those that
// httpguts knows and those of one hop: they say what to do with a message before
// it has been read (RFC 9110 section 6.5.1).
var notInTrailers = [...]string{
	"Age", "Cookie", "Date", "Expires", "Forwarded", "Location", "Retry-After", "Set-Cookie", "Vary", "Warning",
}

// mayTrail reports whether a field may come behind a body. named are those that
// the message's Connection names.
func mayTrail(name string, named []string) bool {
	return httpguts.ValidTrailerHeader(name) && !slices.Contains(hopFields[:], name) &&
		!slices.Contains(notInTrailers[:], name) && !slices.Contains(named, name)
}

// asksWebSocket reports whether a head asks for, or agrees to, a change to
// WebSocket and to nothing else.
func asksWebSocket(h http.Header) bool {
	upgrade := h["Upgrade"]
	return len(upgrade) == 1 && pattern.EqualFold(textproto.TrimString(upgrade[0]), "websocket") &&
		httpguts.HeaderValuesContainsToken(h["Connection"], "upgrade")
}

// badField returns the name of the first field that is not well formed, such as
// one with a space before its colon, which readers take apart differently.
func badField(h http.Header) (name string, bad bool) {
	for name, values := range h {
		if !httpguts.ValidHeaderFieldName(name) {
			return name, true
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				return name, true
			}
		}
	}
	return "", false
}
