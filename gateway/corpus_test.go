package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/lane"
)

// attack is one line of a table in testdata/corpus.
type attack struct {
	want    string
	bytes   string
	comment string
}

var repeated = regexp.MustCompile(`\{(a|fields)\*(\d+)\}`)

// readCorpus reads a table. {a*N} stands for N letters, {fields*N} for N fields.
func readCorpus(t *testing.T, name string) []attack {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "corpus", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []attack
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) != 3 {
			t.Fatalf("%s:%d: %d columns", name, n, len(fields))
		}
		raw, err := strconv.Unquote(fields[1])
		if err != nil {
			t.Fatalf("%s:%d: %v", name, n, err)
		}
		raw = repeated.ReplaceAllStringFunc(raw, func(m string) string {
			parts := repeated.FindStringSubmatch(m)
			count, _ := strconv.Atoi(parts[2])
			if parts[1] == "a" {
				return strings.Repeat("a", count)
			}
			return strings.Repeat("X-F: 1\r\n", count)
		})
		list = append(list, attack{fields[0], raw, fmt.Sprintf("%s:%d %s", name, n, fields[2])})
	}
	return list
}

const corpusRules = `<access origin="https://secure.test:{secure}"/>
<access origin="https://*.wild.test:{secure}"/>
<access origin="https://bücher.test:{secure}"/>
<access origin="https://127.0.0.1:{secure}"/>
<access origin="http://plain.test:{plain}"/>
<access origin="http://folder.test:{plain}/app"/>
<access origin="http://private.test"/>
<access origin="http://mixed-private.test"/>
<access origin="http://metadata.test"/>`

// corpusSites are the gateways that every attack meets: one that passes tunnels
// on, and one that decrypts them.
func corpusSites(t *testing.T, run func(t *testing.T, s *site)) {
	prepare := func(t *testing.T, s *site) {
		s.name("private.test", "10.0.0.1")
		s.name("mixed-private.test", "192.168.0.1", "fd00::1", "169.254.169.254")
		s.name("metadata.test", "169.254.169.254")
		s.name("self-mapped.test", "::ffff:127.0.0.1")
		s.writeRules(corpusRules + `<access origin="http://self.test:{gateway}"/><access ` +
			`origin="https://self.test:{gateway}"/><access origin="https://self-mapped.test:{gateway}"/><access ` +
			`origin="https://127.0.0.1:{gateway}"/>`)
		if err := s.gateway.Reload(); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("tunnel", func(t *testing.T) {
		s := newSite(t, corpusRules, nil)
		prepare(t, s)
		run(t, s)
	})
	t.Run("inspect", func(t *testing.T) {
		s, _ := inspectingSite(t, corpusRules, nil)
		prepare(t, s)
		run(t, s)
	})
}

// breaches returns what must never happen, whatever was sent.
func (s *site) breaches() []string {
	var list []string
	if n := s.evil.connections(); n > 0 {
		list = append(list, fmt.Sprintf("%d connections to an unlisted origin", n))
	}
	hosts := regexp.MustCompile(s.fill(`^\S+ (plain\.test:{plain}|folder\.test:{plain}|secure\.test:{secure}) `))
	for _, o := range []*origin{s.plain, s.secure} {
		for _, seen := range o.saw() {
			if strings.Contains(seen, "smuggled") || !hosts.MatchString(seen) {
				list = append(list, "an origin saw "+seen)
			}
		}
	}
	return list
}

func (s *site) checkBreaches(t *testing.T) {
	t.Helper()
	for _, b := range s.breaches() {
		t.Error("BREACH: " + b)
	}
}

func TestCorpusConnect(t *testing.T) {
	corpusSites(t, func(t *testing.T, s *site) {
		for _, each := range readCorpus(t, "connect.tsv") {
			c := s.dial()
			target := s.fill(each.bytes)
			before := s.plain.connections() + s.secure.connections() + s.evil.connections()
			io.WriteString(c.Conn, "CONNECT "+target+" HTTP/1.1\r\nHost: "+target+"\r\n\r\n")
			resp, err := http.ReadResponse(c.reader, &http.Request{Method: "CONNECT"})
			if err != nil {
				t.Errorf("%s: %q: %v", each.comment, target, err)
				continue
			}
			if each.want == "allow" {
				if resp.StatusCode != 200 {
					t.Errorf("%s: %q: %d, want 200", each.comment, target, resp.StatusCode)
				} else {
					lane.Until(t, "the origin has accepted", func() bool {
						return s.plain.connections()+s.secure.connections() > before
					})
				}
				c.Close()
				continue
			}
			if resp.StatusCode < 400 || resp.StatusCode > 499 || resp.StatusCode == 407 {
				t.Errorf("%s: %q: %d, want a refusal", each.comment, target, resp.StatusCode)
			}
			if after := s.plain.connections() + s.secure.connections() + s.evil.connections(); after != before {
				t.Errorf("BREACH: %s: %q reached an origin", each.comment, target)
			}
			c.Close()
		}
		s.checkBreaches(t)
	})
}

func TestCorpusAbsolute(t *testing.T) {
	corpusSites(t, func(t *testing.T, s *site) {
		for _, each := range readCorpus(t, "absolute.tsv") {
			c := s.dial()
			before := len(s.plain.saw()) + len(s.secure.saw()) + len(s.evil.saw())
			c.send("GET " + s.fill(each.bytes) + " HTTP/1.1\r\nHost: plain.test\r\n\r\n")
			resp, body := c.answer("GET")
			c.Close()
			reached := len(s.plain.saw()) + len(s.secure.saw()) + len(s.evil.saw()) - before
			switch {
			case each.want == "allow" && (resp.StatusCode != 200 || reached != 1):
				t.Errorf("%s: %q: %d %s", each.comment, each.bytes, resp.StatusCode, body)
			case each.want == "deny" && reached != 0:
				t.Errorf("BREACH: %s: %q reached an origin", each.comment, each.bytes)
			case each.want == "deny" && (resp.StatusCode < 400 || resp.StatusCode > 499 || resp.StatusCode == 407):
				t.Errorf("%s: %q: %d, want a refusal", each.comment, each.bytes, resp.StatusCode)
			}
		}
		s.checkBreaches(t)
	})
}

func TestCorpusRaw(t *testing.T) {
	corpusSites(t, func(t *testing.T, s *site) {
		for _, each := range readCorpus(t, "raw.tsv") {
			before := len(s.plain.saw()) + len(s.secure.saw())
			c := s.dial()
			go func() { // what is refused early is not read to its end
				io.WriteString(c.Conn, s.fill(each.bytes))
				c.Conn.(*net.TCPConn).CloseWrite()
			}()
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			_, err := io.Copy(io.Discard, c.reader)
			if e, ok := err.(net.Error); ok && e.Timeout() {
				t.Errorf("%s: the connection hangs", each.comment)
			}
			c.Close()
			reached := len(s.plain.saw()) + len(s.secure.saw()) - before
			limit, atMost := strings.CutPrefix(each.want, "<")
			want, _ := strconv.Atoi(limit)
			if atMost && reached >= want || !atMost && reached != want {
				t.Errorf("%s: %d requests reached an origin, want %s", each.comment, reached, each.want)
			}
		}
		s.checkBreaches(t)
	})
}

// rawOrigin answers every connection's first request with fixed bytes, and returns
// its port.
func rawOrigin(t *testing.T, answer string) string {
	t.Helper()
	return serveConns(t, nil, func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			io.WriteString(conn, answer)
		}
	})
}

