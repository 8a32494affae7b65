package sqlite

import (
	"github.com/cordon-sec/cordon/backend/store/rows"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// dialect is SQLite's. Dates are milliseconds, booleans 0 and 1, versions integers.
var dialect = rows.Dialect{
	Database: "sqlite",
	Argument: argument,
	Types: [...]string{odata.Boolean: "INTEGER", odata.Integer: "INTEGER", odata.Number: "REAL",
		odata.String: "TEXT", odata.Date: "INTEGER", odata.Version: "INTEGER"},
	Counting:  " PRIMARY KEY AUTOINCREMENT",
	Booleans:  [2]string{"0", "1"},
	ByUnicode: " COLLATE " + collation,
	// SQLite reads "false AND x" as 0 before it looks at the order, and then as the
	// place of a column; it leaves a CASE alone.
	ByTruth:   "CASE WHEN 1 THEN % END",
	Inserted:  inserted,
	Literal:   true,
	Unlimited: " LIMIT -1",
	Functions: map[odata.Func]string{
		odata.StartsWith: "cordon_startswith(%,%)", odata.EndsWith: "cordon_endswith(%,%)",
		odata.Contains: "(instr(%,%)>0)", odata.Concat: "cordon_concat(%,%)", odata.IndexOf: "(instr(%,%)-1)",
		odata.Length: "length(%)", odata.Replace: "cordon_replace(%,%,%)",
		odata.Substring: "cordon_substring(%,%)", odata.ToLower: "cordon_lower(%)", odata.ToUpper: "cordon_upper(%)",
		odata.Trim: "trim(%)", odata.Year: "cordon_date('year',%)", odata.Month: "cordon_date('month',%)",
		odata.Day: "cordon_date('day',%)", odata.Hour: "cordon_date('hour',%)",
		odata.Minute: "cordon_date('minute',%)", odata.Second: "cordon_date('second',%)",
		odata.FractionalSeconds: "cordon_date('fraction',%)", odata.DateOnly: "cordon_date('date',%)",
		odata.TimeOnly: "cordon_date('time',%)", odata.Floor: "floor(%)", odata.Ceiling: "ceil(%)",
		odata.Round: "cordon_round(%)", odata.ToNumber: "CAST(% AS REAL)", odata.Digits: "cordon_digits(%,%,%)",
	},
	Part: "cordon_substring(%,%,%)",
	Arithmetic: map[odata.Op]string{odata.Add: "(%+%)", odata.Sub: "(%-%)", odata.Mul: "(%*%)", odata.Div: "(%/%)",
		odata.Mod: "cordon_mod(%,%)"},
}

// argument is a value as the driver takes it.
func argument(v odata.Value) any {
	switch v.Type {
	case odata.String:
		return v.Text
	case odata.Number:
		return v.Float()
	case odata.Null:
		return nil
	}
	return v.Num
}

// inserted is the order in which rows were inserted. A column of the table may have
// one of the names that SQLite has for it.
func inserted(s *tables.Shape) string {
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		if s.Find(name) < 0 {
			return name
		}
	}
	return `"createdAt","id"`
}
