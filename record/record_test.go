package record

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/propose"
)

// A recorder notes what goes through it, listed or not, and what even it refuses.
func TestRecorder(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "here")
	}))
	defer site.Close()
	doc, err := configxml.Parse("config.xml", []byte(`<widget><access origin="https://a.example"/></widget>`))
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Replace(site.URL, "127.0.0.1", "localhost", 1)
	target, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(Options{Config: doc, Listen: "127.0.0.1:0", With: []string{at}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- r.Serve(ctx) }()
	proxy, err := url.Parse("http://" + r.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Proxy: http.ProxyURL(proxy)}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for range 2 {
		response, err := client.Get(at + "/x")
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	// This machine's own addresses are private, and nothing lets them through.
	refused := r.Refused()
	if len(refused) != 1 || refused[0].Host != target.Host || refused[0].Reason != "address-refused" ||
		len(r.Seen()) != 0 {
		t.Errorf("refused %v, seen %v", refused, r.Seen())
	}
	if _, err := New(Options{Config: doc, With: []string{"localhost:8443"}}); err == nil {
		t.Error("an origin without a scheme was taken")
	}
}

// What was asked over http is proposed with https, unless it is an address or
// cleartext is wanted.
func TestProposals(t *testing.T) {
	seen := []propose.Observation{
		{Scheme: "http", Host: "a.example", Port: 80}, {Scheme: "wss", Host: "b.example"},
		{Scheme: "http", Host: "10.0.0.1"},
	}
	list, raised := Proposals(seen, false)
	var origins []string
	for _, p := range list {
		origins = append(origins, p.Line.Origin)
	}
	if got := strings.Join(origins, " "); got != "http://10.0.0.1 https://a.example https://b.example" ||
		len(raised) != 1 || !raised["a.example"] {
		t.Errorf("%s, raised %v", got, raised)
	}
	if list, raised := Proposals(seen[:1], true); len(raised) != 0 || list[0].Line.Origin != "http://a.example" {
		t.Errorf("with cleartext: %v, raised %v", list[0].Line.Origin, raised)
	}
	if seen[0].Scheme != "http" {
		t.Error("the caller's list was changed")
	}
}
