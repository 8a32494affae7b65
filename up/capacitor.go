package up

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"

	"github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/propose"
	"github.com/cordon-sec/cordon/project/folder"
)

// capacitorPolicy makes rules of a Capacitor configuration: each host of
// server.allowNavigation over https, and nothing else.
func (a *appFolder) capacitorPolicy() (*appPolicy, error) {
	found, _, err := folder.Open(a.Dir, nil)
	if err != nil {
		return nil, err
	}
	name := filepath.Join(a.Dir, filepath.FromSlash(found.Capacitor.Name))
	read, err := capacitor.Read(name, found.Capacitor.Data)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	var notes []string
	lines := map[int]string{}
	fmt.Fprintf(&text, "<widget xmlns=\"http://www.w3.org/ns/widgets\">\n<name>%s</name>\n",
		configxml.Escape(wording.Printable(a.Name)))
	for _, mask := range read.Server.AllowNavigation {
		at := mask.Place.String()
		if problem := unlistable(mask.Value); problem != "" {
			notes = append(notes, ignored(at, mask.Value, problem))
			continue
		}
		lines[len(lines)+3] = at
		fmt.Fprintln(&text, propose.Line{Element: "access", Origin: originOfMask(mask.Value)})
	}
	text.WriteString("</widget>\n")
	for _, skipped := range found.Skipped {
		if skipped.Name == found.Capacitor.Name { // what is computed grants nothing
			notes = append(notes, fmt.Sprintf("%s: %s", name, skipped.Why))
		}
	}
	for _, u := range found.Ships().Unknowns() {
		if u.Place.File != found.Capacitor.Name && strings.HasPrefix(u.Place.File, "capacitor.config.") {
			u.Place.File = filepath.Join(a.Dir, u.Place.File) // a copy of it counts
			notes = append(notes, fmt.Sprintf("%s: %s", u.Place, u.What))
		}
	}
	if read.Server.URL.Value != "" {
		notes = append(notes, name+": server.url is not used here: --app-url names a development server")
	}
	doc, err := configxml.Parse(name, []byte(text.String()))
	if err != nil {
		return nil, err
	}
	made, err := newAppPolicy(doc, a.origins, nil, lines)
	if err != nil {
		return nil, err
	}
	made.notes, made.device, made.targets = notes, deviceOrigins(found), found.Targets
	return made, nil
}

// opensInside are lines for the hosts whose pages Capacitor opens inside the app,
// beside a config.xml, which it does not read: server.allowNavigation alone says so.
func (a *appFolder) opensInside(read *app.App) (lines []addedLine, notes []string) {
	configured := read.Ships().Capacitor()
	if configured == nil {
		return nil, nil
	}
	for _, mask := range configured.Server.AllowNavigation {
		at := mask.Place
		at.File = filepath.Join(a.Dir, filepath.FromSlash(at.File))
		if problem := unlistable(mask.Value); problem != "" {
			notes = append(notes, ignored(at.String(), mask.Value, problem))
			continue
		}
		line := propose.Line{Element: "allow-navigation", Origin: originOfMask(mask.Value) + "/*"}
		lines = append(lines, addedLine{text: line.String(), place: at.String()})
	}
	return lines, notes
}

func ignored(at, mask, problem string) string {
	return fmt.Sprintf("%s: server.allowNavigation %q is ignored: %s", at, mask, problem)
}

// DeviceOrigin is the address of an app's own pages on a device.
type DeviceOrigin struct {
	Target policy.Target
	// Origin is the address, such as https://localhost.
	Origin string
}

// deviceOrigins are the addresses of a Capacitor app's pages, which servers see as the
// origin of requests.
func deviceOrigins(read *app.App) (list []DeviceOrigin) {
	for _, target := range read.Targets {
		if !strings.HasPrefix(target.Platform, "capacitor-") {
			continue
		}
		if own := dialect.OwnOrigin(read.Ships(), target); own.Known() {
			list = append(list, DeviceOrigin{target, strings.TrimSuffix(own.Prefix(), "/")})
		}
	}
	return list
}

// originOfMask writes a mask of Capacitor as an origin over https.
func originOfMask(mask string) string {
	if mask == "*" {
		return "https://*"
	}
	wildcard := ""
	if name, ok := strings.CutPrefix(mask, "*."); ok {
		wildcard, mask = "*.", name
	}
	if name, err := host.Normalize(mask); err == nil {
		mask = name // policies of pages know the ASCII form alone
	}
	return "https://" + wildcard + mask
}

// unlistable says why a mask cannot be enforced as it is meant, "" if it can.
// Capacitor matches masks part by part (HostMask.java); here "*" stands alone or
// before whole names.
func unlistable(mask string) string {
	switch {
	case mask == "*":
		return ""
	case address(mask):
		return ""
	case strings.Contains(mask, "://"):
		return "it must be a host without a scheme, as in " + strings.SplitN(mask, "://", 2)[1]
	case !propose.Listable(strings.TrimPrefix(mask, "*.")):
		return "it must be a host's name, alone or behind \"*.\""
	}
	return ""
}

// address reports whether a mask is an IPv4 address as everybody writes it.
func address(mask string) bool {
	ip, err := netip.ParseAddr(mask)
	return err == nil && ip.Is4()
}
