package host

import (
	"errors"
	"testing"
)

func TestParseAuthority(t *testing.T) {
	for _, each := range []struct {
		text string
		port uint16 // the default
		want string // "": refused
	}{
		{"api.example:443", 0, "api.example:443"}, {"API.Example.:8443", 0, "api.example:8443"},
		{"api.example", 80, "api.example:80"}, {"api.example", 0, ""}, {"api.example:", 80, ""},
		{"[::1]:80", 0, "[::1]:80"}, {"[::1]", 443, "[::1]:443"}, {"[::1]80", 443, ""}, {"[::1", 443, ""},
		{"::1", 443, ""}, {"[::ffff:10.0.0.1]:80", 0, "10.0.0.1:80"}, {"127.1:80", 0, ""},
		{"0x7f.1:80", 0, ""}, {"user@api.example:80", 0, ""}, {"a..b:80", 0, ""}, {"", 80, ""},
		{":80", 0, ""}, {"api.example:0", 0, ""}, {"api.example:080", 0, ""}, {"api.example:+80", 0, ""},
		{"api.example:65536", 0, ""}, {"api.example:99999", 0, ""}, {"api.example:80:80", 0, ""},
		{"api.example:80/", 0, ""}, {"bücher.example:80", 0, ""}, {"[fe80::1%25eth0]:80", 0, ""}, {"foo.0x:80", 0, ""},
	} {
		a, err := ParseAuthority(each.text, each.port)
		if err != nil {
			if each.want != "" || !errors.Is(err, ErrAuthority) || a != (Authority{}) {
				t.Errorf("%q: %v, %v", each.text, a, err)
			}
		} else if a.String() != each.want {
			t.Errorf("%q: %s, want %q", each.text, a, each.want)
		}
	}
}
