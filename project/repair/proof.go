package repair

import (
	"fmt"
	"io/fs"
	"slices"

	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/diff"
	"github.com/cordon-sec/cordon/project"
)

// proof compares what a config.xml decides before and after a repair.
type proof struct {
	targets []policy.Target
	// files are the project's, of which plugins add to the config.xml.
	files fs.FS
	// known are the bytes that were compiled last, as the next comparison
	// often begins with them.
	known    string
	compiled []*policy.Policy
}

func newProof(p *app.App, files fs.FS) (*proof, error) {
	made := &proof{targets: slices.Clone(p.Targets), files: files}
	strict := policy.Target{Platform: dialect.Strict}
	if !slices.Contains(made.targets, strict) {
		made.targets = append(made.targets, strict)
	}
	return made, nil
}

func (p *proof) compile(name string, data []byte) ([]*policy.Policy, error) {
	if p.compiled != nil && p.known == string(data) {
		return p.compiled, nil
	}
	doc, err := configxml.Parse(name, data)
	if err != nil {
		return nil, fmt.Errorf("the result would not be readable: %w", err)
	}
	read, err := project.ReadShips(p.files, project.Options{Document: doc})
	if err != nil {
		return nil, err
	}
	var all []*policy.Policy
	for _, t := range p.targets {
		compiled, err := dialect.Compile(read.Ships(), t)
		if err != nil {
			return nil, err
		}
		all = append(all, compiled)
	}
	return all, nil
}

// check says why a change must not be made, or "": because it lets something
// new in, or, of what is said to be dead, because it changes a decision.
func (p *proof) check(name string, before, after []byte, dead, allowWidening bool) (string, error) {
	older, err := p.compile(name, before)
	if err != nil {
		return "", err
	}
	p.known, p.compiled = string(before), older
	newer, err := p.compile(name, after)
	if err != nil {
		return "", err
	}
	var pairs []diff.Pair
	for i := range older {
		pairs = append(pairs, diff.Pair{Old: older[i], New: newer[i]})
	}
	report := diff.Compare(pairs, diff.Options{})
	if report.Exhausted() && !allowWidening {
		return "whether it lets something new in could not be decided", nil
	}
	for i := range report.Lines {
		line := &report.Lines[i]
		if line.Widens() && !allowWidening {
			where := line.Where[0]
			return fmt.Sprintf("it would let %s in: %s, now %s, would be %s for %s on %s "+
				"(--allow-widening makes it all the same)", wording.Printable(line.URL),
				wording.Printable(line.URL), verdictNames[line.Old.Verdict], verdictNames[line.New.Verdict],
				diff.KindNames(where.Kinds), pairs[where.Pairs[0]].New.Target()), nil
		}
		if dead {
			return fmt.Sprintf("it does something: without it %s is %s", wording.Printable(line.URL),
				verdictNames[line.New.Verdict]), nil
		}
	}
	return p.shut(name, before, older, newer)
}

// shut says that a change keeps the app's own pages from opening, or "".
func (p *proof) shut(name string, before []byte, older, newer []*policy.Policy) (string, error) {
	doc, err := configxml.Parse(name, before)
	if err != nil {
		return "", err
	}
	for i := range older {
		own := dialect.OwnOrigin(doc, older[i].Target())
		page := policy.Request{URL: own.Prefix() + "index.html", Kind: policy.Navigation}
		if own.Known() && older[i].Decide(page).Verdict == policy.Allow &&
			newer[i].Decide(page).Verdict != policy.Allow {
			return fmt.Sprintf("it would keep the app's own pages from opening: %s would be %s on %s", page.URL,
				verdictNames[newer[i].Decide(page).Verdict], older[i].Target()), nil
		}
	}
	return "", nil
}

var verdictNames = [...]string{policy.Block: "blocked", policy.Allow: "allowed", policy.Launch: "launched",
	policy.Bypass: "never asked about"}
