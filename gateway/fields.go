package gateway

import (
	"net/http"
	"net/textproto"
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
// that Connection names.
func dropHopFields(h http.Header) {
	for _, value := range h["Connection"] {
		for name := range strings.SplitSeq(value, ",") {
			if name = textproto.TrimString(name); name != "" {
				delete(h, http.CanonicalHeaderKey(name))
			}
		}
	}
	for _, name := range hopFields {
		delete(h, name)
	}
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
