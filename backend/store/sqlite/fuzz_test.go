package sqlite_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/cordon-sec/cordon/backend/store/sqlite"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// FuzzFilter runs whatever the parser takes: the database may find it too
// complex, but it never fails otherwise.
func FuzzFilter(f *testing.F) {
	s, err := sqlite.Open(f.Context(),
		sqlite.Options{Path: filepath.Join(f.TempDir(), "x.db"), Durability: "normal", Readers: 2})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	c := tables.Config{"item": {Columns: map[string]tables.Column{"s": {Type: "string"}, "n": {Type: "number"},
		"b": {Type: "boolean"}, "d": {Type: "date"}}, SoftDelete: true}}
	shape, _, err := c.Open(f.Context(), s, "item")
	if err != nil {
		f.Fatal(err)
	}
	if _, err := s.Load(f.Context(),
		shape, []tables.LoadRow{{ID: odata.StringOf("a"), Columns: []int{shape.Find("s")},
			Values: []odata.Value{odata.StringOf("x")}, Version: 1}}, false); err != nil {
		f.Fatal(err)
	}
	p := odata.Parser{V4: true, Column: func(name string) (odata.Column, bool) {
		i := shape.Find(name)
		if i < 0 {
			return odata.Column{}, false
		}
		return odata.Column{Name: shape.Columns[i].Name, Of: shape.Columns[i].Type}, true
	}}
	for _, seed := range []string{"s eq 'x'", "substring(s,-1,99999999999) eq 'x'", "round(n mul 1e308) eq 1 or b",
		"year(date(d)) mod 4 eq 0", "startswith(s,'\U0010ffff')", "version gt 'AAAAAAAAAAE=' and not b",
		"indexof(concat(s,'x'),s) add length(s) eq fractionalseconds(d)", "n div 0 eq null"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		filter, err := p.Filter(src)
		if err != nil {
			return
		}
		err = s.Query(t.Context(), tables.Query{Shape: shape, Columns: shape.All(), Where: filter,
			Order: []odata.Order{{By: filter}}, Top: 10}, func([]odata.Value) error {
			return nil
		})
		var complex *tables.QueryError
		if err != nil && !errors.As(err, &complex) {
			t.Errorf("%q: %v", src, err)
		}
	})
}