func TestCorpusResponses(t *testing.T) {
	s := newSite(t, usualRules, nil)
	for _, each := range readCorpus(t, "responses.tsv") {
		port := rawOrigin(t, each.bytes)
		s.writeRules(`<access origin="http://raw.test:` + port + `"/>`)
		if err := s.gateway.Reload(); err != nil {
			t.Fatal(err)
		}
		c := s.dial()
		c.send("GET http://raw.test:" + port + "/ HTTP/1.1\r\nHost: x\r\n\r\n")
		var resp *http.Response
		var err error
		for resp == nil || resp.StatusCode < 200 && err == nil {
			resp, err = http.ReadResponse(c.reader, nil)
			if err != nil {
				break
			}
		}
		if err != nil {
			if each.want != "broken" {
				t.Errorf("%s: %v", each.comment, err)
			}
			continue
		}
		body, err := io.ReadAll(resp.Body)
		got := strconv.Itoa(resp.StatusCode)
		if err != nil {
			got = "broken"
		}
		if got != each.want {
			t.Errorf("%s: %s, want %s", each.comment, got, each.want)
		}
		if strings.Contains(string(body), "poisoned") || resp.Header.Get("Proxy-Authenticate") != "" ||
			resp.Header.Get("X-Hop") != "" {
			t.Errorf("BREACH: %s: %v %s", each.comment, resp.Header, body)
		}
		c.Close()
	}
}

// TestCorpusRebinding asks for a listed name whose addresses are refused, or
// change between two lookups.
func TestCorpusRebinding(t *testing.T) {
	refused := []string{
		"10.0.0.1", "100.64.0.1", "127.0.0.2", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1",
		"192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
		"240.0.0.1", "255.255.255.255", "0.0.0.0", "0.1.2.3", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
		"::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1",
		"2001::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254",
		"fe80::1", "fec0::1", "ff02::1", "fe80::1%lo",
	}
	corpusSites(t, func(t *testing.T, s *site) {
		for i, address := range refused {
			host := fmt.Sprintf("r%d.wild.invalid", i)
			s.name(host, address)
			s.writeRules(`<access origin="https://*.wild.invalid"/><access origin="http://*.wild.invalid"/>`)
			if i == 0 {
				if err := s.gateway.Reload(); err != nil {
					t.Fatal(err)
				}
			}
			for _, request := range []string{"CONNECT " + host + ":443 HTTP/1.1", "CONNECT " + host + ":80 HTTP/1.1",
				"GET http://" + host + "/ HTTP/1.1"} {
				c := s.dial()
				c.send(request + "\r\nHost: x\r\n\r\n")
				resp, body := c.answer("GET")
				c.Close()
				if resp.StatusCode != 403 || !strings.Contains(body, "address-refused") {
					t.Errorf("%s, %s: %d %s", address, request, resp.StatusCode, body)
				}
			}
		}
		s.checkBreaches(t)
	})
}

func TestMixedAnswersUseTheOthers(t *testing.T) {
	s := newSite(t, usualRules, nil)
	// The first answer is refused, the second is allowed for the name.
	s.name("plain.test", "10.9.9.9", "169.254.169.254", "127.0.0.1")
	if resp, _ := s.get("http://plain.test:{plain}/"); resp.StatusCode != 200 {
		t.Errorf("%d", resp.StatusCode)
	}
	if e := s.decisions()[0]; e.Address.Addr() != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("dialled %s", e.Address)
	}
}
