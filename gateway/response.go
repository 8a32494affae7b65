package gateway

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// maxTrailer bounds how much is read while the trailer of a message is read.
const maxTrailer = 64 << 10

// readResponse reads the head of a response. The fields are read by the standard
// parser, as http.ReadResponse does it; where the body ends is decided here, by
// RFC 9112 section 6.3, because that function takes Connection away where it
// says close, with the names of the fields that must not pass, ignores a
// transfer coding in HTTP/1.0, and does not say that there were two framings.
func (u *upstream) readResponse(method string) (*http.Response, error) {
	lines := textproto.NewReader(u.reader)
	line, err := lines.ReadLine()
	if err != nil {
		return nil, unexpected(err)
	}
	resp := &http.Response{}
	proto, status, found := strings.Cut(line, " ")
	resp.Proto, resp.Status = proto, strings.TrimLeft(status, " ")
	code, _, _ := strings.Cut(resp.Status, " ")
	if resp.StatusCode, err = strconv.Atoi(code); err != nil || !found || len(code) != 3 || resp.StatusCode < 0 {
		return nil, &upstreamError{reasonUpstreamBad, "the answer begins with no status line"}
	}
	if resp.ProtoMajor, resp.ProtoMinor, found = http.ParseHTTPVersion(proto); !found {
		return nil, &upstreamError{reasonUpstreamBad, "the answer begins with no version of HTTP"}
	}
	fields, err := lines.ReadMIMEHeader()
	if err != nil {
		return nil, unexpected(err)
	}
	resp.Header = http.Header(fields)
	resp.Close = closes(resp)
	return resp, u.frame(resp, method)
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// closes reports whether the origin will close the connection after a response.
func closes(resp *http.Response) bool {
	options := resp.Header["Connection"]
	if resp.ProtoMajor == 1 && resp.ProtoMinor == 0 && !httpguts.HeaderValuesContainsToken(options, "keep-alive") {
		return true
	}
	return resp.ProtoMajor < 1 || httpguts.HeaderValuesContainsToken(options, "close")
}

// frame finds out where the body of a response ends.
func (u *upstream) frame(resp *http.Response, method string) error {
	codings, coded := resp.Header["Transfer-Encoding"]
	if coded && (len(codings) != 1 || !strings.EqualFold(textproto.TrimString(codings[0]), "chunked")) {
		return &upstreamError{reasonUpstreamBad, "an unknown transfer coding"}
	}
	length, sized, err := contentLength(resp.Header)
	if err != nil {
		return err
	}
	if coded && (sized || resp.ProtoMinor == 0) {
		resp.Close = true // the framing is in doubt: what follows the message is nobody's answer
	}
	resp.Body, resp.ContentLength = http.NoBody, 0
	switch status := resp.StatusCode; {
	case method == http.MethodHead || status == http.StatusNotModified:
		if resp.ContentLength = length; !sized {
			resp.ContentLength = -1
		}
		if coded {
			delete(resp.Header, "Content-Length")
		}
	case status < 200 || status == http.StatusNoContent:
		if coded || length > 0 {
			resp.Close = true // there must be no body, and the origin may mean one
		}
		delete(resp.Header, "Content-Length")
	case coded:
		delete(resp.Header, "Content-Length")
		resp.ContentLength, resp.TransferEncoding = -1, []string{"chunked"}
		resp.Trailer = announced(resp.Header["Trailer"])
		resp.Body = &chunkedBody{u: u, resp: resp, chunks: httputil.NewChunkedReader(u.reader)}
	case sized:
		if resp.ContentLength = length; length > 0 {
			resp.Body = &sizedBody{u.reader, length}
		}
	default:
		resp.ContentLength, resp.Close = -1, true
		resp.Body = io.NopCloser(u.reader)
	}
	return nil
}

// contentLength returns the one length that Content-Length states.
func contentLength(h http.Header) (n int64, found bool, err error) {
	values := h["Content-Length"]
	if len(values) == 0 {
		return 0, false, nil
	}
	first := textproto.TrimString(values[0])
	for _, v := range values[1:] {
		if textproto.TrimString(v) != first {
			return 0, false, &upstreamError{reasonUpstreamBad, "two lengths"}
		}
	}
	length, err := strconv.ParseUint(first, 10, 63)
	if err != nil {
		return 0, false, &upstreamError{reasonUpstreamBad, "a length that is not a number"}
	}
	h["Content-Length"] = []string{first}
	return int64(length), true, nil
}

// announced returns the names that Trailer fields list.
func announced(values []string) http.Header {
	var trailer http.Header
	for _, value := range values {
		for name := range strings.SplitSeq(value, ",") {
			if name = textproto.TrimString(name); name == "" {
				continue
			}
			if trailer == nil {
				trailer = http.Header{}
			}
			trailer[http.CanonicalHeaderKey(name)] = nil
		}
	}
	return trailer
}

// sizedBody is a body whose length was stated.
type sizedBody struct {
	from *bufio.Reader
	left int64
}

// Read reads up to the end of the body; a body that is cut is an error.
func (b *sizedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.from.Read(p)
	b.left -= int64(n)
	return n, unexpected(err)
}

// Close does nothing: whoever ends the round trip looks after the connection.
func (b *sizedBody) Close() error { return nil }

// chunkedBody is a body in chunks, with the trailer behind it.
type chunkedBody struct {
	u      *upstream
	resp   *http.Response
	chunks io.Reader
	ended  error
}

// Read reads what the chunks hold; at their end the response has its trailer.
func (b *chunkedBody) Read(p []byte) (int, error) {
	if b.ended != nil {
		return 0, b.ended
	}
	n, err := b.chunks.Read(p)
	if err == io.EOF {
		err = b.readTrailer()
	}
	b.ended = err
	return n, err
}

func (b *chunkedBody) readTrailer() error {
	b.u.limit.left = maxTrailer
	fields, err := textproto.NewReader(b.u.reader).ReadMIMEHeader()
	b.u.limit.lift()
	if err != nil {
		return unexpected(err)
	}
	trailer := http.Header(fields)
	if name, bad := badField(trailer); bad {
		return &upstreamError{reasonUpstreamBad, "malformed trailer field " + strconv.Quote(name)}
	}
	b.resp.Trailer = trailer
	return io.EOF
}

// Close does nothing, as that of a body whose length was stated.
func (b *chunkedBody) Close() error { return nil }
