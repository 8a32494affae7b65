package ca

import (
	"container/list"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/pin"
)

// The limits of an Issuer.
const (
	// DefaultCacheSize is how many certificates an Issuer keeps.
	DefaultCacheSize = 1000
	// LeafLifetime is how long a server's certificate is valid: clients refuse
	// 398 days and more, and nothing here needs as much.
	LeafLifetime = 30 * 24 * time.Hour
	// leafBackdate allows for clients whose clocks are slow.
	leafBackdate = 24 * time.Hour
)

// Issuer signs server certificates as they are asked for and keeps the ones
// used last. All have one key. It is safe for concurrent use and starts no
// goroutine.
type Issuer struct {
	authority *Authority
	key       crypto.Signer
	size      int
	now       func() time.Time

	mu     sync.Mutex
	byHost map[string]*list.Element // of *leaf
	recent *list.List               // of *leaf, the last used in front
}

// leaf is a certificate that is being made or was made.
type leaf struct {
	hosts string
	// ready is closed once the other fields are set.
	ready chan struct{}
	cert  *tls.Certificate
	err   error
	// renew is when it is made anew: well before it expires.
	renew time.Time
}

// fresh reports whether clients take the leaf, which look at the calendar: the
// monotonic clock, by which times are compared otherwise, knows nothing of a clock
// that is set, forward or back, or of a machine that slept.
func (l *leaf) fresh(now time.Time) bool {
	now = now.Round(0)
	return l.err == nil && !now.Before(l.cert.Leaf.NotBefore) && now.Before(l.renew)
}

// IssuerOptions configure an Issuer. The zero value is the default.
type IssuerOptions struct {
	// Size is the most certificates that are kept; zero: DefaultCacheSize.
	Size int
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Issuer returns an issuer of server certificates.
func (a *Authority) Issuer(options IssuerOptions) (*Issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("ca: make a key: %w", err)
	}
	i := &Issuer{authority: a, key: key, size: options.Size, now: options.Now, byHost: map[string]*list.Element{},
		recent: list.New()}
	if i.size <= 0 {
		i.size = DefaultCacheSize
	}
	if i.now == nil {
		i.now = time.Now
	}
	return i, nil
}

// Leaf returns a certificate for the hosts: names in lower-case A-labels and
// addresses in canonical form, usually one. Callers that ask for the same
// hosts at the same time share one signature. It must not be changed.
func (i *Issuer) Leaf(hosts ...string) (*tls.Certificate, error) {
	id := strings.Join(hosts, ",")
	l, mine := i.find(id)
	if !mine {
		<-l.ready
		return l.cert, l.err
	}
	l.cert, l.err = i.sign(hosts)
	if l.err == nil {
		now := i.now().Round(0) // as in fresh
		l.renew = now.Add(l.cert.Leaf.NotAfter.Sub(now) / 2)
	}
	close(l.ready)
	if l.err != nil {
		i.forget(l)
	}
	return l.cert, l.err
}

// GetCertificate is for a tls.Config: it returns the certificate for the name
// that the client asks for, or for the local address if it names none.
func (i *Issuer) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host := strings.ToLower(hello.ServerName)
	if host == "" && hello.Conn != nil {
		if addr, ok := hello.Conn.LocalAddr().(*net.TCPAddr); ok {
			host = addr.AddrPort().Addr().Unmap().WithZone("").String()
		}
	}
	return i.Leaf(host)
}

// find returns the leaf for the hosts; mine says that the caller has to make
// it.
func (i *Issuer) find(id string) (l *leaf, mine bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if e, ok := i.byHost[id]; ok {
		l := e.Value.(*leaf)
		select {
		case <-l.ready:
			if l.fresh(i.now()) {
				i.recent.MoveToFront(e)
				return l, false
			}
			i.remove(e)
		default:
			return l, false
		}
	}
	l = &leaf{hosts: id, ready: make(chan struct{})}
	i.byHost[id] = i.recent.PushFront(l)
	for i.recent.Len() > i.size {
		i.remove(i.recent.Back())
	}
	return l, true
}

func (i *Issuer) remove(e *list.Element) {
	delete(i.byHost, e.Value.(*leaf).hosts)
	i.recent.Remove(e)
}

// forget drops a leaf that could not be made.
func (i *Issuer) forget(l *leaf) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if e, ok := i.byHost[l.hosts]; ok && e.Value.(*leaf) == l {
		i.remove(e)
	}
}

// sign makes one certificate and checks that it does what it is for: an
// authority that is limited to other hosts signs in vain.
func (i *Issuer) sign(hosts []string) (*tls.Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	now, parent := i.now(), i.authority.certificate
	template := &x509.Certificate{
		SerialNumber: serial,
		NotBefore:    now.Add(-leafBackdate),
		NotAfter:     now.Add(LeafLifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if template.NotBefore.Before(parent.NotBefore) {
		template.NotBefore = parent.NotBefore
	}
	if template.NotAfter.After(parent.NotAfter) {
		template.NotAfter = parent.NotAfter
	}
	if err := name(template, hosts); err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, i.key.Public(), i.authority.key)
	if err != nil {
		return nil, fmt.Errorf("ca: sign for %s: %w", hosts[0], err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("ca: read what was signed for %s: %w", hosts[0], err)
	}
	for _, host := range hosts {
		_, err := c.Verify(x509.VerifyOptions{DNSName: host, Roots: i.authority.Pool(), CurrentTime: now})
		if err != nil {
			return nil, fmt.Errorf("ca: %q cannot vouch for %s: %w", i.authority, host, err)
		}
	}
	return &tls.Certificate{Certificate: append([][]byte{der}, i.authority.above...), PrivateKey: i.key, Leaf: c}, nil
}

// name puts the hosts into the certificate.
func name(c *x509.Certificate, hosts []string) error {
	if len(hosts) == 0 {
		return errors.New("ca: a certificate for no host")
	}
	for _, host := range hosts {
		addr, err := netip.ParseAddr(host)
		switch {
		case err == nil && (addr.Zone() != "" || addr.String() != host):
			return fmt.Errorf("ca: address %q is not in canonical form", host)
		case err == nil:
			c.IPAddresses = append(c.IPAddresses, addr.AsSlice())
		default:
			if err := pin.CheckHost(host); err != nil {
				return fmt.Errorf("ca: %w", err)
			}
			c.DNSNames = append(c.DNSNames, host)
		}
	}
	// The common name has 64 characters at most and is not looked at any more.
	if len(hosts[0]) <= 64 {
		c.Subject = pkix.Name{CommonName: hosts[0]}
	}
	return nil
}
