package host_test

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/host"
)

// asciiText is every printable ASCII character.
var asciiText = func() string {
	var b []byte
	for c := byte(' '); c < 0x7f; c++ {
		b = append(b, c)
	}
	return string(b)
}()

func TestHosts(t *testing.T) {
	data, err := os.ReadFile("testdata/hosts.txt")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		count++
		at := strings.LastIndex(line, "  ")
		written, want := strings.TrimSpace(line[:at]), line[at+2:]
		n, err := host.Parse(written)
		got := n.String()
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s is %q (%v), want %q", written, got, err, want)
		}
		wire, wireErr := host.ParseASCII(written)
		if ascii := strings.Trim(written, asciiText) == ""; ascii && (wire != n || wireErr != err) ||
			!ascii && wireErr != host.ErrNotASCII {
			t.Errorf("on the wire %s is %q, %v", written, wire, wireErr)
		}
		if again, err := host.Parse(n.URL()); !n.IsZero() && (err != nil || again != n) {
			t.Errorf("%s: the normal form %s is read as %v, %v", written, n.URL(), again, err)
		}
	}
	if count != 34 {
		t.Errorf("%d hosts were tried", count)
	}
}

func TestIsLoopback(t *testing.T) {
	for text, want := range map[string]bool{
		"localhost": true, "LOCALHOST": true, "localhost.": true, "app.localhost": true, "localhost:8443": true,
		"app.localhost.:1": true, "127.0.0.1": true, "127.8.9.1:80": true, "[::1]": true, "[::1]:443": true,
		"::1": true, "::ffff:127.0.0.1": true, "[::ffff:127.0.0.1]:1": true, "": false, ":80": false,
		"localhost.evil.example": false, "evil-localhost": false, "127.0.0.1.evil.example": false, "10.0.0.1": false,
		"0x7f.1": false, "127.1": false, "2130706433": false, "0.0.0.0": false, "[::]": false, "localhost:80:80": false,
		"localhost:http": false, "fe80::1%lo": false, "[::1%lo]": false, "user@localhost": false, "localhost/": false,
		"１２７.0.0.1": false,
	} {
		if got := host.IsLoopback(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestLongHosts(t *testing.T) {
	label := strings.Repeat("a", 63)
	for text, want := range map[string]error{
		strings.Repeat(label+".", 3) + strings.Repeat("a", 61): nil, // 253 characters
		strings.Repeat(label+".", 3) + strings.Repeat("a", 62): host.ErrLong,
		label + "a.example":         host.ErrLabel,
		strings.Repeat("ü", 1<<20):  host.ErrLong,
		strings.Repeat("a.", 1<<20): host.ErrLong,
	} {
		if _, err := host.Parse(text); err != want {
			t.Errorf("%.20s… of %d bytes: %v, want %v", text, len(text), err, want)
		}
	}
}

func TestFromAddr(t *testing.T) {
	for text, want := range map[string]string{"10.0.0.1": "10.0.0.1", "::ffff:10.0.0.1": "10.0.0.1",
		"fe80::1%eth0": "[fe80::1]"} {
		if got := host.FromAddr(netip.MustParseAddr(text)).URL(); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

func TestParsePlain(t *testing.T) {
	for text, want := range map[string]string{"EXAMPLE.com.": "example.com", "::1": "[::1]",
		"::ffff:1.2.3.4": "1.2.3.4", "[::1]": "", "a.example:80": "", "fe80::1%eth0": "", "127.1": "", "": ""} {
		if n, err := host.ParsePlain(text); n.URL() != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q, %v, want %q", text, n.URL(), err, want)
		}
	}
}

// A host in normal form costs no memory.
func TestParseDoesNotAllocate(t *testing.T) {
	for _, text := range []string{"www.example.com", "1.2.3.4", "www.example.com."} {
		if n := testing.AllocsPerRun(100, func() { _, _ = host.Parse(text) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"a.example", "xn--bcher-kva.example", "bücher。example", "[::ffff:1.2.3.4]", "1.2.3.4",
		"foo.0x", "-_.a"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := host.Parse(text)
		if (err == nil) == n.IsZero() {
			t.Fatalf("%q: %v %v", text, n, err)
		}
		kept, keptErr := host.Normalize(text)
		if (keptErr == nil) != (err == nil) || err == nil && !strings.EqualFold(kept, n.URL()) {
			t.Errorf("%q: Normalize %q %v, Parse %v %v", text, kept, keptErr, n, err)
		}
		if err != nil {
			return
		}
		if again, err := host.Parse(n.URL()); err != nil || again != n {
			t.Errorf("%q: %s is read as %v, %v", text, n.URL(), again, err)
		}
		if strings.ContainsAny(n.String(), " /\\@?#%") || strings.ToLower(n.String()) != n.String() {
			t.Errorf("%q became %q", text, n)
		}
	})
}

func ExampleParse() {
	n, err := host.Parse("Bücher.example.")
	fmt.Println(n, err)
	_, err = host.Parse("0x7f.1")
	fmt.Println(err)
	// Output:
	// xn--bcher-kva.example <nil>
	// the host is an address that is not in its canonical spelling
}
