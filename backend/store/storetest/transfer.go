package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
	"github.com/cordon-sec/cordon/backend/tables/transfer"
)

func testTransfer(t *testing.T, open Opener) {
	store := open(t)
	seed := `[{"id":"a","text":"one","n":1,"done":true,"due":"2016-01-01T00:00:00.000Z","createdAt":"2015-01-01T00:00:00.000Z"},
		{"id":"b","text":"\\N,\"quoted\"\nline"},{"text":"made"}]`
	c := tables.Config{"item": {Columns: columns, SoftDelete: true, Seed: "seed.json"}}
	read := func(string) ([]byte, error) { return []byte(seed), nil }
	a := &app{t: t, store: store, s: service(t, store, c, tables.Options{ReadFile: read})}
	if rows := a.want(200, "GET", "/tables/item?$orderby=createdAt", "").rows(t); len(rows) != 3 ||
		rows[0]["createdAt"] != "2015-01-01T00:00:00.000Z" {
		t.Fatalf("seeded: %v", rows)
	}
	a.want(200, "DELETE", "/tables/item/b", "")
	_ = service(t, store, c, tables.Options{ReadFile: read}) // seeds are loaded once
	a.want(200, "GET", "/tables/item?$inlinecount=allpages", "")
	shape, table, err := c.Open(t.Context(), store, "ITEM")
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []transfer.Format{transfer.JSON, transfer.JSONL, transfer.CSV} {
		var out bytes.Buffer
		if err := transfer.Export(t.Context(), store, shape, format, &out, nil); err != nil {
			t.Fatal(err)
		}
		other := open(t)
		shape, _, err := c.Open(t.Context(), other, "item")
		if err != nil {
			t.Fatal(err)
		}
		o := transfer.Options{Format: format}
		got, err := transfer.Import(t.Context(), other, table, shape, bytes.NewReader(out.Bytes()), o)
		if err != nil || got.Read != 3 || got.Written != 3 {
			t.Fatalf("%s: %+v: %v\n%s", format, got, err, out.String())
		}
		same(t, string(format), contents(t, other, shape), contents(t, store, shape))
		got, err = transfer.Import(t.Context(), other, table, shape, bytes.NewReader(out.Bytes()), o)
		if err != nil || got.Written != 0 || got.Batch != "" {
			t.Errorf("again: %+v, %v", got, err)
		}
		o.Replace = true
		got, err = transfer.Import(t.Context(), other, table, shape, bytes.NewReader(out.Bytes()), o)
		if err != nil || got.Written != 3 {
			t.Errorf("again with replace: %+v, %v", got, err)
		}
	}
	broken := tables.Config{"other": {Columns: columns, Seed: "seed.json"}}
	_, err = tables.New(t.Context(), broken, store,
		tables.Options{ReadFile: func(string) ([]byte, error) { return []byte(`[{"n":1},{"n":"x"}]`), nil }})
	var mistake *tables.ConfigError
	if !errors.As(err, &mistake) || mistake.Key != "seed" {
		t.Errorf("a seed that does not fit: %v", err)
	}
	mended := service(t, store, broken,
		tables.Options{ReadFile: func(string) ([]byte, error) { return []byte(`[{"id":"a","n":1}]`), nil }})
	(&app{t: t, store: store, s: mended}).wantIDs("/tables/other", "a")
	for _, bad := range []string{`{}`, `[{"n":"x"}]`, `[{"id":"c"},{"nope":1}]`, `[{"id":"c"}`, `[{"createdAt":"x"}]`} {
		if _, err := transfer.Import(t.Context(), store, table, shape, strings.NewReader(bad),
			transfer.Options{Format: transfer.JSON}); err == nil {
			t.Errorf("%s was taken in", bad)
		}
	}
	a.want(404, "GET", "/tables/item/c", "")
}

// contents are all rows without what every copy has of its own.
func contents(t *testing.T, store Store, s *tables.Shape) []string {
	t.Helper()
	var out []string
	err := store.Query(t.Context(), tables.Query{Shape: s, Columns: s.All(),
		Order: []odata.Order{{By: odata.Column{Name: "id", Of: odata.String}}}, Top: -1},
		func(row []odata.Value) error {
			text := ""
			for i, v := range row {
				if name := s.Columns[i].Name; name != "updatedAt" && name != "version" {
					text += fmt.Sprintf("%s=%v %q;", name, v.Type, v.Plain())
				}
			}
			out = append(out, text)
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
