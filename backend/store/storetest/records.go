package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/cordon-sec/cordon/backend/store/schema"
)

// Recorder is a store whose own tables can be read and written as they are.
type Recorder interface {
	Records(ctx context.Context, table string, columns []string, yield func([]any) error) error
	PutRecords(ctx context.Context, table string, columns []string, records [][]any) error
}

// PutOwn puts three records with a value in every column into each of the tables,
// and one that lacks what may be absent.
func PutOwn(tb testing.TB, s Recorder, list []schema.Table) {
	tb.Helper()
	for _, t := range list {
		var records [][]any
		for n := range 4 {
			var r []any
			for i, c := range t.Columns {
				r = append(r, value(t, c, 100*n+i, c.Null && n == 3))
			}
			records = append(records, r)
		}
		if err := s.PutRecords(tb.Context(), t.Name, t.Names(), records); err != nil {
			tb.Fatalf("%s: %v", t.Name, err)
		}
	}
}

// value is a value of a column that no other number gives.
func value(t schema.Table, c schema.Column, number int, absent bool) any {
	text := fmt.Sprintf("%s é'\"%d", c.Name, number)
	switch {
	case absent:
		return nil
	case c.Type == schema.Text:
		return text
	case c.Type == schema.Bytes:
		return append([]byte{0, 255}, text...)
	case t.Class == schema.Made: // may be an int4
		return int64(number)
	}
	return int64(1)<<40 + int64(number)
}

// Own lists what the tables hold, one line a record, sorted.
func Own(tb testing.TB, s Recorder, list []schema.Table) map[string][]string {
	tb.Helper()
	out := map[string][]string{}
	for _, t := range list {
		err := s.Records(tb.Context(), t.Name, t.Names(), func(r []any) error {
			out[t.Name] = append(out[t.Name], fmt.Sprintf("%q", r))
			return nil
		})
		if err != nil {
			tb.Fatalf("%s: %v", t.Name, err)
		}
		slices.Sort(out[t.Name])
	}
	return out
}
