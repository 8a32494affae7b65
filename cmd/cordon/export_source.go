package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/export"
	"github.com/cordon-sec/cordon/policy/native"
	"github.com/cordon-sec/cordon/policy/privacy"
	"github.com/cordon-sec/cordon/project"
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
			return export.Source{}, fmt.Errorf("%s: no config.xml, so there is no policy to export as %s: make one "+
				"with cordon init, or cordon record proposes its lines; of %s these are exported: %s",
				dir, e.Name, ships.Capacitor().File, strings.Join(withoutConfig, ", "))
		}
	}
	source := export.CapacitorSource(ships.Capacitor())
	source.Own, source.By = ownHosts(a), broughtBy(a)
	return source, nil
}

// inCapacitor adds which pages a Capacitor app opens to what its config.xml says. Where
// the configuration cannot be read, that is said.
func inCapacitor(source export.Source, a *app.App) export.Source {
	byCapacitor, byCordova := project.BuiltBy(a)
	if !byCapacitor {
		return source
	}
	configured := a.Ships().Capacitor()
	if configured == nil {
		configured = &capacitor.Config{File: a.Capacitor.Name}
		source.Unread = append(source.Unread, export.Loss{Message: a.Capacitor.Name + " cannot be read, so that the " +
			"pages that the app opens are not known"})
	}
	return source.InCapacitor(configured, byCordova)
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

// readTracking sets what the developer states of tracking: by the flag, else by the
// preference, else what the privacy manifests have already. Entries of a manifest that
// are no domains are returned, each with its place.
func readTracking(source *export.Source, a *app.App, flag []string) (unread []string, err error) {
	from, stated := "--tracking", flag
	if len(flag) == 0 && a.Config != nil {
		value, _ := a.Config.Preference("ios", trackingPreference)
		from, stated = "the preference "+trackingPreference, strings.Fields(value)
	}
	for _, text := range stated {
		name, why := privacy.ReadDomain(text)
		if why != "" {
			return nil, fmt.Errorf("%s: %q must be a domain such as ads.example.org: %s", from, text, why)
		}
		source.Tracking = append(source.Tracking, name)
	}
	source.Stated = len(stated) > 0
	for i := range a.PrivacyManifests {
		m := &a.PrivacyManifests[i]
		if source.Stated || m.Value == nil {
			continue
		}
		says := m.Value.Get(privacy.Tracking)
		source.Tracks = source.Tracks || says != nil && says.Type == native.TypeBool && says.Bool
		for _, d := range privacy.Domains(m.Value) {
			name, why := privacy.ReadDomain(d.Text)
			if why != "" {
				unread = append(
					unread,
					fmt.Sprintf("%s: %q is left out, since it is not a tracking domain: %s", d.Place,
						d.Text, why),
				)
				continue
			}
			source.Tracking = append(source.Tracking, name)
		}
	}
	slices.Sort(source.Tracking)
	source.Tracking = slices.Compact(source.Tracking)
	return unread, nil
}
