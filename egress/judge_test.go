package egress

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// last returns the highest address of a prefix.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// TestJudgeRanges holds every range that is refused by default against both of
// its ends, and the public addresses beside it.
func TestJudgeRanges(t *testing.T) {
	for _, r := range []struct {
		prefix string
		want   Refusal
	}{
		{"0.0.0.0/8", Special}, {"10.0.0.0/8", Special}, {"100.64.0.0/10", Special}, {"127.0.0.0/8", Special},
		{"169.254.0.0/16", Special}, {"172.16.0.0/12", Special}, {"192.0.0.0/24", Special}, {"192.0.2.0/24", Special},
		{"192.88.99.0/24", Special}, {"192.168.0.0/16", Special}, {"198.18.0.0/15", Special},
		{"198.51.100.0/24", Special}, {"203.0.113.0/24", Special}, {"224.0.0.0/4", Special}, {"240.0.0.0/4", Special},
		{"255.255.255.255/32", Special}, {"::/128", Special}, {"::1/128", Special}, {"::2/127", Embedded},
		{"::ffff:0:0:0/96", Embedded}, {"64:ff9b:1::/48", Embedded}, {"100::/64", Special}, {"100:0:0:1::/64", Special},
		{"2001::/32", Embedded}, {"2001:1::/32", Special}, {"2001:1ff::/32", Special}, {"2001:db8::/32", Special},
		{"2002::/16", Embedded}, {"3fff::/20", Special}, {"5f00::/16", Special}, {"fc00::/7", Special},
		{"fe80::/10", Special}, {"fec0::/10", Special}, {"ff00::/8", Special}, {"4000::/3", Special},
		{"200::/7", Special}, {"e000::/4", Special},
	} {
		prefix := netip.MustParsePrefix(r.prefix)
		for _, addr := range []netip.Addr{prefix.Addr(), last(prefix)} {
			if got := Judge(addr); got.Refused != r.want {
				t.Errorf("Judge(%s) of %s = %v, want %v", addr, r.prefix, got.Refused, r.want)
			}
			if addr.Is4() {
				checkEmbeddings(t, addr)
			}
		}
	}
}

// checkEmbeddings puts an IPv4 address that is refused into every form of IPv6
// that carries one.
func checkEmbeddings(t *testing.T, v4 netip.Addr) {
	t.Helper()
	b := v4.As4()
	put := func(prefix string, at int, invert byte) netip.Addr {
		six := netip.MustParseAddr(prefix).As16()
		for i, x := range b {
			six[at+i] = x ^ invert
		}
		return netip.AddrFrom16(six)
	}
	for _, addr := range []netip.Addr{
		put("::ffff:0:0", 12, 0), put("::", 12, 0), put("::ffff:0:0:0", 12, 0),
		put("64:ff9b::", 12, 0), put("64:ff9b:1::", 12, 0), put("2002::", 2, 0), put("2001::", 12, 0xff),
	} {
		if Judge(addr).Refused == Usable {
			t.Errorf("%s carries %s and is usable", addr, v4)
		}
	}
}

func TestJudgePublic(t *testing.T) {
	for _, s := range []string{
		"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
		"169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0",
		"192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
		"198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255",
		"2000::", "2001:200::", "2001:db7:ffff::1", "2001:db9::", "2003::", "2606:4700::1111", "3ffe:ffff::",
		"3fff:1000::", "::ffff:8.8.8.8", "64:ff9b::808:808",
	} {
		if a := Judge(netip.MustParseAddr(s)); a.Refused != Usable {
			t.Errorf("Judge(%s) = %v (%s), want usable", s, a.Refused, a.Range)
		}
	}
	for _, addr := range []netip.Addr{{}, netip.MustParseAddr("2606:4700::1111%eth0"),
		netip.MustParseAddr("fe80::1%1")} {
		if Judge(addr).Refused == Usable {
			t.Errorf("Judge(%q) is usable", addr)
		}
	}
}

