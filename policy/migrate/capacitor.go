package migrate

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/diff"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// capacitorConfig is the part of capacitor.config.json that a config.xml has an
// equal for (Capacitor 7, CapacitorConfig).
type capacitorConfig struct {
	AppID   string           `json:"appId,omitempty"`
	AppName string           `json:"appName,omitempty"`
	WebDir  string           `json:"webDir"`
	Server  capacitorServer  `json:"server"`
	Cordova capacitorCordova `json:"cordova"`
}

type capacitorServer struct {
	Hostname        string   `json:"hostname,omitempty"`
	AndroidScheme   string   `json:"androidScheme,omitempty"`
	IOSScheme       string   `json:"iosScheme,omitempty"`
	AllowNavigation []string `json:"allowNavigation"`
	Cleartext       bool     `json:"cleartext"`
}

type capacitorCordova struct {
	AccessOrigins []string          `json:"accessOrigins"`
	Preferences   map[string]string `json:"preferences,omitempty"`
}

// toCapacitor writes what a Capacitor app would be configured with. Navigation
// goes by masks of host names; for requests there is no list at all.
func toCapacitor(doc *configxml.Document, o Options) (*Result, error) {
	m, err := newMigration(doc, o)
	if err != nil {
		return nil, err
	}
	config := capacitorConfig{
		AppID: doc.Root().Value("id"), AppName: appName(doc), WebDir: "www",
		Server:  capacitorServer{AllowNavigation: []string{}},
		Cordova: capacitorCordova{AccessOrigins: []string{}, Preferences: map[string]string{}},
	}
	m.preferences(&config)
	for _, e := range m.elements() {
		if !m.ofOtherPlatform(e) {
			m.capacitorElement(e, &config)
		}
	}
	data, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return nil, err
	}
	// A web view's newest reading of URLs is Android's.
	android, err := dialect.Compile(doc, policy.Target{Platform: "android"})
	if err != nil {
		return nil, err
	}
	decides := policy.New(capacitorSpec(&config, android.Split))
	report := diff.Compare([]diff.Pair{{Old: m.old, New: decides}}, diff.Options{})
	return &Result{Name: "capacitor.config.json", Data: append(data, '\n'), Notes: m.notes, Report: report}, nil
}

func appName(doc *configxml.Document) string {
	for _, e := range doc.Root().Children {
		if e.Name == "name" {
			return strings.TrimSpace(e.Text)
		}
	}
	return ""
}

// preferences takes over the app's own address and the preferences that
// Cordova plugins read.
func (m *migration) preferences(config *capacitorConfig) {
	for _, e := range m.doc.For(m.options.From.Platform) {
		name, value := e.Value("name"), e.Value("value")
		if e.Name != "preference" || name == "" {
			continue
		}
		switch {
		case strings.EqualFold(name, "hostname"):
			config.Server.Hostname = value
		case strings.EqualFold(name, "scheme") && m.options.From.Platform == "ios":
			config.Server.IOSScheme = value
		case strings.EqualFold(name, "scheme"):
			config.Server.AndroidScheme = value
		default:
			config.Cordova.Preferences[name] = value
		}
	}
}

func (m *migration) capacitorElement(e *configxml.Element, config *capacitorConfig) {
	role := m.from.role(e)
	if role == nothing {
		return
	}
	if role == launch {
		m.note(e, "Capacitor has no list for other apps: what is not listed for navigation opens in the browser")
		return
	}
	grants, problem := m.from.readOrigin(m.from.text(e), e)
	if problem != "" {
		m.note(e, problem)
	}
	for _, g := range m.expandWildcards(grants) {
		config.Server.Cleartext = config.Server.Cleartext || slices.Contains(g.schemes, "http")
		if role&request != 0 && e.Name == "access" {
			config.Cordova.AccessOrigins = appendNew(config.Cordova.AccessOrigins, m.from.text(e))
		}
		if role&navigation != 0 {
			m.addMasks(e, g, config)
		}
	}
}

