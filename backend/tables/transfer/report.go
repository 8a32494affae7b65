package transfer

import (
	"fmt"
	"strings"
)

// RowError is a row that does not fit.
type RowError struct {
	// Row counts the rows of the file from 1, Line the lines.
	Row, Line int
	// Column is the column, "" where the row as a whole is wrong.
	Column string
	// Err is why.
	Err error
}

// Error says where and why.
func (e *RowError) Error() string {
	text := e.Err.Error()
	if e.Column != "" && !strings.Contains(text, "'"+e.Column+"'") {
		text = "column '" + e.Column + "': " + text
	}
	if e.Line == 0 {
		return fmt.Sprintf("row %d: %s", e.Row, text)
	}
	return fmt.Sprintf("row %d: %s (line %d)", e.Row, text, e.Line)
}

// Unwrap returns why.
func (e *RowError) Unwrap() error { return e.Err }

// Report is what was found in a file.
type Report struct {
	// Rows is how many rows the file has, Refused how many of them do not fit.
	Rows, Refused int
	// Deleted is how many rows are deleted ones, LeftOut how many of them are left
	// out because it was asked for, Made how many get an id here, and There how many
	// have an id that the table has already; -1 where that was not looked up.
	Deleted, LeftOut, Made, There int
	// Columns are the file's, in its order.
	Columns []*Column
	// New are the columns that a dynamic schema would make.
	New []string
	// Mistakes are the first of those that do not fit; there may be more.
	Mistakes []*RowError
}

// maxMistakes is how many mistakes a report lists.
const maxMistakes = 20

// Column is what was found in a column of a file.
type Column struct {
	// Name is the column's name in the file; Into is the table's column, "" where its
	// values are not kept.
	Name, Into string
	// Values and Nulls count; Refused counts values that do not fit.
	Values, Nulls, Refused int
	// Changes are the changes to values, in the order in which they were first made.
	Changes []*Changed
}

// Changed counts the values that were changed in one way.
type Changed struct {
	// How is the change; Count is how often it was made, Row and Line where first.
	How              Change
	Count, Row, Line int
}

func (c *Column) note(how Change, row, line int) {
	if how == Unchanged {
		return
	}
	for _, have := range c.Changes {
		if have.How == how {
			have.Count++
			return
		}
	}
	c.Changes = append(c.Changes, &Changed{how, 1, row, line})
}

// Fits reports whether every row of the file fits.
func (r *Report) Fits() bool { return r.Refused == 0 }
