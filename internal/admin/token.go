package admin

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/cordon-sec/cordon/internal/localstate"
	"github.com/cordon-sec/cordon/internal/problem"
)

// TokenFile returns where the token for changes is kept, of a configuration in
// dir.
func TokenFile(dir string) string { return localstate.Path(dir, "admin-token") }

// Token is the secret that lets changes in: whoever can read its file may make
// them. Pages and programs of other users of this machine can reach the listener
// too, and cannot read the file.
type Token struct {
	file   string
	digest [sha256.Size]byte
}

// OpenToken reads the token, and makes one where there is no file.
func OpenToken(file string) (*Token, error) {
	text, err := ReadToken(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeToken(file); err == nil {
			text, err = ReadToken(file)
		}
	}
	if err != nil {
		return nil, err
	}
	return &Token{file: file, digest: sha256.Sum256([]byte(text))}, nil
}

const (
	minToken = 20  // characters of a token: anything shorter could be guessed
	maxToken = 512 // bytes of its file
)

// ReadToken reads the token for a program that makes changes. A file that
// others may read or write is an error that says what to do.
func ReadToken(file string) (string, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe must not hold up whoever opens it
	if err != nil {
		return "", fmt.Errorf("the token for changes: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return "", fmt.Errorf("the token for changes: %w", err)
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("the token for changes: %s must be a file", file)
	case !ownedByUs(info):
		return "", fmt.Errorf("the token for changes: %s must belong to the user that runs this: somebody else has "+
			"made it; delete it, so that a new one is made", file)
	case info.Mode().Perm()&0o077 != 0:
		return "", fmt.Errorf("the token for changes: %s must be its owner's alone: run chmod 600 %s, or delete it "+
			"so that a new one is made", file, file)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxToken))
	if err != nil {
		return "", fmt.Errorf("the token for changes: %w", err)
	}
	text := strings.TrimSpace(string(data))
	if len(text) < minToken || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("the token for changes: %s must hold one word of at least %d characters: delete it, so "+
			"that a new one is made", file, minToken)
	}
	return text, nil
}

// makeToken writes a new token as a whole, unless somebody else was first.
func makeToken(file string) error {
	if _, err := localstate.Make(filepath.Dir(filepath.Dir(file))); err != nil {
		return fmt.Errorf("make the token for changes: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(file), "admin-token-*") // 0600
	if err != nil {
		return fmt.Errorf("make the token for changes: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(rand.Text() + rand.Text() + "\n")
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Link(f.Name(), file)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make the token for changes: %w", err)
	}
	return nil
}

// allows reports whether a request carries the token: as a bearer token, or, as
// browsers do, as the password of any user. Browsers keep passwords for the
// listener's own port; a cookie would go to every server of this machine.
func (t *Token) allows(r *http.Request) bool {
	if _, password, ok := r.BasicAuth(); ok {
		return t.is(strings.TrimSpace(password))
	}
	scheme, given, found := strings.Cut(r.Header.Get("Authorization"), " ")
	return found && strings.EqualFold(scheme, "Bearer") && t.is(strings.TrimSpace(given))
}

func (t *Token) is(given string) bool {
	digest := sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(digest[:], t.digest[:]) == 1
}

// safe reports whether a method changes nothing (RFC 9110 section 9.2.1).
func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// guard lets changes through that carry the token.
func (o Options) guard(next http.Handler) http.Handler {
	t := o.Token
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case safe(r.Method) || t != nil && t.allows(r):
			next.ServeHTTP(w, r)
		case t == nil:
			problem.Write(w, problem.Problem{Status: http.StatusForbidden, Reason: "read-only",
				Detail: strings.TrimSpace("This listener takes no changes. " + o.ReadOnly)})
		case strings.Contains(r.Header.Get("Accept"), "text/html"):
			w.Header().Set("WWW-Authenticate",
				`Basic realm="Changes in Cordon: the token is the password", charset="UTF-8"`)
			t.explain(w)
		default:
			w.Header().Set("WWW-Authenticate", `Bearer realm="cordon"`)
			problem.Write(w, problem.Problem{Status: http.StatusUnauthorized, Reason: "admin-token",
				Detail: "Changes need the token in " + t.file + `, as "Authorization: Bearer TOKEN".`})
		}
	})
}
