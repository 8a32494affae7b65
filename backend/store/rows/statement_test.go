package rows_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/backend/store/rows"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// dialect is that of no database: each word says where it stands.
var dialect = rows.Dialect{
	Database: "none", Numbered: true,
	Casts: [...]string{odata.Null: ":null", odata.Integer: ":int", odata.String: ":text",
		odata.Version: ":version"},
	Argument:  func(v odata.Value) any { return v.Plain() },
	Stored:    func(name string) string { return name + "'" },
	Booleans:  [2]string{"F", "T"},
	ByPoint:   " POINT",
	ByUnicode: " UNICODE",
	ByTruth:   "TRUTH(%)",
	Nulls:     [2]string{" FIRST", " LAST"},
	Inserted:  func(s *tables.Shape) string { return "insertion of " + s.Table },
	Functions: map[odata.Func]string{odata.StartsWith: "begins(%,%)", odata.ToLower: "lower(%)",
		odata.Substring: "from(%,%)", odata.Digits: "%|%|%"},
	Part:       "part(%,%,%)",
	Arithmetic: map[odata.Op]string{odata.Add: "(%+%)", odata.Mod: "mod(%,%)"},
}

func shape(t *testing.T) *tables.Shape {
	t.Helper()
	s, err := tables.NewShape(`a "table"`, []tables.ColumnDef{{Name: "id", Type: odata.String},
		{Name: "createdAt", Type: odata.Date}, {Name: "updatedAt", Type: odata.Date},
		{Name: "version", Type: odata.Version}, {Name: "s", Type: odata.String},
		{Name: "b", Type: odata.Boolean}}, false)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A tree as its condition, with the values beside it.
func TestConditions(t *testing.T) {
	s := odata.Column{Name: "s", Of: odata.String}
	b := odata.Column{Name: "b", Of: odata.Boolean}
	text := func(v string) odata.Literal { return odata.Literal{Value: odata.StringOf(v)} }
	call := func(f odata.Func, args ...odata.Expr) odata.Expr { return odata.Call{Func: f, Args: args} }
	one, null := odata.Literal{Value: odata.IntegerOf(1)}, odata.Literal{As: odata.String}
	yes, lower := odata.Literal{Value: odata.BooleanOf(true)}, call(odata.ToLower, s)
	for want, e := range map[string]odata.Expr{
		`"b'"`:                      b,
		`T`:                         yes,
		`(NOT "b'")`:                odata.Not{X: b},
		`((NOT "b'") IS NULL)`:      odata.IsNull{X: odata.Not{X: b}},
		`("s'" IS NOT NULL)`:        odata.IsNull{X: s, Not: true},
		`("s'" POINT<>$1:text) [x]`: odata.Compare{Op: odata.Ne, L: s, R: text("x")},
		`("b'"=T)`:                  odata.Compare{Op: odata.Eq, L: b, R: yes},
		`("s'" POINT>=NULL:text)`:   odata.Compare{Op: odata.Ge, L: s, R: null},
		`("b'" AND (T AND "b'"))`:   odata.Logic{Terms: []odata.Expr{b, yes, b}},
		`(("b'" OR T) OR ("b'" OR T))`: odata.Logic{Or: true,
			Terms: []odata.Expr{b, yes, b, yes}},
		`mod(($1:int+$2:int),$3:int) [1 1 1]`: odata.Arith{Op: odata.Mod, L: odata.Arith{Op: odata.Add, L: one, R: one},
			R: one},
		`(("s'" POINT>=$1:text) AND ("s'" POINT<$2:text)) [ab ac]`: call(odata.StartsWith, s, text("ab")),
		`("s'" POINT>=$1:text) []`:                                 call(odata.StartsWith, s, text("")),
		`begins("s'","s'")`:                                        call(odata.StartsWith, s, s),
		`begins(lower("s'"),$1:text) [ab]`:                         call(odata.StartsWith, lower, text("ab")),
		`from("s'",$1:int) [1]`:                                    call(odata.Substring, s, one),
		`part("s'",$1:int,$2:int) [1 1]`:                           call(odata.Substring, s, one, one),
		`"s'"|$1:int|"s'" [1]`:                                     call(odata.Digits, s, one, s),
	} {
		got := dialect.Count(tables.Query{Shape: shape(t), Where: e})
		if d := cmp.Diff(`SELECT count(*) FROM "a ""table""" WHERE `+want, shown(got)); d != "" || got.Err != nil {
			t.Errorf("%v (-want +got):\n%s", got.Err, d)
		}
	}
	if got := dialect.Count(tables.Query{Shape: shape(t), Where: call(odata.Year, s)}); got.Err == nil ||
		got.Err.Error() != "none: function 12 is not known" {
		t.Errorf("a function without a form: %v", got.Err)
	}
}

// shown is a statement with its values behind it.
func shown(s *rows.Statement) string {
	text := s.Text()
	for i, v := range s.Args {
		text += []string{" [", " "}[min(i, 1)] + v.(string)
	}
	if len(s.Args) > 0 {
		text += "]"
	}
	return text
}

// Each statement, with all of its parts.
func TestStatements(t *testing.T) {
	s := shape(t)
	id, row := odata.StringOf("k"), make([]odata.Value, len(s.Columns))
	row[0], row[3], row[4] = id, odata.IntegerOf(7), odata.StringOf("x")
	b := odata.Column{Name: "b", Of: odata.Boolean}
	updated := odata.Column{Name: "updatedAt", Of: odata.Date}
	const from = ` FROM "a ""table"""`
	const all = `SELECT "id'","createdAt'","updatedAt'","version'","s'","b'"` + from
	insert := `INSERT INTO "a ""table""" ("id'","createdAt'","updatedAt'","version'","s'") ` +
		`VALUES ($1:text,$2,$3,$4:version,$5:text)`
	for _, test := range []struct {
		s    *rows.Statement
		want string
	}{
		{dialect.Query(tables.Query{Shape: s, Columns: []int{4, 0}, Top: -1}),
			`SELECT "s'","id'"` + from + ` ORDER BY insertion of a "table"`},
		{dialect.Query(tables.Query{Shape: s, Columns: []int{0}, Where: b, Top: 5, Skip: 2, Order: []odata.Order{
			{By: odata.Literal{Value: odata.IntegerOf(1)}}, {By: odata.Column{Name: "s", Of: odata.String}},
			{By: odata.Not{X: b}, Desc: true}, {By: updated, Desc: true}}}),
			`SELECT "id'"` + from + ` WHERE "b'" ORDER BY "s'" UNICODE FIRST,TRUTH((NOT "b'")) DESC LAST,` +
				`"updatedAt'" DESC,"id" LIMIT $1:int OFFSET $2:int [5 2]`},
		{dialect.Query(tables.Query{Shape: s, Columns: []int{0}, Top: 1, Order: []odata.Order{
			{By: odata.Column{Name: "id", Of: odata.String}, Desc: true}, {By: b}}}),
			`SELECT "id'"` + from + ` ORDER BY "id'" DESC LIMIT $1:int [1]`},
		{dialect.Find(s, id, nil), all + ` WHERE "id"=$1:text [k]`},
		{dialect.Find(s, id, b), all + ` WHERE "id"=$1:text AND "b'" [k]`},
		{dialect.Removed(tables.Removal{Shape: s, Where: b, Limit: 9}), all + ` WHERE "b'" LIMIT $1:int [10]`},
		{dialect.Insert(s, row, []int{4}), insert + ` [k   7 x]`},
		{dialect.Put(s, row, []int{4}, false), insert + ` ON CONFLICT("id") DO NOTHING [k   7 x]`},
		{dialect.Put(s, row, []int{4}, true), insert + ` ON CONFLICT("id") DO UPDATE SET ` +
			`"createdAt'"=excluded."createdAt'","updatedAt'"=excluded."updatedAt'","version'"=excluded."version'",` +
			`"s'"=excluded."s'","b'"=NULL [k   7 x]`},
		{dialect.Update(s, row, []int{4, 3}), `UPDATE "a ""table""" SET "s'"=$1:text,"version'"=$2:version ` +
			`WHERE "id"=$3:text [x 7 k]`},
		{dialect.Delete(s, id), `DELETE` + from + ` WHERE "id"=$1:text [k]`},
		{dialect.Expire(s, 0), `DELETE` + from + ` WHERE "id" IN (SELECT "id"` + from +
			` WHERE "createdAt"<=$1 LIMIT 1000) [1970-01-01T00:00:00.000Z]`},
	} {
		if d := cmp.Diff(test.want, shown(test.s)); d != "" || test.s.Err != nil {
			t.Errorf("%v (-want +got):\n%s", test.s.Err, d)
		}
	}
}