// addMasks lists a grant as masks of host names.
func (m *migration) addMasks(e *configxml.Element, g grant, config *capacitorConfig) {
	list := &config.Server.AllowNavigation
	switch {
	case g.all || g.rest == "" && g.host == "":
		*list = appendNew(*list, "*")
		return
	case g.rest != "":
		m.note(e, "a scheme without a host cannot be said")
		return
	case strings.HasPrefix(g.host, "["):
		m.note(e, "an IPv6 address cannot be written as a host mask")
		return
	case !strings.Contains(g.host, "."):
		m.note(e, "a mask of one label would cover every host that ends in ."+g.host+" on Android")
		return
	}
	if g.port != 0 || g.path != "" || len(g.schemes) == 1 {
		m.note(e, "a mask is a host: its schemes, ports and paths are all covered")
	}
	*list = appendNew(*list, g.host)
	if g.below {
		*list = appendNew(*list, "*."+g.host)
		m.note(e, "only one level below "+g.host+" is covered: a star stands for one label")
	}
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// capacitorSpec is what Capacitor decides: navigation by masks, everything
// unlisted to the browser, and no list for anything else (Capacitor 7,
// Bridge.launchIntent, HostMask and WebViewDelegationHandler).
func capacitorSpec(config *capacitorConfig, split func(string) pattern.URL) policy.Spec {
	spec := policy.Spec{Target: policy.Target{Platform: Capacitor}, Split: split}
	var list policy.List
	for i, mask := range config.Server.AllowNavigation {
		patterns := []pattern.Pattern{{
			Scheme: pattern.OneOf(pattern.Exactly("http"), pattern.Exactly("https")), Host: maskLanguage(mask),
			Path: pattern.Any(),
		}}
		spec.Rules = append(spec.Rules, policy.Rule{
			Element: "allowNavigation", Text: mask, Purpose: policy.ForNavigation, Patterns: patterns,
			Place: policy.Place{File: "capacitor.config.json", Line: 1, Column: 1, Start: i, End: i},
		})
		list = append(list, policy.Entry{Pattern: &patterns[0], Rule: i})
	}
	spec.Lists = []policy.List{list}
	navigation := []policy.Step{
		{When: []policy.Test{policy.Among(config.ownPages()...)}, Then: policy.Allow, Reason: policy.BuiltIn},
		{When: []policy.Test{policy.InList(0)}, Then: policy.Allow, Reason: policy.Listed},
		{Then: policy.Launch, Reason: policy.HandedOver},
	}
	spec.Programs = map[policy.Kind]policy.Program{}
	for _, kind := range policy.Kinds() {
		spec.Programs[kind] = policy.Program{Steps: []policy.Step{{Then: policy.Bypass, Reason: policy.NeverAsked}}}
	}
	spec.Programs[policy.Navigation] = policy.Program{Steps: navigation}
	return spec
}

// ownPages are the addresses that the app's own pages have on Android and iOS.
func (c *capacitorConfig) ownPages() []pattern.Pattern {
	pick := func(value, other string) string {
		if value == "" {
			return other
		}
		return value
	}
	host := pattern.Exactly(pick(c.Server.Hostname, "localhost")).Fold()
	return []pattern.Pattern{
		{Scheme: pattern.Exactly(pick(c.Server.AndroidScheme, "https")), Host: host, Path: pattern.Any(),
			Port: pattern.NoPort},
		{Scheme: pattern.Exactly(pick(c.Server.IOSScheme, "capacitor")), Host: host, Path: pattern.Any(),
			Port: pattern.NoPort},
	}
}

// maskLanguage is the hosts that a mask of several labels covers: a star is
// one label.
func maskLanguage(mask string) pattern.Language {
	if mask == "*" {
		return pattern.Any()
	}
	if !strings.Contains(mask, "*") {
		return pattern.Exactly(strings.ToLower(mask)).Fold()
	}
	expr := `(?i)\A` + strings.ReplaceAll(regexp.QuoteMeta(mask), `\*`, `[^.]+`) + `\z`
	l, err := pattern.Expression(expr)
	if err != nil {
		return pattern.Language{}
	}
	return l
}
