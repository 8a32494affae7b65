package gateway

import (
	"bufio"
	"bytes"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

var (
	fieldEnd = []byte("\r\n")
	headEnd  = []byte("\r\n\r\n")
)

// readUsualHead reads a request whose head is there as a whole and in its usual
// form, a CONNECT or a GET without a body, and returns it with what follows the
// head. It returns nil for everything else, which is not to say that it is
// wrong: the HTTP server looks at it. The parser is the same
// (http.ReadRequest); what it would let through and the server would not is not
// in the usual form, nor is a head that is longer than limit.
func readUsualHead(b []byte, limit int) (r *http.Request, rest []byte) {
	if !bytes.HasPrefix(b, []byte("CONNECT ")) && !bytes.HasPrefix(b, []byte("GET ")) {
		return nil, nil
	}
	end := bytes.Index(b, headEnd)
	if end < 0 || end+len(headEnd) > limit || !usualHead(b[:end]) {
		return nil, nil
	}
	end += len(headEnd)
	reader := readers.Get().(*bufio.Reader)
	defer readers.Put(reader)
	reader.Reset(bytes.NewReader(b[:end]))
	defer reader.Reset(nil)
	r, err := http.ReadRequest(reader)
	if err != nil {
		return nil, nil
	}
	return r, b[end:]
}

// usualHead reports whether a head, without the empty line, holds nothing that
// concerns a body, nothing special about the connection, one Host, and no byte
// that needs a second look.
func usualHead(head []byte) bool {
	line, fields, _ := bytes.Cut(head, fieldEnd)
	if !bytes.HasSuffix(line, []byte(" HTTP/1.1")) || !printable(line) {
		return false
	}
	hosts := 0
	for len(fields) > 0 {
		var field []byte
		field, fields, _ = bytes.Cut(fields, fieldEnd)
		name, value, found := bytes.Cut(field, []byte(":"))
		if !found || !httpguts.ValidHeaderFieldName(string(name)) || !printable(value) {
			return false
		}
		switch value := string(bytes.TrimSpace(value)); strings.ToLower(string(name)) {
		case "content-length", "transfer-encoding", "trailer", "expect", "upgrade", "max-forwards":
			return false
		case "connection", "proxy-connection":
			if !strings.EqualFold(value, "keep-alive") {
				return false
			}
		case "host":
			hosts++
			if !httpguts.ValidHostHeader(value) {
				return false
			}
		}
	}
	return hosts == 1
}

func printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// statusLine returns a status with its text.
func statusLine(status int) string { return strconv.Itoa(status) + " " + http.StatusText(status) }
