package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// BenchmarkOrderByText sorts 5000 rows by a column of text and returns 50.
func BenchmarkOrderByText(b *testing.B) {
	s := open(b)
	c := tables.Config{"item": {Columns: map[string]tables.Column{"s": {Type: "string"}}}}
	shape, _, err := c.Open(b.Context(), s, "item")
	if err != nil {
		b.Fatal(err)
	}
	var rows []tables.LoadRow
	for i := range 5000 {
		rows = append(rows, tables.LoadRow{ID: odata.StringOf(fmt.Sprint(i)), Columns: []int{shape.Find("s")},
			Values:  []odata.Value{odata.StringOf(fmt.Sprintf("Some words %x and more", rand.Uint32()))},
			Version: int64(i + 1)})
	}
	if _, err := s.Load(b.Context(), shape, rows, false); err != nil {
		b.Fatal(err)
	}
	q := tables.Query{Shape: shape, Columns: shape.All(),
		Order: []odata.Order{{By: odata.Column{Name: "s", Of: odata.String}}}, Top: 50}
	for b.Loop() {
		n := 0
		if err := s.Query(b.Context(), q, func([]odata.Value) error { n++; return nil }); err != nil || n != 50 {
			b.Fatal(n, err)
		}
	}
}
