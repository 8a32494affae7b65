package migrate

import (
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// appSchemes are what links lead to that the platforms hand over without a
// list: the prefixes of Android 3 (CordovaWebViewClient 3.1.0), which are also
// the ones that links on iOS use.
var appSchemes = []string{"tel", "geo", "mailto", "sms", "market"}

// noteUnaskedLaunches lists what the old platform handed to other apps without
// asking a list, where the new one asks.
func (m *migration) noteUnaskedLaunches() {
	if !m.to.split && !m.to.externals {
		return
	}
	var grants []grant
	everything := handsOver(m.old, "https://cordon-probe.invalid/") &&
		!handsOver(m.bare, "https://cordon-probe.invalid/")
	if everything {
		grants = append(grants, grant{all: true})
	}
	for _, scheme := range appSchemes {
		url := scheme + ":cordon-probe"
		if (!everything || m.to.language == strictText) && handsOver(m.old, url) && !handsOver(m.bare, url) {
			grants = append(grants, grant{schemes: []string{scheme}, rest: "*"})
		}
	}
	if len(grants) > 0 {
		lines, _ := m.to.writeGrants(launch, grants)
		m.tail = append(m.tail, lines...)
	}
}

// handsOver reports whether a platform launches a link without a rule.
func handsOver(p *policy.Policy, url string) bool {
	d := p.Decide(policy.Request{URL: url, Kind: policy.Navigation})
	return d.Verdict == policy.Launch && d.Rule == nil
}

// plugin adds cordova-plugin-whitelist where the list is nothing without it,
// and removes it where the list is built in.
func (m *migration) plugin() {
	if m.options.To.Platform != "android" {
		return
	}
	builtIn, split := m.options.To.Version.AtLeast(10, 0, 0), m.to.split
	var there []*configxml.Element
	m.doc.Root().Walk(func(e *configxml.Element) bool {
		if e.Name == "plugin" && e.Prefix == "" && e.Value("name") == whitelistPlugin {
			there = append(there, e)
		}
		return true
	})
	if len(there) == 0 && m.lacksPlugin() {
		root := m.doc.Root()
		m.notes = append(m.notes, Note{
			Place: m.doc.Place(root.Start, root.TagEnd), Text: whitelistPlugin,
			Message: "without this plugin the old platform reads none of the list; what it says counts from now on",
		})
	}
	switch {
	case builtIn:
		for _, e := range there {
			m.gone[e] = len(m.edits)
			m.edits = append(m.edits, m.doc.Removal(e))
			m.notes = append(m.notes, Note{Place: m.doc.Place(e.Start, e.TagEnd), Text: whitelistPlugin,
				Message: "removed: the list is built in"})
		}
	case split && len(there) == 0 && !m.lacksPlugin():
		m.tail = append(m.tail, line{element: "plugin", attribute: "name", value: whitelistPlugin})
	}
}

// lacksPlugin reports whether the old platform is one that reads its list by
// the plugin and does not have it: then there is no list to keep.
func (m *migration) lacksPlugin() bool {
	from := m.options.From
	return from.Platform == "android" && from.Version.AtLeast(4, 0, 0) && !from.Version.AtLeast(10, 0, 0)
}

const whitelistPlugin = "cordova-plugin-whitelist"
