package propose

import "testing"

func TestListable(t *testing.T) {
	for authority, want := range map[string]bool{
		"api.example.com": true, "api.example.com:8443": true, "xn--bcher-kva.example": true, "localhost": true,
		"": false, "*": false, "*.example.com": false, "10.0.0.1": false, "10.0.0.1:80": false, "a b": false,
		"a/b": false, "EXAMPLE.com.": true, "[::1]": false, "[::1]:80": false, "127.1": false, "0x7f.1": false,
		"[::ffff:1.2.3.4]": false, "a..b": false, "user@a.example": false, "a%2eb": false, "[fe80::1%25eth0]": false,
		`a"b.example`: false, "a&b.example": false, "api.example.com:0": false,
	} {
		if got := Listable(authority); got != want {
			t.Errorf("%q is listable: %v, want %v", authority, got, want)
		}
	}
}
