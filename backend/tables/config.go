package tables

import (
	"fmt"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// Config is the tables section of cordon.yaml: the tables by name. Names are
// letters, digits and underscores; requests may spell them in any letter case.
type Config map[string]Table

// Table describes one table. The zero value is a table with the system columns
// only, open to everyone, as in the original.
type Table struct {
	// Columns are the declared columns besides id, createdAt, updatedAt,
	// version and deleted.
	Columns map[string]Column `yaml:"columns" json:"columns,omitempty"`
	// Indexes are columns, or lists of columns, to keep an index on.
	Indexes []Index `yaml:"indexes" json:"indexes,omitempty"`
	// ID is the type of the id: "string" (default; a GUID is made when a row
	// comes without) or "number" (an integer that counts up).
	ID string `yaml:"id" json:"id,omitempty" enum:"string,number" default:"string"`
	// DatabaseTable is the table's name in the database; default is the
	// table's name in lower case.
	DatabaseTable string `yaml:"database_table" json:"database_table,omitempty"`

	// Access is who may use the table: "anonymous" (default, as in the
	// original), "authenticated" or "disabled".
	Access Access `yaml:"access" json:"access,omitempty" enum:"anonymous,authenticated,disabled" default:"anonymous"`
	// Rule is a condition (CEL) that every operation must meet, over user, row,
	// operation, device and request: user.id == row.ownerId. Rows for which it
	// does not hold are not there for reads.
	Rule string `yaml:"rule" json:"rule,omitempty"`
	// Read, Insert, Update, Delete and Undelete override Access and add a Rule
	// for one operation. Undelete without an access, or a rule, of its own has
	// the stricter access of Update and Delete, and the rules of both.
	Read     Operation `yaml:"read" json:"read,omitempty"`
	Insert   Operation `yaml:"insert" json:"insert,omitempty"`
	Update   Operation `yaml:"update" json:"update,omitempty"`
	Delete   Operation `yaml:"delete" json:"delete,omitempty"`
	Undelete Operation `yaml:"undelete" json:"undelete,omitempty"`

	// PerUser gives every user rows of their own: the user column is set on
	// every write and filtered on in every operation. It needs a user even
	// where Access says anonymous.
	PerUser bool `yaml:"per_user" json:"per_user,omitempty"`
	// UserColumn is the column for PerUser, default "userId".
	UserColumn string `yaml:"user_column" json:"user_column,omitempty" default:"userId"`
	// SoftDelete marks rows as deleted instead of removing them. Tables that
	// clients sync need it.
	SoftDelete bool `yaml:"soft_delete" json:"soft_delete,omitempty"`
	// DynamicSchema lets writes create columns for properties that the table
	// does not know. Off by default, other than in the original.
	DynamicSchema bool `yaml:"dynamic_schema" json:"dynamic_schema,omitempty"`
	// MaxColumns is how many columns a dynamic schema may have; default 250.
	MaxColumns int `yaml:"max_columns" json:"max_columns,omitempty" default:"250"`
	// PageSize is how many rows a query without $top returns; default 50, and
	// 100 in protocol 3.0.
	PageSize int `yaml:"page_size" json:"page_size,omitempty" default:"50"`
	// MaxTop is the largest $top; default 1000, and 512000 in protocol 3.0; 0
	// is no limit.
	MaxTop *int `yaml:"max_top" json:"max_top,omitempty" default:"1000"`
	// RecordsExpire hides, and some time later removes, rows that were created
	// longer ago.
	RecordsExpire time.Duration `yaml:"records_expire" json:"records_expire,omitempty"`
	// DeleteByFilter lets DELETE /tables/{table}?$filter=… delete every row
	// that matches, as the original does. On unless set to false.
	DeleteByFilter *bool `yaml:"delete_by_filter" json:"delete_by_filter,omitempty" default:"true"`
	// Webhook is told of every successful operation.
	Webhook *Webhook `yaml:"webhook" json:"webhook,omitempty"`
	// Seed is a file with a JSON array of rows, loaded once when the table is
	// created.
	Seed string `yaml:"seed" json:"seed,omitempty"`
}

// Access is who may do something: "", "anonymous", "authenticated" or
// "disabled".
type Access string

// The kinds of access.
const (
	Anonymous     Access = "anonymous"
	Authenticated Access = "authenticated"
	Disabled      Access = "disabled"
)

func (a Access) valid() bool {
	return a == "" || a == Anonymous || a == Authenticated || a == Disabled
}

// Operation is what one operation of a table has for itself.
type Operation struct {
	// Access overrides the table's.
	Access Access `yaml:"access" json:"access,omitempty" enum:"anonymous,authenticated,disabled"`
	// Rule is a condition (CEL) besides the table's.
	Rule string `yaml:"rule" json:"rule,omitempty"`
}

// Column is a declared column. In YAML a column is either the name of its type
// or a mapping with these keys.
type Column struct {
	// Type is "string", "number", "boolean" (or "bool"), "date" (or "datetime").
	Type string `yaml:"type" json:"type" enum:"string,number,boolean,bool,date,datetime"`
	// Default is the value of rows that are inserted without one.
	Default any `yaml:"default" json:"default,omitempty"`
	// Unique refuses a second row with the same value (409); nulls may repeat.
	Unique bool `yaml:"unique" json:"unique,omitempty"`
	// Required refuses rows in which the column is null (400).
	Required bool `yaml:"required" json:"required,omitempty"`
	// IgnoreCase makes comparisons and searches in this column ignore case.
	IgnoreCase bool `yaml:"ignore_case" json:"ignore_case,omitempty"`
}

// UnmarshalYAML accepts the short form, just the type.
func (c *Column) UnmarshalYAML(decode func(any) error) error {
	var short string
	if err := decode(&short); err == nil {
		*c = Column{Type: short}
		return nil
	}
	type long Column
	return decode((*long)(c))
}

// Index is the columns of one index, in order. In YAML it is a column's name
// or a list of names.
type Index []string

// UnmarshalYAML accepts the short form, just one column.
func (i *Index) UnmarshalYAML(decode func(any) error) error {
	var one string
	if err := decode(&one); err == nil {
		*i = Index{one}
		return nil
	}
	return decode((*[]string)(i))
}

// Webhook is where successful operations are reported.
type Webhook struct {
	// URL receives POST requests with a JSON body. Private addresses, and
	// http:// to anything, only where egress.allow covers the address.
	URL string `yaml:"url" json:"url"`
	// Secret is what the X-Cordon-Signature header is computed with: a
	// reference such as env:NAME that the configuration resolves. Without one
	// requests are signed with a key derived from the signing key.
	Secret string `yaml:"secret" json:"secret,omitempty"`
}

var columnTypes = map[string]odata.Type{
	"string": odata.String, "number": odata.Number, "boolean": odata.Boolean, "bool": odata.Boolean,
	"date": odata.Date, "datetime": odata.Date,
}

// ConfigError says what is wrong with the definition of a table.
type ConfigError struct {
	// Table is the table's name, Key the setting.
	Table, Key string
	// Msg is what is wrong with it.
	Msg string
}

// Error names the setting by its path in cordon.yaml.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("tables.%s.%s: %s", e.Table, e.Key, e.Msg)
}

