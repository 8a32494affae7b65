package migrate

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/diff"
)

// capacitorConfig is the part of capacitor.config.json that a config.xml has an
// equal for (CapacitorConfig of package policy/capacitor).
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
	decides, err := decidedBy(data, o.From)
	if err != nil {
		return nil, err
	}
	report := diff.Compare([]diff.Pair{{Old: m.old, New: decides}}, diff.Options{})
	about := Note{Place: doc.Root().Place(), Text: "Capacitor", Message: aboutCapacitor(decides)}
	return &Result{Name: "capacitor.config.json", Data: append(data, '\n'), Made: true,
		Notes: append([]Note{about}, m.notes...), Report: report}, nil
}

// aboutCapacitor says what no line of the new file says, as the platform decides it.
func aboutCapacitor(decides *policy.Policy) string {
	var inside []string
	for _, page := range []struct{ scheme, url string }{{"data:", "data:text/html,x"},
		{"blob:", "blob:https://a.example/x"}} {
		if decides.Decide(policy.Request{URL: page.url, Kind: policy.Navigation}).Verdict == policy.Allow {
			inside = append(inside, page.scheme)
		}
	}
	about := "pages that are not listed are handed to other apps"
	if len(inside) > 0 {
		about = strings.Join(inside, " and ") + " pages open inside whatever is listed"
	}
	if decides.Decide(policy.Request{URL: "https://a.example/", Kind: policy.Plugin}).Verdict == policy.Bypass {
		return about + ", and Cordova plugins ask no list: see the comparison for who may call native code"
	}
	return about + ", and Cordova plugins ask the list that cordova.accessOrigins writes (<access>): see the " +
		"comparison for who may call native code"
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
		m.note(e, "a mask is a host: a scheme without one is left out, and Capacitor hands it to another app")
		return
	case strings.HasPrefix(g.host, "["):
		m.note(e, "a mask has no form for an IPv6 address, so it is left out: give the server a name")
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

// decidedBy is what Capacitor decides with a configuration, on the system that the
// file was written for.
func decidedBy(data []byte, from policy.Target) (*policy.Policy, error) {
	config, err := capacitor.Read("capacitor.config.json", data)
	if err != nil {
		return nil, err
	}
	target := policy.Target{Platform: "capacitor-android"}
	if from.Platform == "ios" {
		target.Platform = "capacitor-ios"
	}
	return dialect.Compile(configxml.Effective(config.File, nil, configxml.Additions{Capacitor: config}), target)
}
