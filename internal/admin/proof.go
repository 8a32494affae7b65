package admin

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"

	"github.com/cordon-sec/cordon/internal/problem"
)

// proofPath is where a listener proves that it knows the token. Whoever is to get
// the token asks first: another user's program may listen where the right one has
// stopped.
const proofPath = "/token/proof"

// maxNonce bounds what a proof is asked for, in bytes.
const maxNonce = 128

// ErrNotOurs is a listener that does not know the token of the file.
var ErrNotOurs = errors.New("what listens there does not know the token for changes, and is not given it")

// prove returns the proof of a listener at an address: one that is passed on from
// another address is of no use. The address is part of it as the system has it.
func (t *Token) prove(at net.Addr, nonce string) (string, error) {
	address, err := netip.ParseAddrPort(at.String())
	if err != nil {
		return "", err
	}
	address = netip.AddrPortFrom(address.Addr().Unmap(), address.Port())
	mac := hmac.New(sha256.New, t.digest[:])
	fmt.Fprintf(mac, "cordon admin listener\n%s\n%s", address, nonce)
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// serveProof answers whoever wants to know.
func (t *Token) serveProof(w http.ResponseWriter, r *http.Request) {
	nonce := r.URL.Query().Get("nonce")
	at, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok || nonce == "" || len(nonce) > maxNonce {
		problem.Write(w, problem.Problem{Status: http.StatusBadRequest, Reason: "nonce"})
		return
	}
	proof, err := t.prove(at, nonce)
	if err != nil {
		problem.Write(w, problem.Problem{Status: http.StatusBadRequest, Reason: "address"})
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Cache-Control", "no-store")
	fmt.Fprintln(w, proof)
}

// Authorize reads the token and puts it into a request, once the listener that the
// request goes to has proved that it knows it. The error is ErrNotOurs if it does
// not.
func Authorize(client *http.Client, r *http.Request, file string) error {
	text, err := ReadToken(file)
	if err != nil {
		return err
	}
	t := &Token{file: file, digest: sha256.Sum256([]byte(text))}
	nonce := rand.Text()
	var at net.Addr
	ctx := httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { at = info.Conn.RemoteAddr() },
	})
	got, err := askProof(ctx, client, r.URL.Host, nonce)
	if err != nil {
		return err
	}
	if want, err := t.prove(at, nonce); err != nil || !hmac.Equal([]byte(want), got) {
		return ErrNotOurs
	}
	r.Header.Set("Authorization", "Bearer "+text)
	return nil
}

func askProof(ctx context.Context, client *http.Client, host, nonce string) ([]byte, error) {
	u := url.URL{Scheme: "http", Host: host, Path: proofPath, RawQuery: url.Values{"nonce": {nonce}}.Encode()}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	proof := make([]byte, 2*sha256.Size)
	if _, err := io.ReadFull(resp.Body, proof); err != nil || resp.StatusCode != http.StatusOK {
		return nil, ErrNotOurs
	}
	return proof, nil
}
