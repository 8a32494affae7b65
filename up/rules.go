package up

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/needs"
	"github.com/cordon-sec/cordon/policy/propose"
	"github.com/cordon-sec/cordon/project/folder"
)

// appFolder is an app's folder that is served from, with the rules in force.
type appFolder struct {
	folder.Site
	// origins are what is allowed in development besides the app's own rules.
	origins []string
	needed  pageNeeds

	mu sync.Mutex
	// current is in force, in the gateway and for the pages alike; next was read
	// and is not in force until the gateway has taken it (enforce).
	current, next *appPolicy
}

// load reads the rules as they are now. They are not in force before enforce;
// what cannot be read leaves the last good ones in force.
func (a *appFolder) load() (*appPolicy, error) {
	var made *appPolicy
	var err error
	if a.Config != "" {
		made, err = a.cordovaPolicy()
	} else {
		made, err = a.capacitorPolicy()
	}
	if err != nil {
		return nil, err
	}
	made.notes = append(made.notes, a.broken(made)...)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.next = made
	return made, nil
}

// enforce puts the rules that were read last into force, once the gateway has
// taken them: what one part refuses is in force in none.
func (a *appFolder) enforce() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.current = a.next
}

// policy returns the rules in force.
func (a *appFolder) policy() *appPolicy {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.current
}

func (a *appFolder) cordovaPolicy() (*appPolicy, error) {
	read, err := folder.OpenShips(a.Rules, nil)
	if err != nil {
		return nil, err
	}
	inside, notes := a.opensInside(read)
	made, err := newAppPolicy(read.Ships(), a.origins, inside, nil)
	if err != nil {
		return nil, err
	}
	made.notes, made.device, made.targets = notes, deviceOrigins(read), read.Targets
	return made, nil
}

// appPolicy is one reading of the app's rules, with what development needs
// besides.
type appPolicy struct {
	// doc holds all that is enforced, under the name of the user's file.
	doc *configxml.Document
	// pages is what the policies of pages are made of: doc without the hosts whose
	// pages Capacitor opens inside, which have their own.
	pages *configxml.Document
	// own are the app's rules alone.
	own []dialect.Origin
	// added are the lines of doc that stand in no config.xml.
	added []addedLine
	// lines are the places that the lines of doc were made from, where doc was
	// made from another file than a config.xml.
	lines map[int]string
	// digest is that of doc's bytes.
	digest [sha256.Size]byte
	// notes are what the operator must know about the reading.
	notes []string
	// device are the addresses of the pages on devices, by target.
	device []DeviceOrigin
	// targets are what the project is built for.
	targets []policy.Target
}

// ownVersion is the project's own version of a platform, the target itself where the project
// is not built for that.
func (p *appPolicy) ownVersion(t policy.Target) policy.Target {
	for _, own := range p.targets {
		if own.Platform == t.Platform {
			return own
		}
	}
	return t
}

// addedLine is a line that was added to the document, and what it was made from.
type addedLine struct {
	text, place string
	// line and column are where it stands, up to end.
	line, column, end int
}

// DevelopmentPlace is the place, in events, of the lines that are allowed besides
// the app's rules.
const DevelopmentPlace = "cordon up"

// newAppPolicy adds lines for the origins to a document, and those for what Capacitor
// opens inside, on the line of its last element, so that every other line keeps its
// number.
func newAppPolicy(doc *configxml.Document, origins []string, inside []addedLine, lines map[int]string) (*appPolicy,
	error) {
	children := doc.Root().Children
	if len(children) == 0 {
		return nil, fmt.Errorf("%s: there is no element in it", doc.Name())
	}
	if _, err := needs.ReadGrants(doc, ""); err != nil {
		return nil, fmt.Errorf("%s: %w", doc.Name(), err)
	}
	development := make([]addedLine, len(origins))
	for i, origin := range origins {
		development[i] = addedLine{text: propose.Line{Element: "access", Origin: origin}.String(),
			place: DevelopmentPlace}
	}
	own, err := withLines(doc, inside)
	if err != nil {
		return nil, err
	}
	p := &appPolicy{own: dialect.Origins(own), lines: lines, added: slices.Concat(development, inside)}
	if p.pages, err = withLines(doc, development); err != nil {
		return nil, err
	}
	if p.doc, err = withLines(doc, p.added); err != nil {
		return nil, err
	}
	p.digest = sha256.Sum256(p.doc.Bytes())
	end := children[len(children)-1].End
	at := p.doc.Place(end, end)
	for i, column := 0, at.Column; i < len(p.added); i++ {
		added := &p.added[i]
		added.line, added.column, added.end = at.Line, column, column+1+len(added.text)
		column = added.end
	}
	return p, nil
}

// withLines is what ships of a document with more lines, each behind a blank on the
// line of its last element.
func withLines(doc *configxml.Document, lines []addedLine) (*configxml.Document, error) {
	var text strings.Builder
	for i := range lines {
		text.WriteString(" " + lines[i].text)
	}
	children := doc.Root().Children
	end := children[len(children)-1].End
	data, err := doc.Apply(configxml.Edit{Start: end, End: end, New: text.String()})
	if err != nil {
		return nil, err
	}
	made, err := configxml.Parse(doc.Name(), data)
	if err != nil {
		return nil, err
	}
	return shipsWith(made, doc), nil
}

// shipsWith is a document with what other files add to another one, which is the same
// but for lines that development needs.
func shipsWith(written, doc *configxml.Document) *configxml.Document {
	return configxml.Effective("", written, configxml.Additions{Parts: doc.Parts(), Unknown: doc.Unknowns(),
		Capacitor: doc.Capacitor()})
}

// place turns a place of what is enforced into one of the user's own file.
func (p *appPolicy) place(text string) string {
	rest, ok := strings.CutPrefix(text, p.doc.Name()+":")
	if !ok {
		return text
	}
	var line, column int
	if n, err := fmt.Sscanf(rest, "%d:%d", &line, &column); n != 2 || err != nil {
		return text
	}
	for i := range p.added {
		if added := &p.added[i]; line == added.line && column >= added.column && column < added.end {
			return added.place
		}
	}
	if made, ok := p.lines[line]; ok {
		return made
	}
	return text
}

// warning turns a warning about what is enforced into one about the user's own
// file; "" for one about what development adds.
func (p *appPolicy) warning(text string) string {
	where, rest, ok := strings.Cut(text, ": ")
	if !ok {
		return text
	}
	switch where = p.place(where); where {
	case DevelopmentPlace:
		return ""
	default:
		return where + ": " + rest
	}
}
