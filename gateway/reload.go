package gateway

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Reload reads the configuration and every policy again and puts them into
// force at once; open tunnels go on. If anything is wrong, what was in force
// stays, and the error says why: a *RestartError where only a start can change
// what differs.
func (g *Gateway) Reload() error {
	g.reload.Lock()
	defer g.reload.Unlock()
	st, err := g.readAgain()
	if err != nil {
		g.stale.Store(new(err.Error()))
		g.notice("reload-failed", err.Error())
		return err
	}
	g.state.Store(st)
	g.stale.Store(nil)
	g.kept.closeAll() // a kept connection belongs to the policy that opened it
	g.notice("reloaded", fmt.Sprintf("%d apps", len(st.apps)))
	return nil
}

// readAgain reads what is to be in force after a reload.
func (g *Gateway) readAgain() (*state, error) {
	before := g.state.Load()
	c := before.config
	g.files.Mark(g.filesOf(c)...)
	if g.options.Reload != nil {
		var err error
		if c, err = g.options.Reload(); err != nil {
			return nil, err
		}
		g.files.Add(g.filesOf(c)...) // also if it is refused: its files may be mended
	}
	st, err := g.compile(c, before)
	if err != nil {
		return nil, err
	}
	return st, checkStartKeys(&before.config, &st.config)
}

// Stale says why the configuration as it stands in its files is not the one in
// force: the error of the last Reload; "" if it is.
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
	value func(*Config) any
}{
	{"listen", func(c *Config) any { return c.Listen }},
	{"admin", func(c *Config) any { return c.Admin }},
	{"tls", func(c *Config) any { return c.TLS != nil }}, // its files may change
	{"apps[].listen", func(c *Config) any { return ownListeners(c) }},
	{"proxy_protocol", func(c *Config) any { return fmt.Sprint(c.ProxyProtocol) }},
	{"timeouts", func(c *Config) any { return c.Timeouts }},
	{"limits", func(c *Config) any { return c.Limits }},
	{"dns", func(c *Config) any { return strings.Join(c.DNS, " ") }},
	{"log", func(c *Config) any { return c.Log }},
	{"log_burst", func(c *Config) any { return c.LogBurst }},
}

// ownListeners returns the apps that have a listener of their own, in the order of
// their names, and whether others share one.
func ownListeners(c *Config) []string {
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
func checkStartKeys(before, after *Config) error {
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
