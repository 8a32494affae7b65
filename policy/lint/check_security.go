package lint

import (
	"fmt"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy/native"
)

// namedConfigs returns the resources that <application> names as its network
// security configuration, by name; whole says that a whole manifest was read, so
// that none means that there is none.
func (r *run) namedConfigs() (named map[string]native.Attribute, whole bool) {
	named = make(map[string]native.Attribute)
	for _, st := range r.native().At(application) {
		whole = whole || st.Fragment.Carrier == native.File
		a, ok := st.Attribute("networkSecurityConfig")
		switch names, all := resources(a); {
		case ok && all:
			for _, name := range names {
				named[name] = a
			}
		case ok: // a reference without a name: it may be any of them
			return nil, false
		}
	}
	return named, whole
}

// resources returns the names of the XML resources that an attribute may name, and
// whether it names nothing else, as far as is known.
func resources(a native.Attribute) (names []string, all bool) {
	all = a.Meaning.Unknown == ""
	for _, g := range a.Texts() {
		name, resource := strings.CutPrefix(strings.TrimSpace(g.Text), "@xml/")
		if all = all && resource; resource {
			names = append(names, name)
		}
	}
	return names, all
}

// configs calls visit for each network security configuration that the app uses:
// those that its manifest names, or all if no manifest was read.
func (r *run) configs(visit func(*native.Config)) {
	named, whole := r.namedConfigs()
	for _, c := range r.native().Configs {
		if _, used := named[c.Fragment.Name]; used || len(named) == 0 && !whole {
			visit(c)
		}
	}
}

func checkSecurityNotFound(r *run) {
	named, whole := r.namedConfigs()
	found := make(map[string]bool)
	for _, c := range r.native().Configs {
		found[c.Fragment.Name] = true
		if _, used := named[c.Fragment.Name]; !used && whole && len(named) == 0 {
			r.told(c.Fragment, "unused "+c.Fragment.Name, c.Fragment.Place, nil,
				"no <application> names @xml/%s, so Android does not read it", c.Fragment.Name)
		}
	}
	for _, st := range r.native().At(application) {
		a, _ := st.Attribute("networkSecurityConfig")
		for _, g := range a.Texts() {
			name, resource := strings.CutPrefix(strings.TrimSpace(g.Text), "@xml/")
			if resource && !g.Alias && !found[name] {
				r.told(st.Fragment, name, a.Place, nil, "@xml/%s was not found, so nothing is known of it", name)
			}
		}
	}
}

func checkSecurityInvalid(r *run) {
	r.configs(func(c *native.Config) {
		for _, p := range c.Problems {
			r.told(c.Fragment, p.Msg, p.Place, nil, "Android cannot read this configuration: %s", p.Msg)
		}
	})
}

func checkCleartextBase(r *run) {
	r.configs(func(c *native.Config) {
		if c.Base == nil || !c.Base.Cleartext.Said || !c.Base.Cleartext.Value {
			return
		}
		flag := c.Base.Cleartext
		r.told(c.Fragment, "base", flag.Place, nil, "base-config permits cleartext to every host%s", unclear(flag))
	})
}

// unclear says why a flag that is not "true" permits.
func unclear(f native.Flag) string {
	if strings.EqualFold(strings.TrimSpace(f.Text), "true") {
		return ""
	}
	return fmt.Sprintf(": %s is not false, and Android's reader then takes it for true", quote(f.Text))
}

func checkCleartextDomain(r *run) {
	r.configs(func(c *native.Config) {
		for _, s := range c.Domains {
			flag := c.Permits(s)
			if !flag.Value || c.Base != nil && flag.Place == c.Base.Cleartext.Place {
				continue // which is about every host
			}
			for _, d := range s.Domains {
				if d.Never != "" || d.Unknown || loopback(d.Host) {
					continue
				}
				if why := r.cleartextListed("android", d.Host, d.Below); why != "" {
					r.told(c.Fragment, d.Host, d.Place, nil, "cleartext is permitted to %s: %s%s", quote(d.Host), why,
						unclear(flag))
				}
			}
		}
	})
}

func checkUserAuthorities(r *run) {
	r.configs(func(c *native.Config) {
		sections := c.Domains
		if c.Base != nil {
			sections = append([]*native.Section{c.Base}, sections...)
		}
		for _, s := range sections {
			for _, a := range s.Anchors {
				if a.Source != "user" {
					continue
				}
				pinned := ""
				if a.OverridesPins {
					pinned = ", and pins do not hold for what they vouch for"
				}
				r.told(c.Fragment, "user "+hostsOf(s), a.Place, nil,
					"authorities that were installed on the device are trusted for %s%s", hostsOf(s), pinned)
			}
		}
	})
}

// hostsOf names the hosts of a section.
func hostsOf(s *native.Section) string {
	var list []string
	for _, d := range s.Domains {
		list = append(list, d.Host)
	}
	if len(list) == 0 {
		return "every host"
	}
	return wording.Join(list)
}

func checkDomainForm(r *run) {
	r.configs(func(c *native.Config) {
		for _, s := range c.Domains {
			for _, d := range s.Domains {
				if d.Never != "" {
					r.told(c.Fragment, d.Host, d.Place, nil, "%s matches no host: %s", quote(d.Host), d.Never)
				}
			}
		}
	})
}

// pinSets calls visit for each pin set.
func (r *run) pinSets(visit func(*native.Config, *native.Section, *native.PinSet)) {
	r.configs(func(c *native.Config) {
		for _, s := range c.Domains {
			if s.Pins != nil {
				visit(c, s, s.Pins)
			}
		}
	})
}

func checkPinSetExpired(r *run) {
	r.pinSets(func(c *native.Config, s *native.Section, p *native.PinSet) {
		if !r.project.Now.IsZero() && !p.Expires.IsZero() && !p.Expires.After(r.project.Now) {
			r.told(c.Fragment, hostsOf(s), p.Place, nil, "the pins of %s expired on %s: nothing is pinned any more",
				hostsOf(s), p.Expires.Format(time.DateOnly))
		}
	})
}

func checkPinSetSoon(r *run) {
	r.pinSets(func(c *native.Config, s *native.Section, p *native.PinSet) {
		left := p.Expires.Sub(r.project.Now)
		if !r.project.Now.IsZero() && !p.Expires.IsZero() && left > 0 && left < soon {
			r.told(c.Fragment, hostsOf(s), p.Place, nil, "the pins of %s expire on %s, in %d days", hostsOf(s),
				p.Expires.Format(time.DateOnly), int(left.Hours()/24))
		}
	})
}

func checkPinSetBackup(r *run) {
	r.pinSets(func(c *native.Config, s *native.Section, p *native.PinSet) {
		if p.Unknown {
			return
		}
		switch p.Distinct() {
		case 0:
			r.told(
				c.Fragment,
				hostsOf(s),
				p.Place,
				nil,
				"the pin set of %s holds no pin, so nothing is pinned",
				hostsOf(s),
			)
		case 1:
			r.told(c.Fragment, hostsOf(s), p.Place, nil, "%s has one pin and no backup", hostsOf(s))
		}
	})
}

func checkDebugOverrides(r *run) {
	r.configs(func(c *native.Config) {
		if c.Debug != nil {
			r.told(c.Fragment, "debug", c.Debug.Place, nil,
				"the debug-overrides ship: they count once somebody makes the app debuggable")
		}
	})
}
