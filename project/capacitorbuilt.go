package project

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// capacitorBuilt compares the copies of Capacitor's configuration that the platforms
// ship with the configuration: cap copy writes it as it is.
func (r *reader) capacitorBuilt() {
	p := r.project
	doc := p.Ships()
	if p.Effective == nil || doc.Capacitor() == nil || !slices.Contains(capacitorNames, p.Capacitor.Name) {
		return
	}
	for _, c := range r.copies() {
		if c.platform == "" {
			continue
		}
		file := r.manifest(c.name)
		if file.Data == nil {
			continue // it is not there, or was said to be unreadable
		}
		copied, err := capacitor.Read(file.Name, file.Data)
		if err != nil {
			r.cannot(file.Name, err.Error(), "")
			continue
		}
		d := &differing{doc: doc, ours: doc.Capacitor(), copied: copied, at: file.Place(0, 0),
			targets: targetsOf(p.Targets, "capacitor-"+c.platform)}
		list := r.unchosen(d.compare(c.platform == "android"))
		if len(list) > 0 {
			flavour := c.platform == "android" && c.name != r.inPlatform(androidCopy)
			p.Copies = append(p.Copies, app.Copy{File: file, Differences: list, Flavour: flavour})
			r.doubtCopy(&p.Copies[len(p.Copies)-1], "capacitor-"+c.platform)
		}
	}
}

// doubtCopy notes what a copy says otherwise: an app that is built now has the copy,
// and one that is built after the next cap copy has not.
func (r *reader) doubtCopy(c *app.Copy, platform string) {
	p := r.project
	var unknowns []configxml.Unknown
	for _, d := range c.Differences {
		unknowns = append(unknowns, configxml.Unknown{Place: d.Place, Platform: platform,
			What: fmt.Sprintf("%s, and not in %s: %s", d.What, p.Capacitor.Name, c.Counts())})
	}
	p.Effective = configxml.Effective(p.Effective.Name(), p.Effective, configxml.Additions{Unknown: unknowns})
}

// unchosen leaves out the differences of keys whose value a condition chooses: the build
// chose, and what opens more is judged.
func (r *reader) unchosen(list []difference) []app.Difference {
	var made []app.Difference
	for _, d := range list {
		chosen := slices.ContainsFunc(r.chosen, func(path string) bool {
			return slices.ContainsFunc(d.keys, func(key string) bool {
				return path == "" || inSection(path, key) || inSection(key, path)
			})
		})
		if d.Wider || !chosen {
			made = append(made, d.Difference)
		}
	}
	return made
}

// inSection reports whether a key is a section of the configuration, or stands in it.
func inSection(section, key string) bool {
	rest, ok := strings.CutPrefix(key, section)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// targetsOf are the targets of a platform; without one it is the platform's latest.
func targetsOf(list []policy.Target, platform string) []policy.Target {
	var made []policy.Target
	for _, t := range list {
		if t.Platform == platform {
			made = append(made, t)
		}
	}
	if latest, err := dialect.ParseTarget(platform); err == nil && len(made) == 0 {
		made = append(made, latest)
	}
	return made
}
