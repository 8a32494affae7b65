package egress

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/internal/watch"
)

const (
	resolvConf = "/etc/resolv.conf"
	hostsFile  = "/etc/hosts"
	// recheck is how long a system file is used before it is looked at again.
	recheck = 5 * time.Second
	// fileTTL is how long an answer holds that names no time: from the hosts
	// file, or from a system whose resolver tells none.
	fileTTL = 5 * time.Second
)

// NewSystemResolver returns a resolver that asks as this machine is set up to:
// the hosts file, then the name servers of /etc/resolv.conf, both read again
// when they change. localhost and the names below it are loopback (RFC 6761).
// Search lists are not applied. Where there is no resolv.conf (Windows,
// Android), the standard library asks the system, and answers are kept for a
// few seconds only.
func NewSystemResolver() Resolver {
	return &system{hosts: file{path: hostsFile}, conf: file{path: resolvConf}}
}

// system is the machine's own way of resolving.
type system struct {
	hosts, conf file
}

// LookupAddrs implements Resolver.
func (s *system) LookupAddrs(ctx context.Context, host string) ([]netip.Addr, time.Duration, error) {
	if data, ok := s.hosts.read(); ok {
		if addrs := lookupHosts(data, host); len(addrs) > 0 {
			return addrs, fileTTL, nil
		}
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}, fileTTL, nil
	}
	if data, ok := s.conf.read(); ok && runtime.GOOS != "windows" {
		return parseResolvConf(data).LookupAddrs(ctx, host)
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host+".")
	return addrs, fileTTL, err
}

// file is a small system file that is read again when it changes.
type file struct {
	path string

	mu      sync.Mutex
	checked time.Time
	stamp   watch.Stamp
	data    []byte
	ok      bool
}

// read returns the content, and whether there is one. The caller must not
// change it.
func (f *file) read() ([]byte, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.checked.IsZero() && time.Since(f.checked) < recheck {
		return f.data, f.ok
	}
	f.checked = time.Now()
	stamp := watch.Look(f.path)
	if f.ok && stamp == f.stamp {
		return f.data, true
	}
	data, err := os.ReadFile(f.path)
	f.data, f.ok, f.stamp = data, err == nil, stamp
	return f.data, f.ok
}

// lookupHosts finds a name in a hosts file (hosts(5)).
func lookupHosts(data []byte, host string) []netip.Addr {
	var addrs []netip.Addr
	for line := range bytes.Lines(data) {
		text, _, _ := strings.Cut(string(line), "#")
		fields := strings.Fields(text)
		if len(fields) < 2 {
			continue
		}
		for _, name := range fields[1:] {
			if lower(strings.TrimSuffix(name, ".")) != host {
				continue
			}
			if addr, err := netip.ParseAddr(fields[0]); err == nil {
				addrs = append(addrs, addr)
			}
			break
		}
	}
	return addrs
}

// parseResolvConf reads the name servers of resolv.conf(5). Of the options
// timeout and use-vc count. Without a server, the machine's own is meant.
func parseResolvConf(data []byte) *stub {
	s := &stub{timeout: tryTimeout}
	for line := range bytes.Lines(data) {
		fields := strings.Fields(string(line))
		if len(fields) < 2 || strings.HasPrefix(fields[0], "#") || strings.HasPrefix(fields[0], ";") {
			continue
		}
		switch fields[0] {
		case "nameserver":
			if addr, err := netip.ParseAddr(fields[1]); err == nil && len(s.servers) < 3 {
				s.servers = append(s.servers, netip.AddrPortFrom(addr, 53))
			}
		case "options":
			for _, option := range fields[1:] {
				s.option(option)
			}
		}
	}
	if len(s.servers) == 0 {
		s.servers = []netip.AddrPort{
			netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 53),
			netip.AddrPortFrom(netip.IPv6Loopback(), 53),
		}
	}
	return s
}

func (s *stub) option(option string) {
	if option == "use-vc" {
		s.tcpOnly = true
	}
	if digits, ok := strings.CutPrefix(option, "timeout:"); ok {
		if n, err := strconv.Atoi(digits); err == nil && n >= 1 {
			s.timeout = min(time.Duration(n)*time.Second, tryTimeout)
		}
	}
}
