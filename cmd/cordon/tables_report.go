package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/cordon-sec/cordon/backend/tables/transfer"
	"github.com/cordon-sec/cordon/internal/wording"
)

// changes says what was changed to fit, one line for each kind and column.
func changes(w io.Writer, report *transfer.Report) {
	for _, c := range report.Columns {
		for _, change := range c.Changes {
			fmt.Fprintf(w, "%s: %s, %s, first on line %d\n", wording.Printable(c.Name), change.How,
				wording.Count(change.Count, "time", "times"), change.Line)
		}
	}
}

// writeReport writes what would come of a file, which may have been broken off.
func writeReport(out io.Writer, table string, r *transfer.Report, broken error) error {
	var b strings.Builder
	fmt.Fprintf(
		&b,
		"%s for %s; nothing was written\n\n",
		wording.Count(r.Rows, "row", "rows"),
		wording.Printable(table),
	)
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "column\tinto\tvalues\tnulls\trefused")
	for _, c := range r.Columns {
		into := c.Into
		if into == "" {
			into = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\n", wording.Printable(c.Name), into, c.Values, c.Nulls, c.Refused)
	}
	_ = w.Flush() // into memory
	b.WriteByte('\n')
	for _, line := range []struct {
		n    int
		text string
	}{
		{r.Deleted, "deleted rows"}, {r.LeftOut, "deleted rows that are left out"}, {r.Made, "rows that get a new id"},
		{r.There, "rows whose id is there already"},
	} {
		if line.n > 0 {
			fmt.Fprintf(&b, "%d %s\n", line.n, line.text)
		}
	}
	if len(r.New) > 0 {
		fmt.Fprintf(&b, "new columns: %s\n", wording.Join(r.New))
	}
	changes(&b, r)
	switch {
	case r.Fits() && broken != nil:
		fmt.Fprintf(&b, "the file cannot be read after row %d\n", r.Rows)
	case r.Fits():
		b.WriteString("every row fits\n")
	default:
		fmt.Fprintf(&b, "%s refused\n", wording.Count(r.Refused, "row is", "rows are"))
	}
	for _, m := range r.Mistakes {
		fmt.Fprintf(&b, "  %s\n", wording.Printable(m.Error()))
	}
	if more := r.Refused - len(r.Mistakes); more > 0 {
		fmt.Fprintf(&b, "  and more\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// The forms of the report as JSON.
type (
	importReportJSON struct {
		File         string             `json:"file"`
		Table        string             `json:"table"`
		Rows         int                `json:"rows"`
		RefusedRows  int                `json:"refused_rows"`
		Deleted      int                `json:"deleted"`
		LeftOut      int                `json:"left_out"`
		NewIDs       int                `json:"new_ids"`
		AlreadyThere *int               `json:"already_there,omitempty"`
		NewColumns   []string           `json:"new_columns"`
		Columns      []importColumnJSON `json:"columns"`
		Refused      []importErrorJSON  `json:"refused"`
		Broken       string             `json:"broken,omitempty"`
	}
	importColumnJSON struct {
		Name    string             `json:"name"`
		Into    string             `json:"into,omitempty"`
		Values  int                `json:"values"`
		Nulls   int                `json:"nulls"`
		Refused int                `json:"refused"`
		Changes []importChangeJSON `json:"changes"`
	}
	importChangeJSON struct {
		How   string `json:"how"`
		Count int    `json:"count"`
		Row   int    `json:"first_row"`
		Line  int    `json:"first_line"`
	}
	importErrorJSON struct {
		Row    int    `json:"row"`
		Line   int    `json:"line,omitempty"`
		Column string `json:"column,omitempty"`
		Reason string `json:"reason"`
	}
)

func reportJSON(file, table string, r *transfer.Report, broken error) importReportJSON {
	out := importReportJSON{File: file, Table: table, Rows: r.Rows, RefusedRows: r.Refused, Deleted: r.Deleted,
		LeftOut: r.LeftOut, NewIDs: r.Made, NewColumns: append([]string{}, r.New...), Columns: []importColumnJSON{},
		Refused: []importErrorJSON{}}
	if r.There >= 0 {
		out.AlreadyThere = &r.There
	}
	for _, c := range r.Columns {
		column := importColumnJSON{c.Name, c.Into, c.Values, c.Nulls, c.Refused, []importChangeJSON{}}
		for _, x := range c.Changes {
			column.Changes = append(column.Changes, importChangeJSON{string(x.How), x.Count, x.Row, x.Line})
		}
		out.Columns = append(out.Columns, column)
	}
	for _, m := range r.Mistakes {
		out.Refused = append(out.Refused, importErrorJSON{m.Row, m.Line, m.Column, m.Err.Error()})
	}
	if broken != nil {
		out.Broken = broken.Error()
	}
	return out
}
