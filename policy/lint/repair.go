package lint

import (
	"fmt"

	"github.com/cordon-sec/cordon/policy/configxml"
)

// Repair is what applying fixes gives.
type Repair struct {
	// Files are the changed files' new bytes, by name.
	Files map[string][]byte
	// Done are the findings that were repaired.
	Done []Finding
	// Left are those whose fix overlaps one that was made: after reading the
	// project again they may be repaired in turn, or be gone.
	Left []Finding
}

// Apply makes the fixes of findings, in their order, in one pass over the
// project's files. Nothing is written: the caller decides that.
func Apply(p *Project, findings []Finding) (Repair, error) {
	r := Repair{Files: make(map[string][]byte)}
	accepted := make(map[string][]configxml.Edit)
	for _, f := range findings {
		if f.Fix == nil {
			continue
		}
		fresh, ok := compatible(accepted[f.Fix.File], f.Fix.Edits)
		if !ok {
			r.Left = append(r.Left, f)
			continue
		}
		accepted[f.Fix.File] = append(accepted[f.Fix.File], fresh...)
		r.Done = append(r.Done, f)
	}
	for name, edits := range accepted {
		data := p.Content(name)
		if data == nil {
			return Repair{}, fmt.Errorf("fix %s: the file is not part of the project", name)
		}
		changed, err := configxml.Splice(data, edits...)
		if err != nil {
			return Repair{}, fmt.Errorf("fix %s: %w", name, err)
		}
		if p.Config != nil && name == p.Config.Name() {
			if _, err := configxml.Parse(name, changed); err != nil {
				return Repair{}, fmt.Errorf("fix %s: the result would not be readable: %w", name, err)
			}
		}
		r.Files[name] = changed
	}
	return r, nil
}

// compatible returns those of the edits that are not made already, and whether
// none of them overlaps one that is.
func compatible(made, edits []configxml.Edit) (fresh []configxml.Edit, ok bool) {
	for _, e := range edits {
		same := false
		for _, m := range made {
			switch {
			case m == e:
				same = true
			case e.Start < m.End && m.Start < e.End:
				return nil, false
			}
		}
		if !same {
			fresh = append(fresh, e)
		}
	}
	return fresh, true
}
