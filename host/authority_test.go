package host_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/host"
)

// authorities are what each text is, or why it is nothing.
var authorities = []struct {
	written, want string
	err           error
}{
	{"a.example", "a.example", nil},
	{"EXAMPLE.com.:8080", "example.com:8080", nil},
	{"bücher.example:80", "xn--bcher-kva.example:80", nil},
	{"1.2.3.4:443", "1.2.3.4:443", nil},
	{"[::1]", "[::1]", nil},
	{"[::1]:80", "[::1]:80", nil},
	{"[::ffff:1.2.3.4]:80", "1.2.3.4:80", nil},
	{"", "", host.ErrEmpty},
	{":80", "", host.ErrEmpty},
	{"a.example:", "", host.ErrPort},
	{"[::1]:", "", host.ErrPort},
	{"a.example:0", "", host.ErrPort},
	{"a.example:080", "", host.ErrPort},
	{"a.example:+80", "", host.ErrPort},
	{"a.example:65536", "", host.ErrPort},
	{"a.example:http", "", host.ErrPort},
	{"a.example:80:80", "", host.ErrColon},
	{"::1", "", host.ErrColon},
	{"[::1", "", host.ErrBracket},
	{"[::1]80", "", host.ErrBracket},
	{"user@a.example", "", host.ErrUser},
	{"a..b", "", host.ErrLabel},
	{"127.1", "", host.ErrAddress},
	{"0x7f.1:80", "", host.ErrAddress},
	{"[fe80::1%eth0]:80", "", host.ErrAddress},
	{"[fe80::1%25eth0]", "", host.ErrAddress},
	{"a%2eb:80", "", host.ErrCharacter},
	{"a.example/", "", host.ErrCharacter},
}

func TestParseAuthority(t *testing.T) {
	for _, test := range authorities {
		a, err := host.ParseAuthority(test.written)
		if got := a.String(); err != test.err || err == nil && got != test.want {
			t.Errorf("%q is %q, %v, want %q, %v", test.written, got, err, test.want, test.err)
		}
		if again, err := host.ParseAuthority(a.String()); test.err == nil && (err != nil || again != a) {
			t.Errorf("%q: %s is read as %v, %v", test.written, a, again, err)
		}
	}
}

// Split leaves the host as it is, wildcards and all.
func TestSplit(t *testing.T) {
	for written, want := range map[string]string{"*.A.example:*": "*.A.example *", "[::1]:80": "[::1] 80",
		"a..b": "a..b ", "": " ", "[x]": "[x] "} {
		h, port, err := host.Split(written)
		if got := h + " " + port; got != want || err != nil {
			t.Errorf("%q: %q, %v, want %q", written, got, err, want)
		}
	}
}

func TestAuthorityOf(t *testing.T) {
	for written, want := range map[string]string{
		"https a.example:443": "a.example", "http a.example:443": "a.example:443", "http [::1]:80": "[::1]",
		"wss a.example:443": "a.example", "ws a.example:80": "a.example", "ftp a.example:21": "a.example:21",
	} {
		scheme, text, _ := strings.Cut(written, " ")
		a, err := host.ParseAuthority(text)
		if got := a.Of(scheme); got != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", written, got, err, want)
		}
	}
}

func FuzzParseAuthority(f *testing.F) {
	for _, test := range authorities {
		f.Add(test.written)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := host.ParseAuthority(text)
		if err != nil {
			return
		}
		if again, err := host.ParseAuthority(a.String()); err != nil || again != a {
			t.Errorf("%q: %s is read as %v, %v", text, a, again, err)
		}
		if h, _, err := host.Split(text); err != nil || h != text[:len(h)] {
			t.Errorf("%q: the host is %q, %v", text, h, err)
		}
	})
}

func ExampleParseAuthority() {
	a, err := host.ParseAuthority("API.example.org.:443")
	fmt.Println(a, a.Of("https"), err)
	_, err = host.ParseAuthority("user@api.example.org")
	fmt.Println(err)
	// Output:
	// api.example.org:443 api.example.org <nil>
	// the host must stand alone, without a user name and @ before it
}
