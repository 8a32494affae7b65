// Package enforced is an app's list as a gateway enforces it: the compiled policy,
// the pins that the list holds, and what an operator must know before both are in
// force. It is the one place where a config.xml becomes these values.
//
// The package is pure: it reads no files and no clock. A [List] is immutable and
// safe for concurrent use.
package enforced

import (
	"fmt"
	"strings"

	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/pins"
)

// Options say how a list is read, and what of it can be enforced.
type Options struct {
	// Platform is the target whose reading of the file counts.
	Platform string
	// Strict refuses a list with a line or a pin that cannot be read as written.
	Strict bool
	// Inspect says that paths bind in tunnels too.
	Inspect bool
	// RequireTLS says that cleartext is refused whatever the list allows.
	RequireTLS bool
	// Ships makes the document of what ships out of the config.xml as written: with
	// what plugins add to it. nil: the list is the file alone.
	Ships func(*configxml.Document) (*configxml.Document, error)
	// Own gives a Platform that names no version the version that the app is built for.
	// It is called after Ships. nil: the latest counts.
	Own func(policy.Target) policy.Target
}

// List is an app's list, compiled.
type List struct {
	// Policy decides.
	Policy *policy.Policy
	// Pins are those of the list; one that cannot be read closes its host.
	Pins []pin.Entry
	// Warnings are what an operator should know about the list.
	Warnings []string
}

// Compile makes a List of the content of a config.xml. The name stands in places
// and errors.
func Compile(name string, data []byte, o Options) (*List, error) {
	target, err := dialect.ParseTarget(o.Platform)
	if err != nil {
		return nil, err
	}
	doc, err := configxml.Parse(name, data)
	if err != nil {
		return nil, err
	}
	if o.Ships != nil {
		if doc, err = o.Ships(doc); err != nil {
			return nil, err
		}
	}
	if o.Own != nil && !strings.Contains(o.Platform, "@") {
		target = o.Own(target)
	}
	l := &List{}
	if l.Policy, err = dialect.Compile(doc, target); err != nil {
		return nil, err
	}
	if l.Warnings, err = review(l.Policy, o); err != nil {
		return nil, err
	}
	for _, u := range doc.Unknown(target.Platform) {
		l.Warnings = append(l.Warnings, fmt.Sprintf("%s: %s", u.Place, u.What))
	}
	return l, l.readPins(doc, target.Platform, o.Strict)
}

// readPins reads the pins of the list. One that cannot be read binds its host to
// nothing and is a warning; one whose host cannot be told would bind nobody, and
// is an error.
func (l *List) readPins(doc *configxml.Document, platform string, strict bool) error {
	if platform == dialect.Strict {
		platform = ""
	}
	own, problems := pins.Read(doc, platform)
	for _, problem := range problems {
		if problem.Unbound || strict {
			return problem
		}
		l.Warnings = append(l.Warnings, problem.Error()+" (a pin that cannot be read closes its host)")
	}
	for _, e := range own {
		l.Pins = append(l.Pins, e.Entry)
	}
	return nil
}
