package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/export"
	"github.com/cordon-sec/cordon/policy/privacy"
)

// withoutConfig are the formats that say something of a Capacitor app that has no
// config.xml.
var withoutConfig = []string{export.IOSAppBound, export.PrivacyManifest, export.DataSafety}

// capacitorSource reads the lines of a Capacitor app without a config.xml.
func capacitorSource(a *app.App, dir string, exporters []export.Exporter) (export.Source, error) {
	ships := a.Ships()
	if ships == nil || ships.Capacitor() == nil {
		return export.Source{}, fmt.Errorf("%s: no config.xml, so there is no policy to export", dir)
	}
	for _, e := range exporters {
		if !slices.Contains(withoutConfig, e.Name) {
			return export.Source{}, fmt.Errorf("%s: no config.xml, so there is no policy to export as %s; of %s these "+
				"are exported: %s", dir, e.Name, ships.Capacitor().File, strings.Join(withoutConfig, ", "))
		}
	}
	source := export.CapacitorSource(ships.Capacitor())
	source.Own, source.By = ownHosts(a), broughtBy(a)
	return source, nil
}

// ownHosts are the hosts that the app's own pages come from on iOS.
func ownHosts(a *app.App) []string {
	var hosts []string
	targets := a.Targets
	if ships := a.Ships(); len(targets) == 0 && ships != nil && ships.Capacitor() != nil {
		targets = []policy.Target{{Platform: "capacitor-ios"}}
	}
	for _, t := range targets {
		if t.Platform != "ios" && t.Platform != "capacitor-ios" {
			continue
		}
		own := dialect.OwnOrigin(a.Ships(), t)
		name, err := host.Parse(own.Host)
		if err == nil && !slices.Contains(hosts, name.URL()) {
			hosts = append(hosts, name.URL())
		}
	}
	return hosts
}

// broughtBy says which plugin a line comes from.
func broughtBy(a *app.App) func(policy.Place) string {
	return func(at policy.Place) string {
		p := a.PluginAt(at)
		switch {
		case p == nil:
			return ""
		case p.Version == "":
			return "the plugin " + p.ID
		}
		return "the plugin " + p.ID + " " + p.Version
	}
}

// trackingPreference is the preference of config.xml that names the domains that track.
const trackingPreference = "CordonTracking"

// trackingDomains are the domains that the developer states to track: by the flag, else
// by the preference, else in the privacy manifests that are there.
func trackingDomains(a *app.App, flag []string) ([]string, error) {
	from, stated := "--tracking", flag
	if len(flag) == 0 && a.Config != nil {
		value, _ := a.Config.Preference("ios", trackingPreference)
		from, stated = "the preference "+trackingPreference, strings.Fields(value)
	}
	var domains []string
	for _, text := range stated {
		if why := privacy.CheckDomain(text); why != "" {
			return nil, fmt.Errorf("%s: %q must be a domain such as ads.example.org: %s", from, text, why)
		}
		name, err := host.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %q must be a domain such as ads.example.org: %w", from, text, err)
		}
		domains = append(domains, name.String())
	}
	for i := range a.PrivacyManifests {
		if m := &a.PrivacyManifests[i]; len(stated) == 0 && m.Value != nil {
			for _, d := range privacy.Domains(m.Value) {
				if privacy.CheckDomain(d.Text) == "" {
					domains = append(domains, d.Text)
				}
			}
		}
	}
	slices.Sort(domains)
	return slices.Compact(domains), nil
}
