package admin

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The token goes to a listener that knows it, and to nobody else: not to one that
// knows another, that knows none, or that passes the question on.
func TestTokenGoesToItsListenerAlone(t *testing.T) {
	file, other := t.TempDir()+"/.cordon/admin-token", t.TempDir()+"/.cordon/admin-token"
	listen := func(file string) *httptest.Server {
		token, err := OpenToken(file)
		if err != nil {
			t.Fatal(err)
		}
		changes := 0
		o := changing(&changes)
		o.Token = token
		s := httptest.NewServer(NewServer(o).Handler)
		t.Cleanup(s.Close)
		return s
	}
	ours, theirs := listen(file), listen(other)
	strange := func(handler http.HandlerFunc) *httptest.Server {
		s := httptest.NewServer(handler)
		t.Cleanup(s.Close)
		return s
	}
	relay := strange(func(w http.ResponseWriter, r *http.Request) {
		resp, err := http.Get(ours.URL + r.URL.String())
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		_, _ = io.Copy(w, resp.Body)
	})
	for name, each := range map[string]struct {
		server *httptest.Server
		want   error
	}{
		"ours": {ours, nil}, "of another folder": {theirs, ErrNotOurs}, "one that passes it on": {relay, ErrNotOurs},
		"one that says yes": {strange(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("0", 64))
		}), ErrNotOurs},
		"one that says nothing": {strange(func(http.ResponseWriter, *http.Request) {}), ErrNotOurs},
	} {
		r := httptest.NewRequest("DELETE", each.server.URL+"/thing", nil)
		r.RequestURI = ""
		err := Authorize(http.DefaultClient, r, file)
		if !errors.Is(err, each.want) || (err == nil) != (r.Header.Get("Authorization") != "") {
			t.Errorf("%s: %v, %v", name, err, r.Header)
		}
		if err != nil {
			continue
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNoContent {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
	for _, query := range []string{"", "?nonce=", "?nonce=" + strings.Repeat("a", maxNonce+1)} {
		resp, err := http.Get(ours.URL + proofPath + query)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %d", query, resp.StatusCode)
		}
	}
}
