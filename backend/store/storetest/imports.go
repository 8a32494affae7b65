package storetest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
	"github.com/cordon-sec/cordon/backend/tables/transfer"
)

// warehouse is a table with what tables of Azure SQL have, opened in a new store.
type warehouse struct {
	t     *testing.T
	store Store
	table tables.Table
	shape *tables.Shape
}

var warehouseColumns = map[string]tables.Column{"text": {Type: "string"}, "complete": {Type: "boolean"},
	"qty": {Type: "number"}, "due": {Type: "date"}, "code": {Type: "string"}, "only": {Type: "string", Unique: true}}

func newWarehouse(t *testing.T, open Opener, config tables.Table) *warehouse {
	t.Helper()
	w := &warehouse{t: t, store: open(t)}
	if config.Columns == nil && !config.DynamicSchema {
		config.Columns = warehouseColumns
	}
	shape, table, err := tables.Config{"item": config}.Open(t.Context(), w.store, "item")
	if err != nil {
		t.Fatal(err)
	}
	w.shape, w.table = shape, table
	return w
}

func (w *warehouse) bring(file string, o transfer.Options) (transfer.Result, error) {
	return w.from(strings.NewReader(file), o)
}

func (w *warehouse) from(r io.Reader, o transfer.Options) (transfer.Result, error) {
	if o.Format == "" {
		o.Format = transfer.CSV
	}
	got, err := transfer.Import(w.t.Context(), w.store, w.table, w.shape, r, o)
	if shape, e := w.store.Refresh(w.t.Context(), w.shape); e == nil {
		w.shape = shape
	}
	return got, err
}

// must imports a file that fits.
func (w *warehouse) must(file string, o transfer.Options) transfer.Result {
	w.t.Helper()
	got, err := w.bring(file, o)
	if err != nil {
		w.t.Fatalf("%q: %v", file, err)
	}
	return got
}

// rows are the stored rows as JSON, without what every import makes anew.
func (w *warehouse) rows() []string {
	w.t.Helper()
	places := slices.DeleteFunc(slices.Clone(w.shape.All()), func(i int) bool { return i == 2 || i == 3 })
	var out []string
	err := w.store.Query(w.t.Context(), tables.Query{Shape: w.shape, Columns: places, Top: -1,
		Order: []odata.Order{{By: odata.Column{Name: "id", Of: w.shape.Columns[0].Type}}}},
		func(row []odata.Value) error {
			out = append(out, string(w.shape.AppendRow(nil, places, row)))
			return nil
		})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *warehouse) want(what string, rows ...string) {
	w.t.Helper()
	same(w.t, what, w.rows(), rows)
}

// sqlServer is a row as SQL Server's tools write it.
const sqlServer = "\xef\xbb\xbfid,createdAt,updatedAt,version,deleted,text,complete,qty,due\r\n" +
	`A1,2016-09-01 10:11:12.1310000 +00:00,2016-09-02 10:11:12.1310000 +00:00,0x00000000000007D1,0,` +
	`"hello, ""you""",1,12.3400,2024-02-29 23:00:00.0000000 +02:00` + "\r\n"

const sqlServerRow = `{"id":"A1","createdAt":"2016-09-01T10:11:12.131Z","deleted":false,"code":null,"complete":true,` +
	`"due":"2024-02-29T21:00:00.000Z","only":null,"qty":12.34,"text":"hello, \"you\""}`

func wideText(s string, order binary.AppendByteOrder) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

