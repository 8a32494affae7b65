package admin

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/cordon-sec/cordon/internal/lane"
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
	if os.Geteuid() != 0 {
		lane.Missing(t, "the right to give a file to another user")
		return
	}
	file := t.TempDir() + "/token"
	if err := os.WriteFile(file, []byte(strings.Repeat("a", 40)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(file, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenToken(file); err == nil || !strings.Contains(err.Error(), "must belong to the user") {
		t.Errorf("a file that another user has prepared: %v", err)
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
		"none":             {"POST", nil, 401},
		"wrong":            {"POST", []string{"Authorization", "Bearer " + text[1:]}, 401},
		"other scheme":     {"POST", []string{"Authorization", "Basic " + text}, 401},
		"no scheme":        {"POST", []string{"Authorization", text}, 401},
		"a wrong password": {"POST", []string{"Authorization", basicOf("x", text[1:])}, 401},
		"as the user":      {"POST", []string{"Authorization", basicOf(text, "")}, 401},
		"a cookie":         {"POST", []string{"Cookie", "cordon_admin=" + text}, 401},
		"the token":        {"POST", []string{"Authorization", "Bearer " + text}, 204},
		"in another case":  {"PUT", []string{"Authorization", "bearer " + text}, 204},
		"as a password":    {"PATCH", []string{"Authorization", basicOf("anybody", " "+text)}, 204},
		"unknown method":   {"PURGE", nil, 401},
		"reading":          {"GET", nil, 204},
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

func basicOf(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// A browser is asked for a password, which it keeps for this listener alone; no
// cookie is set, which would go to every server of the machine.
func TestBrowsersAreAsked(t *testing.T) {
	token, text := testToken(t)
	n := 0
	o := changing(&n)
	o.Token = token
	r := httptest.NewRequest("POST", "http://localhost/thing", nil)
	r.Header.Set("Accept", "text/html,*/*")
	w := httptest.NewRecorder()
	NewServer(o).Handler.ServeHTTP(w, r)
	if w.Code != 401 || n != 0 || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic ") ||
		!strings.Contains(w.Body.String(), token.file) || strings.Contains(w.Body.String(), text) ||
		len(w.Result().Cookies()) != 0 {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}
