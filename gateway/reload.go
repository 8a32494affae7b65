package gateway

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/gateway/config"
)

// Reload asks Options.Reload for the configuration as it is now and puts it into
// force at once; open tunnels go on. If anything is wrong, what was in force
// stays, and the error says why: a *RestartError where only a start can change
// what differs.
func (g *Gateway) Reload() error {
	g.reload.Lock()
	defer g.reload.Unlock()
	before := g.Warnings()
	st, err := g.next()
	if err != nil {
		g.stale.Store(new(err.Error()))
		g.notice("reload-failed", err.Error())
		return err
	}
	g.state.Store(st)
	g.stale.Store(nil)
	g.kept.closeAll() // a kept connection belongs to the policy that opened it
	g.notice("reloaded", fmt.Sprintf("%d apps", len(st.apps)))
	for _, w := range g.Warnings() {
		if !slices.Contains(before, w) {
			g.notice("policy-warning", w)
		}
	}
	return nil
}

// next returns what is to be in force after a reload.
func (g *Gateway) next() (*state, error) {
	before, l := g.state.Load(), g.options.Loaded
	if g.options.Reload != nil {
		var err error
		if l, err = g.options.Reload(); err != nil {
			return nil, err
		}
	}
	st, err := newState(l, before)
	if err != nil {
		return nil, err
	}
	return st, checkStartKeys(&before.config, &st.config)
}

// Stale says why the configuration as it is written now is not the one in force:
// the error of the last Reload; "" if it is.
func (g *Gateway) Stale() string {
	if why := g.stale.Load(); why != nil {
		return *why
	}
	return ""
}

// startKeys are the keys of a configuration that only a start can change, with
// what they are. Every other key is in force after a reload.
var startKeys = []struct {
	key   string
	value func(*config.Config) any
}{
	{"listen", func(c *config.Config) any { return c.Listen }},
	{"admin", func(c *config.Config) any { return c.Admin }},
	{"tls", func(c *config.Config) any { return c.TLS != nil }}, // its files may change
	{"apps[].listen", func(c *config.Config) any { return ownListeners(c) }},
	{"proxy_protocol", func(c *config.Config) any { return fmt.Sprint(c.ProxyProtocol) }},
	{"timeouts", func(c *config.Config) any { return c.Timeouts }},
	{"limits", func(c *config.Config) any { return c.Limits }},
	{"dns", func(c *config.Config) any { return strings.Join(c.DNS, " ") }},
	{"log", func(c *config.Config) any { return c.Log }},
	{"log_burst", func(c *config.Config) any { return c.LogBurst }},
}

// ownListeners returns the apps that have a listener of their own, in the order of
// their names, and whether others share one.
func ownListeners(c *config.Config) []string {
	var list []string
	for _, a := range c.Apps {
		own := "shared"
		if a.Listen != "" {
			own = a.Name + " on " + a.Listen
		}
		if !slices.Contains(list, own) {
			list = append(list, own)
		}
	}
	slices.Sort(list)
	return list
}

// RestartError says that a new configuration differs where only a start can put
// it into force; the whole of it is not in force.
type RestartError struct {
	// Keys are the keys that differ, below "gateway".
	Keys []string
}

// Error names the keys and what to do.
func (e *RestartError) Error() string {
	return fmt.Sprintf("a changed %s takes a restart of the gateway: restart it, or undo the change; until then "+
		"nothing of the new configuration is in force", strings.Join(e.Keys, ", "))
}

// checkStartKeys returns a *RestartError if two configurations, with their
// defaults filled in, differ in what only a start can change.
func checkStartKeys(before, after *config.Config) error {
	var e RestartError
	for _, k := range startKeys {
		if !reflect.DeepEqual(k.value(before), k.value(after)) {
			e.Keys = append(e.Keys, k.key)
		}
	}
	if e.Keys != nil {
		return &e
	}
	return nil
}
