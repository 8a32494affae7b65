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
	connectPrefix = []byte("CONNECT ")
	headEnd       = []byte("\r\n\r\n")
)

// readPlainConnect reads a CONNECT whose head is there as a whole and in its
// usual form, and returns it with what follows the head. It returns nil for
// everything else, which is not to say that it is wrong: the HTTP server looks
// at it. The parser is the same (http.ReadRequest); what it would let through
// and the server would not is not in the usual form.
func readPlainConnect(b []byte) (r *http.Request, rest []byte) {
	if !bytes.HasPrefix(b, connectPrefix) {
		return nil, nil
	}
	end := bytes.Index(b, headEnd)
	if end < 0 || !usualHead(b[:end]) {
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
// concerns a body or the connection, one Host at the most, and no byte that
// needs a second look.
func usualHead(head []byte) bool {
	line, fields, _ := bytes.Cut(head, headEnd[:2])
	if !bytes.HasSuffix(line, []byte(" HTTP/1.1")) || !printable(line) {
		return false
	}
	for len(fields) > 0 {
		var field []byte
		field, fields, _ = bytes.Cut(fields, headEnd[:2])
		name, value, found := bytes.Cut(field, []byte(":"))
		if !found || !httpguts.ValidHeaderFieldName(string(name)) || !printable(value) {
			return false
		}
		switch strings.ToLower(string(name)) {
		case "content-length", "transfer-encoding", "trailer", "expect", "upgrade":
			return false
		case "host":
			if !httpguts.ValidHostHeader(string(bytes.TrimSpace(value))) {
				return false
			}
		}
	}
	return true
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