// Check validates the configuration without touching a store. Errors are
// *ConfigError.
func (c Config) Check() error {
	names := map[string]string{}
	for name, t := range c {
		_, err := t.definition(name)
		if err != nil {
			return err
		}
		key := strings.ToLower(t.databaseName(name))
		if other, taken := names[key]; taken {
			return &ConfigError{name, "database_table",
				fmt.Sprintf("the table %s has the same name in the database", other)}
		}
		names[key] = name
	}
	return nil
}

func (t Table) databaseName(name string) string {
	if t.DatabaseTable != "" {
		return t.DatabaseTable
	}
	return strings.ToLower(name)
}

func (t Table) operation(op op) Operation {
	switch op {
	case opInsert:
		return t.Insert
	case opUpdate:
		return t.Update
	case opDelete:
		return t.Delete
	case opUndelete:
		return t.Undelete
	}
	return t.Read
}

func (t Table) userColumn() string {
	if t.UserColumn != "" {
		return t.UserColumn
	}
	return "userId"
}

func (t Table) pageSize(v3 bool) int {
	switch {
	case t.PageSize > 0:
		return t.PageSize
	case v3:
		return 100
	}
	return 50
}

// maxTop is the largest $top, 0 for no limit. The limit of protocol 3.0 is
// that of its server (Microsoft.AspNetCore.Datasync TableControllerOptions).
func (t Table) maxTop(v3 bool) int {
	switch {
	case t.MaxTop != nil:
		return *t.MaxTop
	case v3:
		return 512000
	}
	return 1000
}

// op is one of the five operations, or the replacement of protocol 3.0, which
// counts as an update for access.
type op uint8

const (
	opRead op = iota
	opInsert
	opUpdate
	opDelete
	opUndelete
)

// String is the operation's name in messages and rules.
func (o op) String() string {
	return [...]string{"read", "insert", "update", "delete", "undelete"}[o]
}