// TestJudgeOutsideUnicast says that no IPv6 address outside the space that IANA
// gave out is usable, with the one exception that is meant.
func TestJudgeOutsideUnicast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b [16]byte
		for i := range b {
			b[i] = rapid.Byte().Draw(t, "byte")
		}
		addr := netip.AddrFrom16(b)
		if Judge(addr).Refused != Usable {
			return
		}
		if addr.Is4In6() {
			if a, _ := judgePlain(addr.Unmap()); a != Usable {
				t.Fatalf("%s is usable although %s is not", addr, addr.Unmap())
			}
			return
		}
		if !unicast.Contains(addr) && !nat64.Contains(addr) {
			t.Fatalf("%s is usable and not global unicast", addr)
		}
	})
}

func testDialer(t testing.TB, c Config) *Dialer {
	t.Helper()
	if c.Resolver == nil {
		c.Resolver = answers{}
	}
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func private(t testing.TB, host, addrs string, port uint16) Private {
	t.Helper()
	p, err := ParsePrivate(host, addrs)
	if err != nil {
		t.Fatal(err)
	}
	p.Port = port
	return p
}

func TestAllowances(t *testing.T) {
	allow := []Private{
		private(t, "db.example.org", "10.1.0.0/16", 0),
		private(t, "*.lab.example.org", "fd00::/8", 0),
		private(t, "", "192.168.7.7", 8443),
		private(t, "*", "64:ff9b:1::/48", 0),
		private(t, "old.example.org", "2002::/16", 0),
		private(t, "both.example.org", "2002::/16", 0), private(t, "both.example.org", "10.0.0.0/8", 0),
		private(t, "10.9.9.9", "10.9.9.9", 0),
	}
	d := testDialer(t, Config{Allow: allow})
	for _, c := range []struct {
		host, addr string
		port       uint16
		want       Refusal
	}{
		{"db.example.org", "10.1.2.3", 443, Usable},
		{"db.example.org", "10.2.0.0", 443, Special},
		{"db.example.org", "::ffff:10.1.2.3", 443, Usable},
		{"a.db.example.org", "10.1.2.3", 443, Special},
		{"xdb.example.org", "10.1.2.3", 443, Special},
		{"lab.example.org", "fd00::1", 443, Usable},
		{"a.b.lab.example.org", "fd00::1", 443, Usable},
		{"lab.example.org.evil.example", "fd00::1", 443, Special},
		{"evillab.example.org", "fd00::1", 443, Special},
		{"any.example", "192.168.7.7", 8443, Usable},
		{"any.example", "192.168.7.7", 443, Special},
		{"any.example", "64:ff9b:1::a00:1", 443, Usable},
		{"old.example.org", "2002:808:808::1", 443, Usable},
		{"old.example.org", "2002:a00:1::1", 443, Embedded},
		{"old.example.org", "2002:7f00:1::1", 443, Embedded},
		{"both.example.org", "2002:a00:1::1", 443, Usable},
		{"10.9.9.9", "10.9.9.9", 443, Usable},
		{"other.example", "10.9.9.9", 443, Special},
		{"db.example.org", "fe80::1%eth0", 443, Zoned},
	} {
		got := d.judge(c.host, netip.MustParseAddr(c.addr), Destination{Host: c.host, Port: c.port})
		if got.Refused != c.want {
			t.Errorf("%s at %s port %d: %v, want %v", c.host, c.addr, c.port, got.Refused, c.want)
		}
	}
}

func TestOwnListeners(t *testing.T) {
	mine := netip.MustParseAddr("203.0.114.10")
	d := testDialer(t, Config{
		OwnPorts:   []uint16{3128},
		OwnAddrs:   []netip.Addr{netip.MustParseAddr("198.20.0.1")},
		Interfaces: func() ([]netip.Addr, error) { return []netip.Addr{mine}, nil },
		Allow:      []Private{private(t, "", "127.0.0.0/8", 0), private(t, "app.example.org", "127.0.0.1", 8443)},
	})
	d.AddOwnPorts(8443)
	for _, c := range []struct {
		host, addr string
		port       uint16
		want       Refusal
	}{
		{"a.example", "203.0.114.10", 3128, Own},
		{"a.example", "203.0.114.10", 443, Usable},
		{"a.example", "203.0.114.11", 3128, Usable},
		{"a.example", "198.20.0.1", 3128, Own},
		{"a.example", "127.0.0.1", 80, Usable},
		{"a.example", "127.0.0.1", 3128, Own},
		{"a.example", "127.1.2.3", 3128, Own},
		{"a.example", "0.0.0.0", 3128, Own},
		{"a.example", "::ffff:203.0.114.10", 3128, Own},
		{"a.example", "64:ff9b::cb00:720a", 3128, Own},
		{"app.example.org", "127.0.0.1", 8443, Usable},
		{"other.example.org", "127.0.0.1", 8443, Own},
		{"app.example.org", "127.0.0.1", 3128, Own},
	} {
		got := d.judge(c.host, netip.MustParseAddr(c.addr), Destination{Host: c.host, Port: c.port})
		if got.Refused != c.want {
			t.Errorf("%s at %s port %d: %v, want %v", c.host, c.addr, c.port, got.Refused, c.want)
		}
	}
}

func TestParsePrivateRefuses(t *testing.T) {
	for _, c := range [][2]string{
		{"a.example", ""}, {"a.example", "10.0.0.1/8"}, {"a.example", "10.0.0.0/33"}, {"a.example", "fe80::1%eth0"},
		{"a.example", "::ffff:10.0.0.0/104"}, {"*.*.example", "10.0.0.0/8"}, {"a*.example", "10.0.0.0/8"},
		{"a.example.", "10.0.0.0/8"}, {"*.", "10.0.0.0/8"}, {"010.0.0.1", "10.0.0.0/8"}, {"a.example:80", "10.0.0.0/8"},
	} {
		if p, err := ParsePrivate(c[0], c[1]); err == nil {
			t.Errorf("ParsePrivate(%q, %q) = %v, want an error", c[0], c[1], p)
		}
	}
	if _, err := New(Config{Allow: []Private{{Host: "x"}}}); err == nil {
		t.Error("New takes an allowance without a range")
	}
}

func TestParseHost(t *testing.T) {
	for _, s := range []string{
		"", ".", "a.", "a..b", ".a", "a b", "a/b", "a@b", "a:80", "[::1]", "::1%lo",
		"::1%25lo", "127.1", "0x7f.1", "0x7f000001", "017700000001", "2130706433", "127.0.0.01", "127.0.0.1.",
		"1.2.3.4.5", "256.1.1.1", "0:0:0:0:0:0:0:1", "::0001", "::FFFF:7f00:1", "a.0x1", "a.123", "1.2.3.0x",
		"faß.example", "ａ.example", "a\x00b", "*.example.org", "[", "a]b", "127。0。0。1",
	} {
		if host, addr, err := ParseHost(s); err == nil {
			t.Errorf("ParseHost(%q) = %q, %v, want an error", s, host, addr)
		}
	}
	for s, want := range map[string]string{
		"a": "a", "API.Example.ORG": "api.example.org", "xn--fa-hia.example": "xn--fa-hia.example",
		"_dmarc.a": "_dmarc.a", "127.0.0.1": "127.0.0.1", "::1": "::1", "2001:DB8::1": "2001:db8::1",
		"1.2.3.com": "1.2.3.com", "0x1.example": "0x1.example",
	} {
		if got, _, err := ParseHost(s); err != nil || got != want {
			t.Errorf("ParseHost(%q) = %q, %v, want %q", s, got, err, want)
		}
	}
}

func FuzzParseHost(f *testing.F) {
	for _, s := range []string{"a.example", "127.0.0.1", "0x7f.1", "::1", "[::1]:80", "a.", "xn--a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host, addr, err := ParseHost(s)
		if err != nil {
			return
		}
		again, addr2, err := ParseHost(host)
		if err != nil || again != host || addr != addr2 {
			t.Fatalf("ParseHost(%q) = %q, which is not stable: %q, %v", s, host, again, err)
		}
		if parsed, err := netip.ParseAddr(host); (err == nil) != addr.IsValid() || parsed != addr {
			t.Fatalf("ParseHost(%q): address %v, but the text reads as %v", s, addr, parsed)
		}
	})
}

func TestInterleave(t *testing.T) {
	addrs := parseAddrs("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "2001:db8::3")
	want := parseAddrs("2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "2001:db8::3")
	got := interleave(addrs)
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("interleave = %v, want %v", got, want)
		}
	}
	many := make([]netip.Addr, 100)
	for i := range many {
		many[i] = netip.AddrFrom4([4]byte{8, 8, byte(rand.IntN(256)), byte(i)})
	}
	if n := len(interleave(many)); n != MaxAttempts {
		t.Errorf("%d addresses are tried, want %d", n, MaxAttempts)
	}
}
