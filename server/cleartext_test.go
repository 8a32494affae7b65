package server

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

const cleartextYAML = `server: { listen: "127.0.0.1:0", drain: 100ms }
identity: { providers: { development: { type: development, picker: true } } }
tables: { note: { columns: { text: string }, access: anonymous, page_size: 1 } }
telemetry: { log: none }
`

// One port answers with and without TLS, and each answer speaks of the address
// that it was asked at.
func TestCleartextBesideTLS(t *testing.T) {
	b := run(t, t.TempDir(), cleartextYAML, Options{Cleartext: true})
	if b.Plain.Scheme != "http" || b.Plain.Host != b.URL.Host || b.URL.Scheme != "https" {
		t.Fatalf("the addresses are %s and %s", b.URL, b.Plain)
	}
	for _, at := range []struct {
		base   string
		secure bool
	}{{b.URL.String(), true}, {b.Plain.String(), false}} {
		ask := at.base + "/.auth/login/development?session_mode=cookie&post_login_redirect_uri="
		for _, back := range []string{"https", "http"} {
			response, err := b.client.Get(ask + back + "%3A%2F%2F" + b.URL.Host + "%2F")
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			cookie := response.Header.Get("Set-Cookie")
			if response.StatusCode != http.StatusOK || !strings.HasPrefix(cookie, "CordonLogin-") {
				t.Errorf("%s, back to %s: %d, cookie %q", at.base, back, response.StatusCode, cookie)
			}
			if strings.Contains(cookie, "Secure") != at.secure {
				t.Errorf("%s: the cookie is %q", at.base, cookie)
			}
		}
	}
	for _, text := range []string{`{"id":"a"}`, `{"id":"b"}`} {
		response, err := b.client.Post(b.Plain.String()+"/tables/note?zumo-api-version=2.0.0", "application/json",
			strings.NewReader(text))
		if err != nil || response.StatusCode != http.StatusCreated {
			t.Fatalf("a row over http: %v %v", response, err)
		}
		_ = response.Body.Close()
	}
	response, err := b.client.Get(b.Plain.String() + "/tables/note?zumo-api-version=2.0.0")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if link := response.Header.Get("Link"); !strings.HasPrefix(link, b.Plain.String()+"/tables/note?") {
		t.Errorf("over http the next page is at %q", link)
	}
}

// A connection that says nothing is cut when the server stops, and one that
// speaks neither TLS nor HTTP is answered or cut, and keeps nobody waiting.
func TestCleartextConnectionsEnd(t *testing.T) {
	b := run(t, t.TempDir(), cleartextYAML, Options{Cleartext: true})
	var silent []net.Conn
	for range 3 {
		conn, err := net.Dial("tcp", b.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		silent = append(silent, conn)
	}
	odd, err := net.Dial("tcp", b.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer odd.Close()
	if _, err := odd.Write([]byte("\x00\x01\x02\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(odd); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400") {
		t.Errorf("what is no HTTP gets %q, %v", answer, err)
	}
	if err := b.stop(); err != nil {
		t.Error(err)
	}
	for _, conn := range silent {
		if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("a silent connection reads %d bytes, %v after the stop", n, err)
		}
	}
}

// What others can reach never speaks without TLS.
func TestCleartextStaysOnThisMachine(t *testing.T) {
	t.Setenv("CORDON_TEST_KEY", strings.Repeat("ab", 32))
	for _, server := range []string{
		`{ listen: "0.0.0.0:0" }`, `{ listen: "127.0.0.1:0", url: "https://app.example" }`,
		`{ listen: "127.0.0.1:0", tls: off }`,
	} {
		s := load(t, t.TempDir(),
			"server: "+server+"\nidentity: { signing_key: \"env:CORDON_TEST_KEY\" }\ntelemetry: { log: none }\n")
		b, err := Open(t.Context(), s, Options{Cleartext: true, Stdout: io.Discard, Stderr: io.Discard})
		if err == nil {
			_ = b.Close(context.Background())
			t.Errorf("%s: it opened", server)
			continue
		}
		if !strings.Contains(err.Error(), "must stay on this machine") {
			t.Errorf("%s: %v", server, err)
		}
	}
}