// testImports brings in what the tools of Azure SQL write.
func testImports(t *testing.T, open Opener) {
	w := newWarehouse(t, open, tables.Table{SoftDelete: true})
	null := "NULL"
	empty := ""
	row := func(rest string) string {
		return `{"id":"a","createdAt":"2016-01-01T00:00:00.000Z","deleted":` + rest + `}`
	}
	for _, c := range []struct {
		name, file string
		o          transfer.Options
		want       string
	}{
		{"SQL Server", sqlServer, transfer.Options{}, sqlServerRow},
		{"UTF-16LE", "\xff\xfe" + wideText(sqlServer[3:], binary.LittleEndian), transfer.Options{}, sqlServerRow},
		{"UTF-16BE", "\xfe\xff" + wideText(sqlServer[3:], binary.BigEndian), transfer.Options{}, sqlServerRow},
		{"SSMS", "id,createdAt,deleted,text,complete,qty,due\r\na,2016-01-01,True,NULL,False,NULL,NULL\r\n",
			transfer.Options{Null: &null},
			row(`true,"code":null,"complete":false,"due":null,"only":null,"qty":null,"text":null`)},
		{"a text that says NULL", "id,createdAt,text,code\na,2016-01-01,\"NULL\",NULL\n", transfer.Options{Null: &null},
			row(`false,"code":null,"complete":null,"due":null,"only":null,"qty":null,"text":"NULL"`)},
		{"empty cells", "id,createdAt,text,code\na,2016-01-01,,\"\"\n", transfer.Options{Null: &empty},
			row(`false,"code":"","complete":null,"due":null,"only":null,"qty":null,"text":null`)},
		{"bcp -w", wideText("a\t2016-01-01 00:00:00.0000000 +00:00\t0\t\x00\t1\t.5000\tl1\r\nl2\t\r\n",
			binary.LittleEndian), transfer.Options{Format: transfer.BCP, Encoding: "utf-16le",
			Columns: []string{"id", "createdAt", "deleted", "text", "complete", "qty", "code", "due"}},
			row(`false,"code":"l1\r\nl2","complete":true,"due":null,"only":null,"qty":0.5,"text":""`)},
		{"line ends", "id,createdAt,text\r\na,2016-01-01,\"one\r\ntwo\nthree\r\"\r\n", transfer.Options{},
			row(`false,"code":null,"complete":null,"due":null,"only":null,"qty":null,"text":"one\r\ntwo\nthree\r"`)},
		{"FOR JSON", `[{"id":"a","createdAt":"2016-01-01T00:00:00Z","deleted":false,"text":9223372036854775807,` +
			`"complete":true,"qty":12.3400,"due":"2016-01-01T01:00:00.1234567+01:00"}]`,
			transfer.Options{Format: transfer.JSON},
			row(`false,"code":null,"complete":true,"due":"2016-01-01T00:00:00.123Z","only":null,"qty":12.34,` +
				`"text":"9223372036854775807"`)},
		{"Mobile Services", "id,__createdAt,__version,__deleted\na,2016-01-01,x,1\n", transfer.Options{},
			row(`true,"code":null,"complete":null,"due":null,"only":null,"qty":null,"text":null`)},
		{"GUIDs", "id,createdAt,code\na,2016-01-01,{3F2504E0-4F89-11D3-9A0C-0305E82C3301}\n",
			transfer.Options{GUIDs: []string{"code"}},
			row(`false,"code":"3f2504e0-4f89-11d3-9a0c-0305e82c3301","complete":null,"due":null,"only":null,` +
				`"qty":null,"text":null`)},
		{"semicolons, and what is left out", "id;createdAt;other;qty\na;2016-01-01;x;\"1,234.50\"\n",
			transfer.Options{Separator: ';', Omit: []string{"OTHER"}},
			row(`false,"code":null,"complete":null,"due":null,"only":null,"qty":1234.5,"text":null`)},
		{"1970", "id,createdAt\na,1970-01-01 00:00:00\n", transfer.Options{},
			strings.Replace(row(`false,"code":null,"complete":null,"due":null,"only":null,"qty":null,"text":null`),
				"2016", "1970", 1)},
	} {
		got, err := w.bring(c.file, c.o)
		if err != nil || got.Read != 1 || got.Written != 1 {
			t.Errorf("%s: %+v, %v", c.name, got, err)
			continue
		}
		w.want(c.name, c.want)
		w.undo(got.Batch, transfer.UndoOptions{})
	}
}

// testTombstones: rows that are deleted stay so, however that is written, or are
// refused.
func testTombstones(t *testing.T, open Opener) {
	w := newWarehouse(
		t,
		open,
		tables.Table{SoftDelete: true, Columns: map[string]tables.Column{"text": {Type: "string"}}},
	)
	for _, value := range []string{`1`, `true`, `"1"`, `"True"`} {
		got := w.must(`{"id":"D","createdAt":"2016-01-01","text":"gone","deleted":`+value+`}`,
			transfer.Options{Format: transfer.JSONL})
		w.want(value, `{"id":"D","createdAt":"2016-01-01T00:00:00.000Z","deleted":true,"text":"gone"}`)
		w.undo(got.Batch, transfer.UndoOptions{})
	}
	for _, value := range []string{`0`, `false`, `"0"`, `"False"`, `null`} {
		got := w.must(
			`{"id":"D","createdAt":"2016-01-01","deleted":`+value+`}`,
			transfer.Options{Format: transfer.JSONL},
		)
		w.want(value, `{"id":"D","createdAt":"2016-01-01T00:00:00.000Z","deleted":false,"text":null}`)
		w.undo(got.Batch, transfer.UndoOptions{})
	}
	for _, value := range []string{`2`, `"yes"`, `""`, `{}`, `1.5`} {
		if _, err := w.bring(`{"id":"D","deleted":`+value+`}`, transfer.Options{Format: transfer.JSONL}); err == nil {
			t.Errorf("deleted: %s was taken in", value)
		}
	}
	hard := newWarehouse(t, open, tables.Table{})
	file := "id,deleted\na,0\nb,1\n"
	_, err := hard.bring(file, transfer.Options{})
	wantRow(t, err, 2, "deleted", "skip-deleted")
	if got := hard.must(file, transfer.Options{SkipDeleted: true}); got.Written != 1 || got.Report.LeftOut != 1 {
		t.Errorf("deleted rows left out: %+v", got)
	}
}

