package admin

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
)

func testToken(t *testing.T) (token *Token, text string) {
	t.Helper()
	file := TokenFile(t.TempDir())
	token, err := OpenToken(file)
	if err != nil {
		t.Fatal(err)
	}
	if text, err = ReadToken(file); err != nil {
		t.Fatal(err)
	}
	return token, text
}

func TestTokenFile(t *testing.T) {
	file := TokenFile(t.TempDir())
	var opening sync.WaitGroup
	for range 8 { // all of them at once make one
		opening.Go(func() {
			if _, err := OpenToken(file); err != nil {
				t.Error(err)
			}
		})
	}
	opening.Wait()
	text, err := ReadToken(file)
	if err != nil || len(text) != 52 {
		t.Fatalf("%d characters, %v", len(text), err)
	}
	token, err := OpenToken(file)
	if err != nil || !token.is(text) || token.is(text[1:]) || token.is("") {
		t.Errorf("%v: the token must be the file's", err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// A file that others may read, or that holds what can be guessed, lets nobody in.
func TestTokenFileRefused(t *testing.T) {
	for name, test := range map[string]struct {
		mode os.FileMode
		text string
		want string
	}{
		"group": {0o640, strings.Repeat("a", 40), "chmod 600"},
		"world": {0o604, strings.Repeat("a", 40), "chmod 600"},
		"empty": {0o600, "", "at least 20 characters"},
		"short": {0o600, "secret\n", "at least 20 characters"},
		"words": {0o600, "a token of several words", "one word"},
	} {
		t.Run(name, func(t *testing.T) {
			file := t.TempDir() + "/token"
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(file, test.mode); err != nil {
				t.Fatal(err)
			}
			_, err := OpenToken(file)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("%v, want %q", err, test.want)
			}
			if test.text != "" && strings.Contains(err.Error(), strings.TrimSpace(test.text)) {
				t.Errorf("the error shows the token: %v", err)
			}
		})
	}
	if _, err := OpenToken(t.TempDir()); err == nil {
		t.Error("a folder is taken for the token")
	}
}

// changing counts the changes that reach what is mounted.
func changing(n *int) Options {
	change := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		*n++
		w.WriteHeader(http.StatusNoContent)
	})
	return Options{Pages: map[string]http.Handler{"DELETE /thing": change}, Rest: change}
}

func TestChangesNeedTheToken(t *testing.T) {
	token, text := testToken(t)
	n := 0
	o := changing(&n)
	o.Token = token
	s := NewServer(o)
	for name, test := range map[string]struct {
		method string
		fields []string
		want   int
	}{
		"none":              {"POST", nil, 401},
		"wrong":             {"POST", []string{"Authorization", "Bearer " + text[1:]}, 401},
		"other scheme":      {"POST", []string{"Authorization", "Basic " + text}, 401},
		"no scheme":         {"POST", []string{"Authorization", text}, 401},
		"in the cookie":     {"POST", []string{"Cookie", "cordon_admin=" + text}, 401},
		"an empty cookie":   {"POST", []string{"Cookie", "cordon_admin="}, 401},
		"the token":         {"POST", []string{"Authorization", "Bearer " + text}, 204},
		"in another case":   {"PUT", []string{"Authorization", "bearer " + text}, 204},
		"the cookie":        {"PATCH", []string{"Cookie", "cordon_admin=" + token.cookie}, 204},
		"a wrong one first": {"POST", []string{"Cookie", "cordon_admin=x; cordon_admin=" + token.cookie}, 204},
		"unknown method":    {"PURGE", nil, 401},
		"reading":           {"GET", nil, 204},
	} {
		before := n
		status, body := ask(s, test.method, "localhost", "/thing", test.fields...)
		if status != test.want || (n > before) != (test.want == 204) {
			t.Errorf("%s: %d %s", name, status, body)
		}
		if strings.Contains(body, text) {
			t.Errorf("%s: the answer shows the token", name)
		}
		if status == 401 && !strings.Contains(body, token.file) {
			t.Errorf("%s: the answer does not say where the token is: %s", name, body)
		}
	}
	n = 0
	bare := NewServer(changing(&n))
	if status, body := ask(bare, "DELETE", "localhost", "/thing", "Authorization", "Bearer "); status != 403 || n > 0 {
		t.Errorf("without a token: %d %s", status, body)
	}
}

// A browser gives the token once, in a form, and goes on with a cookie.
func TestUnlock(t *testing.T) {
	token, text := testToken(t)
	n := 0
	o := changing(&n)
	o.Token = token
	s := NewServer(o)
	send := func(path string, form url.Values, fields ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "http://localhost"+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Accept", "text/html,*/*")
		for i := 0; i+1 < len(fields); i += 2 {
			r.Header.Set(fields[i], fields[i+1])
		}
		w := httptest.NewRecorder()
		s.Handler.ServeHTTP(w, r)
		return w
	}
	w := send("/thing", nil, "Referer", "http://localhost/console/policy?x=1")
	if w.Code != 401 || n != 0 || !strings.Contains(w.Body.String(), `name="back" value="/console/policy?x=1"`) {
		t.Errorf("the form: %d %s", w.Code, w.Body)
	}
	w = send("/unlock", url.Values{"token": {"wrong"}, "back": {"/console/"}})
	if w.Code != 401 || len(w.Result().Cookies()) != 0 || !strings.Contains(w.Body.String(), "That was not the token") {
		t.Errorf("a wrong token: %d %s", w.Code, w.Body)
	}
	for back, want := range map[string]string{
		"/console/?a=b": "/console/?a=b", "//evil.example/": "/", "https://evil.example/x": "/x", "\\evil": "/",
		"/\\evil.example": "/", "javascript:alert(1)": "/", "": "/", "/unlock": "/",
	} {
		w = send("/unlock", url.Values{"token": {" " + text + "\n"}, "back": {back}})
		if got := w.Header().Get("Location"); w.Code != 303 || got != want {
			t.Errorf("back to %q: %d %q", back, w.Code, got)
		}
	}
	cookies := w.Result().Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode ||
		strings.Contains(cookies[0].Value, text) {
		t.Fatalf("%+v", cookies)
	}
	if w = send("/thing", nil, "Cookie", cookies[0].Name+"="+cookies[0].Value); w.Code != 204 || n != 1 {
		t.Errorf("with the cookie: %d", w.Code)
	}
	if w = send("/unlock", url.Values{"token": {text}}, "Sec-Fetch-Site", "cross-site"); w.Code != 403 {
		t.Errorf("from a stranger's page: %d", w.Code)
	}
	if w = send("/unlock", url.Values{"token": {strings.Repeat("a", maxForm)}}); w.Code != 400 {
		t.Errorf("a form without end: %d", w.Code)
	}
}
