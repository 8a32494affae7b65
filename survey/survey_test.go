package survey_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/testpki"
	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/survey"
)

// A survey finds what files, folders and servers show, and makes of it the
// entries that config.xml would get.
func TestSurvey(t *testing.T) {
	root := testpki.Root(t, testpki.Spec{Name: "Root"})
	leaf := root.Leaf(t, testpki.Spec{Name: "localhost", Hosts: []string{"localhost"}})
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}}
	server.StartTLS()
	defer server.Close()
	dir := t.TempDir()
	authority := filepath.Join(dir, "root.pem")
	if err := os.WriteFile(authority, root.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	at := strings.Replace(strings.TrimPrefix(server.URL, "https://"), "127.0.0.1", "localhost", 1)
	backup := pin.HashOf([]byte("another key"))
	for _, test := range []struct {
		name      string
		options   survey.Options
		doubt     bool
		untrusted bool
		want      int // entries
	}{
		{"trusted", survey.Options{Authority: authority, Backups: []pin.Hash{backup}}, false, false, 2},
		{"nothing vouches for it", survey.Options{}, true, false, 0},
		{"taken all the same", survey.Options{}, true, true, 1},
	} {
		test.options.Now, test.options.Timeout = time.Now(), 10*time.Second
		s, err := survey.New(test.options)
		if err != nil {
			t.Fatal(err)
		}
		s.Look(t.Context(), at)
		s.Advise()
		f := s.Findings()[0]
		if f.Err != nil || len(f.Chain) == 0 || f.Chain[0].Subject == "" || (f.Doubt != "") != test.doubt ||
			s.Offline() {
			t.Fatalf("%s: %+v", test.name, f)
		}
		entries, err := s.Entries(survey.Writing{Which: "leaf", Untrusted: test.untrusted})
		if len(entries) != test.want || (err == nil) != (test.want > 0) {
			t.Errorf("%s: %d entries, %v; want %d", test.name, len(entries), err, test.want)
		}
		for _, e := range entries {
			if e.Host != "localhost" {
				t.Errorf("%s: an entry for %s", test.name, e.Host)
			}
		}
	}
}

// What cannot be looked at is a finding with its reason, and the rest goes on.
func TestSurveyOfMistakes(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "broken.cer"), []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	s, err := survey.New(survey.Options{Now: time.Now(), Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	for _, arg := range []string{dir, empty, filepath.Join(dir, "none"), "localhost:0", "127.1:443", "localhost:1"} {
		s.Look(t.Context(), arg)
	}
	for i, want := range []string{"broken.cer", "", "no such file or folder", "number from 1 to 65535",
		"canonical spelling",
		"localhost"} {
		f := s.Findings()[i]
		if want == "" && (f.Err != nil || len(f.Warnings) != 1) ||
			want != "" && (f.Err == nil || !strings.Contains(f.Err.Error(), want)) {
			t.Errorf("%s: %v %v, want %q", f.Source, f.Err, f.Warnings, want)
		}
	}
	if !s.Offline() {
		t.Error("a port without a listener was reached")
	}
	if _, err := s.Entries(survey.Writing{Which: "leaf"}); err == nil {
		t.Error("pins of nothing were made")
	}
	if _, err := survey.New(survey.Options{Host: "*"}); err == nil {
		t.Error("the host * was taken")
	}
	if _, err := survey.New(survey.Options{Authority: filepath.Join(dir, "broken.cer")}); err == nil {
		t.Error("an authority without a certificate was taken")
	}
}

// A pin that stands alone is told by its host.
func TestWithoutBackup(t *testing.T) {
	key, other := pin.HashOf([]byte("key")), pin.HashOf([]byte("other"))
	doc, err := configxml.Parse("config.xml", []byte(`<widget xmlns:cordon="urn:cordon:1">
<cordon:pin host="a.example" sha256="`+strings.TrimPrefix(key.String(), "sha256/")+`"/>
<cordon:pin host="b.example" sha256="`+strings.TrimPrefix(key.String(), "sha256/")+`"/>
<cordon:pin host="b.example" sha256="`+strings.TrimPrefix(other.String(), "sha256/")+`"/></widget>`))
	if err != nil {
		t.Fatal(err)
	}
	s, err := survey.New(survey.Options{Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	entries := []pin.Entry{{Host: "a.example"}, {Host: "b.example"}, {Host: "a.example"}}
	if got := strings.Join(s.WithoutBackup(doc, entries), " "); got != "a.example" {
		t.Errorf("without a backup are %q", got)
	}
}
