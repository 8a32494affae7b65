package gateway

import (
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/gateway/source"
	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/internal/testpki"
)

// replace puts another file of the same size and time in a file's place, as tools
// do that keep times.
func replace(t *testing.T, path, old, text string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(data), old, text, 1)
	if len(changed) != len(data) || changed == string(data) {
		t.Fatalf("%q does not take the place of %q", text, old)
	}
	next := path + ".next"
	if err := errors.Join(writeFile(next, changed), os.Chtimes(next, info.ModTime(), info.ModTime()),
		os.Rename(next, path)); err != nil {
		t.Fatal(err)
	}
}

func (s *site) allows(url string) bool {
	resp, _ := s.get(url)
	return resp.StatusCode == 200
}

func TestReplacedFileIsRead(t *testing.T) {
	s := newSite(t, `<access origin="http://plain.test:{plain}"/>`, nil)
	replace(t, s.config, "plain.test", "other.test")
	lane.Until(t, "the file that took the place is in force",
		func() bool { return s.allows("http://other.test:{plain}/") })
}

// The files are read first and looked at from Serve on: a change between the two
// counts as well.
func TestChangeBeforeServeIsRead(t *testing.T) {
	s := newSite(t, `<access origin="http://plain.test:{plain}"/>`, nil)
	s.stop()
	options := s.gateway.options
	options.Metrics = nil // those of another gateway
	g, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	s.writeRules(`<access origin="http://late.test:{plain}"/>`)
	s.gateway = g
	s.start()
	lane.Until(t, "the change is in force", func() bool { return s.allows("http://late.test:{plain}/") })
}

// A renewed certificate of the listener is served without a restart.
func TestRenewedCertificate(t *testing.T) {
	root := testpki.Root(t, testpki.Spec{Name: "Fleet"})
	leaf := func(name string) *testpki.Pair {
		return root.Leaf(t, testpki.Spec{Name: name, Hosts: []string{"proxy.test"}})
	}
	old, renewed := leaf("old"), leaf("renewed")
	certificate, key := writePair(t, old)
	s := newSite(t, usualRules, func(c *config.Config) { c.TLS = &config.TLS{Certificate: certificate, Key: key} })
	served := func() string {
		conn, err := tls.Dial("tcp", s.addr, &tls.Config{ServerName: "proxy.test", RootCAs: root.Pool()})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	if got := served(); got != "old" {
		t.Fatal(got)
	}
	if err := writeFile(key, string(renewed.KeyPEM(t))); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(certificate, string(renewed.PEM())); err != nil {
		t.Fatal(err)
	}
	lane.Until(t, "the renewed certificate is served", func() bool { return served() == "renewed" })
}

// A configuration that is refused because of an app's file takes effect when that
// file is mended, though only the refused one names it.
func TestMendedFileOfARefusedConfiguration(t *testing.T) {
	s := newSite(t, `<access origin="http://plain.test:{plain}"/>`, nil)
	s.stop()
	broken := filepath.Join(t.TempDir(), "config.xml")
	if err := writeFile(broken, "<widget><access"); err != nil {
		t.Fatal(err)
	}
	options := s.gateway.options
	options.Metrics = nil // those of another gateway
	list := filepath.Join(t.TempDir(), "list")
	if err := writeFile(list, "one file"); err != nil {
		t.Fatal(err)
	}
	c := options.Loaded.Config
	from := source.New(source.Options{Files: []string{list}, Read: func() (config.Config, error) { return c, nil }})
	loaded, err := from.Load()
	if err != nil {
		t.Fatal(err)
	}
	options.Loaded, options.Reload, options.Changed = loaded, from.Load, from.Changed
	moved := c.Apps[0]
	moved.Config = broken
	c.Apps = []config.App{moved}
	g, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	s.gateway = g
	s.start()
	if err := writeFile(list, "another file"); err != nil {
		t.Fatal(err)
	}
	notice := func(reason string) func() bool {
		return func() bool {
			for _, e := range s.ring.Latest() {
				if e.Type == event.Notice && e.Reason == reason {
					return true
				}
			}
			return false
		}
	}
	lane.Until(t, "the broken file is noticed", notice("reload-failed"))
	if !s.allows("http://plain.test:{plain}/") {
		t.Error("the rules that were good are gone")
	}
	if err := writeFile(broken, "<widget xmlns='http://www.w3.org/ns/widgets'/>"); err != nil {
		t.Fatal(err)
	}
	lane.Until(t, "the mended file is in force", notice("reloaded"))
}
