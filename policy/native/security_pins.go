package native

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// PinSet is a <pin-set>.
type PinSet struct {
	Place policy.Place
	// Expires is the day from which on nothing is pinned any more; zero for
	// none. Device clocks decide it in their own zone.
	Expires time.Time
	Pins    []Pin
	// Unknown says that there may be more pins, or that they may expire: see
	// [Config].Unknown.
	Unknown bool
}

// Pin is one <pin>.
type Pin struct {
	Digest string
	// Hash is the digest of the key.
	Hash  []byte
	Place policy.Place
}

// Distinct returns how many different keys are pinned.
func (p *PinSet) Distinct() int {
	seen := make(map[string]bool)
	for _, each := range p.Pins {
		seen[string(each.Hash)] = true
	}
	return len(seen)
}

func (c *Config) pinSet(e *configxml.Element) *PinSet {
	set := &PinSet{Place: c.place(e)}
	if a, ok := e.Attr("expiration"); ok && c.unset(e, "the expiration of a pin-set", a.Value) {
		set.Unknown = true
	} else if ok {
		day, err := expiration(a.Value)
		if err != nil {
			c.Problems = append(c.Problems, Problem{c.Fragment.Document.Place(a.Start, a.End), err.Error()})
		}
		set.Expires = day
	}
	for _, child := range e.Children {
		if child.Name == "pin" {
			c.pin(set, child)
		}
	}
	return set
}

func (c *Config) pin(set *PinSet, e *configxml.Element) {
	digest := e.Value("digest")
	// Each is told: neither hides the other.
	if unset := c.unset(e, "the digest of a pin", digest); c.unset(e, "a pin", e.Text) || unset {
		set.Unknown = true
		return
	}
	switch hash, ok := decode(e.Text); {
	case !strings.EqualFold(digest, "SHA-256"):
		c.refuse(e, "the digest of a pin must be SHA-256, not %q", digest)
	case len(e.Children) > 0:
		c.refuse(e, "a pin must hold base64 and nothing else")
	case strings.TrimSpace(e.Text) == "":
		c.refuse(e, "a pin must hold the base64 of a SHA-256 digest")
	case !ok:
		c.refuse(e, "a pin must hold base64")
	case len(hash) != 32:
		c.refuse(e, "a pin must hold 32 bytes, not %d", len(hash))
	default:
		set.Pins = append(set.Pins, Pin{Digest: digest, Hash: hash, Place: c.place(e)})
	}
}

// decode reads base64 as android.util.Base64 does by default: characters that
// are not of the alphabet are passed over, the padding may be missing.
func decode(text string) ([]byte, bool) {
	kept := strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z', 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '+', r == '/', r == '=':
			return r
		}
		return -1
	}, text)
	data := strings.TrimRight(kept, "=")
	padding := len(kept) - len(data)
	if strings.Contains(data, "=") || len(data)%4 == 1 || padding != 0 && padding != (4-len(data)%4)%4 {
		return nil, false
	}
	// The last bits of an incomplete group are not looked at.
	hash, err := base64.RawStdEncoding.DecodeString(data)
	return hash, err == nil
}

var dayForm = regexp.MustCompile(`^[ \t]*([0-9]{1,9})-[ \t]*([0-9]{1,4})-[ \t]*([0-9]{1,4})`)

// expiration reads a day as SimpleDateFormat("yyyy-MM-dd") does when it is not
// lenient: what follows the day does not count.
func expiration(text string) (time.Time, error) {
	m := dayForm.FindStringSubmatch(text)
	if m == nil {
		return time.Time{}, fmt.Errorf("the expiration of a pin-set must be a day such as 2027-12-31, not %q", text)
	}
	var parts [3]int
	for i := range parts {
		parts[i], _ = strconv.Atoi(m[i+1]) // digits, few enough
	}
	day := time.Date(parts[0], time.Month(parts[1]), parts[2], 0, 0, 0, 0, time.UTC)
	if day.Year() != parts[0] || int(day.Month()) != parts[1] || day.Day() != parts[2] {
		return time.Time{}, fmt.Errorf("the expiration of a pin-set must be a day that exists, not %q", text)
	}
	return day, nil
}
