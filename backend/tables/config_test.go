package tables

import (
	"errors"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func TestConfig(t *testing.T) {
	var c Config
	err := yaml.UnmarshalWithOptions([]byte(`
todo:
  columns: { text: string, n: {type: number, default: 3, unique: true}, due: date }
  indexes: [text, [n, due]]
  read: { access: anonymous, rule: "true" }
  records_expire: 720h
  delete_by_filter: false
`), &c, yaml.Strict())
	if err != nil {
		t.Fatal(err)
	}
	todo := c["todo"]
	if todo.Columns["text"].Type != "string" || !todo.Columns["n"].Unique || len(todo.Indexes) != 2 ||
		todo.Indexes[1][1] != "due" ||
		todo.RecordsExpire.Hours() != 720 || *todo.DeleteByFilter || c.Check() != nil {
		t.Errorf("read as %+v, %v", todo, c.Check())
	}
	if err := yaml.UnmarshalWithOptions([]byte(`todo: { columns: { n: {typ: number} } }`), &c,
		yaml.Strict()); err == nil {
		t.Error("a misspelt key was taken")
	}
}

func TestConfigMistakes(t *testing.T) {
	column := func(name string, c Column) Table { return Table{Columns: map[string]Column{name: c}} }
	for want, c := range map[string]Config{
		"tables.a b.: a table's name must be letters, digits and underscores": {"a b": {}},
		"tables.cordon_x.database_table: not a name that the databases take: at most 63 letters, digits and " +
			"underscores, not beginning with cordon_, sqlite_ or pg_": {"cordon_x": {}},
		`tables.t.access: "public" must be anonymous, authenticated or disabled`: {
			"t": {Access: "public"}},
		`tables.t.access: "x" must be anonymous, authenticated or disabled `: {
			"t": {Undelete: Operation{Access: "x"}}},
		`tables.t.id: "guid" is neither string nor number`: {"t": {ID: "guid"}},
		`tables.t.columns.x: "text" must be a type: string, number, boolean or date`: {"t": column("x",
			Column{Type: "text"})},
		"tables.t.columns.1x: a column's name must be letters, digits and underscores": {"t": column("1x",
			Column{Type: "string"})},
		"tables.t.columns.id: this name is taken by the system": {"t": column("id",
			Column{Type: "string"})},
		"tables.t.columns: table t has the column ID twice": {"t": column("ID",
			Column{Type: "string"})},
		"tables.t.columns.x: the default abc must be a number": {"t": column("x",
			Column{Type: "number", Default: "abc"})},
		"tables.t.columns.x: ignore_case is for strings": {"t": column("x",
			Column{Type: "number", IgnoreCase: true})},
		"tables.t.indexes: there is no column x": {
			"t": {Indexes: []Index{{"x"}}}},
		"tables.t.page_size: page_size, max_top, records_expire and max_columns are not negative": {
			"t": {PageSize: -1}},
		"tables.t.webhook: the url is missing":    {"t": {Webhook: &Webhook{}}},
		"tables.t.user_column: not a column name": {"t": {PerUser: true, UserColumn: "a-b"}},
	} {
		err := c.Check()
		var mistake *ConfigError
		if !errors.As(err, &mistake) || err.Error() != strings.TrimSpace(want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if err := (Config{"a": {DatabaseTable: "x"}, "b": {DatabaseTable: "X"}}).Check(); err == nil {
		t.Error("two tables share one in the database")
	}
}