// wantRow checks that an error names a row, its column and a word.
func wantRow(t *testing.T, err error, row int, column, word string) {
	t.Helper()
	var wrong *transfer.RowError
	if !errors.As(err, &wrong) || wrong.Row != row || wrong.Column != column || !strings.Contains(err.Error(), word) {
		t.Errorf("the error is %v, want row %d, column %q and %q", err, row, column, word)
	}
}

// testRefusals: what cannot be kept as it is is refused with its row, and nothing
// of that row or after it is there.
func testRefusals(t *testing.T, open Opener) {
	w := newWarehouse(t, open, tables.Table{})
	for _, c := range []struct {
		file   string
		format transfer.Format
		row    int
		column string
		word   string
	}{
		{"id,text\nL1,h\xe9llo\n", transfer.CSV, 1, "text", "byte 13 of the file (0xE9) is not UTF-8"},
		{"id,text\na,b\nL1,NULL\n", transfer.CSV, 2, "text", "--null"},
		{`{"id":"a"}` + "\n" + `{"id":"b","qty":9007199254740993}`, transfer.JSONL, 2, "qty", "round"},
		{"id,only\na,x\nb,y\nc,x\n", transfer.CSV, 3, "only", "exists"},
		{"id,text\na,x\x00\n", transfer.CSV, 1, "text", "U+0000"},
		{`[{"id":"a","text":"x\u0000"}]`, transfer.JSON, 1, "text", "U+0000"},
		{`[{"id":"a","text":"\ud83d"}]`, transfer.JSON, 1, "", "half of a character"},
		{`[{"id":"a","ID":"b"}]`, transfer.JSON, 1, "ID", "twice"},
		{`[{"id":"a","nothing":1}]`, transfer.JSON, 1, "nothing", "--omit"},
	} {
		_, err := w.bring(c.file, transfer.Options{Format: c.format})
		wantRow(t, err, c.row, c.column, c.word)
		w.want(c.file)
	}
	if all, err := w.store.Batches(t.Context()); err != nil || len(all) > 0 {
		t.Errorf("batches that wrote nothing: %v, %v", all, err)
	}
}

// testImportedIDs: ids that count up are kept exactly, and new ones follow.
func testImportedIDs(t *testing.T, open Opener) {
	w := newWarehouse(t, open, tables.Table{ID: "number", Columns: map[string]tables.Column{"text": {Type: "string"}}})
	got := w.must(
		`[{"id":9007199254740993,"text":"big","createdAt":"2016-01-01"},{"text":"new","createdAt":"2016-01-01"}]`,
		transfer.Options{Format: transfer.JSON},
	)
	w.want("ids", `{"id":9007199254740993,"createdAt":"2016-01-01T00:00:00.000Z","text":"big"}`,
		`{"id":9007199254740994,"createdAt":"2016-01-01T00:00:00.000Z","text":"new"}`)
	if got.Report.Made != 1 {
		t.Errorf("%d ids were made", got.Report.Made)
	}
	w.undo(got.Batch, transfer.UndoOptions{})
	w.want("undone")
}

// testDynamicImport: columns that a file brings are made, and rows before them fit.
func testDynamicImport(t *testing.T, open Opener) {
	w := newWarehouse(t, open, tables.Table{DynamicSchema: true})
	w.must(`{"id":"a","createdAt":"2016-01-01","x":1}
		{"id":"b","createdAt":"2016-01-01","x":2.5,"y":"z","n":null}`, transfer.Options{Format: transfer.JSONL})
	w.want("dynamic", `{"id":"a","createdAt":"2016-01-01T00:00:00.000Z","x":1,"y":null}`,
		`{"id":"b","createdAt":"2016-01-01T00:00:00.000Z","x":2.5,"y":"z"}`)
	_, err := w.bring(`{"id":"c","y":{}}`, transfer.Options{Format: transfer.JSONL})
	wantRow(t, err, 1, "y", "object")
	_, err = w.bring(`{"id":"c","big":9007199254740993}`, transfer.Options{Format: transfer.JSONL})
	wantRow(t, err, 1, "", "round")
	if w.shape.Find("big") >= 0 {
		t.Error("a column was made for a value that it cannot hold")
	}
}

