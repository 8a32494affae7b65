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
				text := fmt.Sprintf("%s é'\"%d", c.Name, n)
				value := map[schema.Type]any{schema.Text: text, schema.Integer: int64(1)<<40 + int64(100*n+i), schema.Bytes: append([]byte{0, 255}, text...)}[c.Type]
				if t.Class == schema.Made && c.Type == schema.Integer {
					value = int64(100*n + i)
				}
				if c.Null && n == 3 {
					value = nil
				}
				r = append(r, value)
			}
			records = append(records, r)
		}
		if err := s.PutRecords(tb.Context(), t.Name, t.Names(), records); err != nil {
			tb.Fatalf("%s: %v", t.Name, err)
		}
	}
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
