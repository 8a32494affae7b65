package tables

import (
	"testing"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// TestDatesOfARow: a date that a row has before is copied, and no other.
func TestDatesOfARow(t *testing.T) {
	columns := []ColumnDef{{Name: "id", Type: odata.String}, {Name: "createdAt", Type: odata.Date},
		{Name: "updatedAt", Type: odata.Date}, {Name: "version", Type: odata.Version}}
	for _, name := range []string{"a", "b", "c", "d"} {
		columns = append(columns, ColumnDef{Name: name, Type: odata.Date})
	}
	s, err := NewShape("t", columns, false)
	if err != nil {
		t.Fatal(err)
	}
	first, second := odata.DateOf(0), odata.DateOf(951827696789)
	row := []odata.Value{odata.StringOf("x"), first, first, {}, second, {}, second, first}
	const one, two = `"1970-01-01T00:00:00.000Z"`, `"2000-02-29T12:34:56.789Z"`
	want := `{"id":"x","createdAt":` + one + `,"updatedAt":` + one + `,"version":null,"a":` + two +
		`,"b":null,"c":` + two + `,"d":` + one + `}`
	if got := string(s.AppendRow([]byte("["), s.All(), row)); got != "["+want {
		t.Errorf("%s\nwant\n%s", got[1:], want)
	}
}
