package tables

import (
	"cmp"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// This file holds what only protocol 3.0 has: replacing a row, JSON Patch, and
// conditions in headers (Microsoft.AspNetCore.Datasync, TableController.cs).

// conditional is the check of the conditions that 3.0 knows besides If-Match.
func (q *request) conditional() func(before, after []odata.Value) error {
	none, since := q.r.Header.Get("If-None-Match"), q.r.Header.Get("If-Unmodified-Since")
	if none == "" && since == "" {
		return nil
	}
	return func(before, _ []odata.Value) error {
		if none == "*" || none != "" && slices.Contains(versions(none), before[colVersion].Num) {
			return &ConflictError{Row: slices.Clone(before)}
		}
		if after, ok := modifiedAfter(before, since); ok && after && q.r.Header.Get("If-Match") == "" {
			return &ConflictError{Row: slices.Clone(before)}
		}
		return nil
	}
}

// replace is PUT: what the body leaves out becomes null.
func (q *request) replace() error {
	s := q.t.shape.Load()
	it, err := q.readItem(s)
	if err != nil {
		return err
	}
	if !it.hasID {
		return badRequest("The item has no id")
	}
	id, err := q.target(s, it)
	if err != nil {
		return err
	}
	return q.onShape(func(s *Shape) error {
		s, set, err := q.assign(s, it, true)
		if err != nil {
			return err
		}
		for i := s.System(); i < len(s.Columns); i++ {
			if !slices.Contains(set.columns, i) {
				set.put(i, odata.Value{})
			}
		}
		w := Write{Op: OpMerge, Shape: s, ID: id, Columns: set.columns, Values: set.values,
			Match: q.match(""), Where: q.scope(s, q.wantsDeleted()), Guard: q.conditional()}
		// Who asks for deleted rows revives the row that the body says is not deleted.
		if q.revives = s.SoftDelete && q.wantsDeleted() && it.live(); q.revives {
			w.Op = OpUndelete
		}
		return q.change(w, http.StatusOK)
	})
}

// live reports whether a body says that the row is not deleted.
func (it *item) live() bool {
	return slices.ContainsFunc(it.props, func(p property) bool {
		return strings.EqualFold(p.name, "deleted") && p.value.Type == odata.Boolean && !p.value.Bool()
	})
}

// patch is PATCH of protocol 3.0: a merge, or a JSON Patch.
func (q *request) patch() error {
	s := q.t.shape.Load()
	var it item
	var checks []property
	err := q.body(func(body []byte) (err error) {
		var props []property
		media, _, _ := mime.ParseMediaType(q.r.Header.Get("Content-Type"))
		if media == "application/json-patch+json" {
			props, checks, err = parsePatch(body)
		} else {
			props, err = parseObject(body)
		}
		if err != nil {
			return badRequest(err.Error())
		}
		it.body = body
		return q.sort(s, &it, props)
	})
	revive := false
	if err == nil {
		revive, err = q.systemProperties(&it)
	}
	if err != nil {
		return cmp.Or(q.refusal, err)
	}
	// A patch that says nothing but that the row is not deleted is an undelete.
	// Beside changes it says that of a live row, too; of a deleted one it is both.
	if q.revives = revive && s.SoftDelete; revive && it.onlySystem() {
		q.op, q.revives = opUndelete, false
	}
	if err := q.admit(q.op); err != nil {
		return err
	}
	id, err := q.target(s, it)
	if err != nil {
		return err
	}
	checks = append(checks, it.system()...)
	return q.onShape(func(s *Shape) error {
		s, set, err := q.assign(s, it, false)
		if err != nil {
			return err
		}
		w := Write{Op: OpMerge, Shape: s, ID: id, Columns: set.columns, Values: set.values, Match: q.match(""),
			Where: q.scope(s, q.wantsDeleted())}
		if revive && s.SoftDelete { // without it, undelete is not allowed
			w.Op, w.Where = OpUndelete, q.scope(s, true)
		}
		w.Guard = q.patchGuard(s, checks)
		return q.change(w, http.StatusOK)
	})
}

// systemProperties looks for the property deleted, which a patch may set to
// false: that is how 3.0 undeletes.
func (q *request) systemProperties(it *item) (revive bool, err error) {
	for _, p := range it.props {
		if !strings.EqualFold(p.name, "deleted") {
			continue
		}
		switch {
		case p.nested || p.value.Type != odata.Boolean && !p.value.IsNull():
			return false, badRequest("The value of 'deleted' is not a boolean")
		case p.value.Bool():
			return false, badRequest("The property 'deleted' cannot be set")
		}
		revive = !p.value.IsNull()
	}
	return revive, nil
}

// onlySystem reports whether a patch names no column but the system's.
func (it *item) onlySystem() bool {
	return !slices.ContainsFunc(it.props, func(p property) bool { return !reserved(p.name) })
}

// system are the properties of a patch that it may name only with the values
// that the row has.
func (it *item) system() []property {
	var out []property
	for _, p := range it.props {
		if strings.EqualFold(p.name, "createdAt") || strings.EqualFold(p.name, "updatedAt") {
			out = append(out, p)
		}
	}
	if it.version != "" {
		out = append(out, property{name: "version", value: odata.StringOf(it.version)})
	}
	return out
}

// patchGuard checks, inside the transaction, the values that a patch says the
// row has.
func (q *request) patchGuard(s *Shape, checks []property) func(before, after []odata.Value) error {
	conditional := q.conditional()
	if conditional == nil && len(checks) == 0 {
		return nil
	}
	return func(before, after []odata.Value) error {
		if conditional != nil {
			if err := conditional(before, after); err != nil {
				return err
			}
		}
		for _, p := range checks {
			i := s.Find(p.name)
			if i < 0 {
				return badRequest(fmt.Sprintf("There is no property '%s'", p.name))
			}
			if !sameValue(before[i], p) {
				return badRequest(fmt.Sprintf("The property '%s' has another value", p.name))
			}
		}
		return nil
	}
}

func sameValue(stored odata.Value, p property) bool {
	if p.nested || stored.IsNull() != p.value.IsNull() {
		return false
	}
	if stored.Type == odata.Date {
		ms, ok := odata.ParseDate(p.value.Text)
		return ok && ms == stored.Num
	}
	return stored.Plain() == p.value.Plain()
}

// parsePatch reads a JSON Patch (RFC 6902) for a flat row: add, replace,
// remove and test of one property each. The tests come apart from the changes.
func parsePatch(body []byte) (changes, tests []property, err error) {
	err = parseArray(body, func(step []property) error {
		var op, path string
		value := property{}
		for _, p := range step {
			switch p.name {
			case "op":
				op = p.value.Text
			case "path":
				path = p.value.Text
			case "value":
				value = p
			}
		}
		name, ok := strings.CutPrefix(path, "/")
		if !ok || name == "" || strings.Contains(name, "/") {
			return badRequest(fmt.Sprintf("The path %.128q names no property", path))
		}
		value.name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		switch op {
		case "add", "replace":
			changes = append(changes, value)
		case "remove":
			changes = append(changes, property{name: value.name})
		case "test":
			tests = append(tests, value)
		default:
			return badRequest("A patch knows add, replace, remove and test")
		}
		return nil
	})
	return changes, tests, err
}