// breaking is a file that cannot be read to its end.
type breaking struct {
	r    io.Reader
	left int
}

var errBroken = errors.New("the disk is gone")

func (b *breaking) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, errBroken
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// testResume breaks an import in the middle: the same one goes on after what was
// written, one of another file does not.
func testResume(t *testing.T, open Opener) {
	w := newWarehouse(t, open, tables.Table{Columns: map[string]tables.Column{"text": {Type: "string"}}})
	var file strings.Builder
	file.WriteString("text\n") // without ids: rows that came twice would be seen
	for i := range 10700 {
		fmt.Fprintf(&file, "row %d\n", i+1)
	}
	o := transfer.Options{File: "/x/rows.csv", Now: func() time.Time { return time.UnixMilli(1e12) }}
	first, err := w.from(&breaking{strings.NewReader(file.String()), len(file.String()) - 2000}, o)
	if !errors.Is(err, errBroken) || first.Batch != "rows.csv" || first.Written == 0 || first.Written%1000 != 0 {
		t.Fatalf("%+v, %v", first, err)
	}
	if _, err := w.bring("text\nother\n"+file.String(), o); err == nil ||
		!strings.Contains(err.Error(), "another file") {
		t.Errorf("another file: %v", err)
	}
	if _, err := w.bring("text\nrow 1\n", o); err == nil || !strings.Contains(err.Error(), "another file") {
		t.Errorf("a shorter file: %v", err)
	}
	skipping := o
	skipping.SkipDeleted = true
	if _, err := w.bring(file.String(), skipping); err == nil || !strings.Contains(err.Error(), "with other options") {
		t.Errorf("other options: %v", err)
	}
	second := w.must(file.String(), o)
	if second.Before != first.Written || second.Written != 10700-first.Written || second.Batch != "rows.csv" {
		t.Errorf("%+v after %+v", second, first)
	}
	n, err := w.store.Count(t.Context(), tables.Query{Shape: w.shape})
	if err != nil || n != 10700 {
		t.Errorf("%d rows, %v", n, err)
	}
	if third := w.must(file.String(), o); third.Batch != "rows.csv.2" {
		t.Errorf("a file of a name that is complete: %+v", third)
	}
	o.Batch = "rows.csv"
	if _, err := w.bring(file.String(), o); err == nil || !strings.Contains(err.Error(), "complete") {
		t.Errorf("a batch that is complete: %v", err)
	}
	if got := w.undo("rows.csv", transfer.UndoOptions{}); got.Removed != 10700 {
		t.Errorf("undone: %+v", got)
	}
}

// testUndoBroken takes back an import that was broken off, but for a row that was
// changed since: the file brought in again comes as a whole.
func testUndoBroken(t *testing.T, open Opener) {
	w := newWarehouse(t, open, tables.Table{Columns: map[string]tables.Column{"text": {Type: "string"}}})
	var file strings.Builder
	file.WriteString("id,text\n")
	for i := range 5700 {
		fmt.Fprintf(&file, "r%d,row\n", i)
	}
	o := transfer.Options{File: "rows.csv"}
	first, err := w.from(&breaking{strings.NewReader(file.String()), file.Len() - 2000}, o)
	if !errors.Is(err, errBroken) || first.Written == 0 {
		t.Fatalf("%+v, %v", first, err)
	}
	changed := tables.Write{Op: tables.OpMerge, Shape: w.shape, ID: odata.StringOf("r7"), Version: 1 << 40}
	if _, err := w.store.Write(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	if got := w.undo("rows.csv", transfer.UndoOptions{}); got.Removed != first.Written-1 || len(got.Altered) != 1 {
		t.Errorf("undone: %+v", got)
	}
	again := w.must(file.String(), o)
	if again.Batch != "rows.csv.2" || again.Before != 0 || again.Written != 5699 {
		t.Errorf("brought in again: %+v", again)
	}
	if n, err := w.store.Count(t.Context(), tables.Query{Shape: w.shape}); err != nil || n != 5700 {
		t.Errorf("%d rows, %v", n, err)
	}
}
