// Command imports measures how long cordon tables import takes for a table as Azure
// SQL's tools write it, and how long it takes to look at the file and to undo it.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cordon-sec/cordon/backend/store/postgres"
	"github.com/cordon-sec/cordon/backend/store/sqlite"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/transfer"
)

func main() {
	rows := flag.Int("rows", 1_000_000, "how many rows the file has")
	url := flag.String("postgres", "", "the URL of an empty PostgreSQL database, instead of SQLite")
	bound := flag.Duration("bound", 0, "fail if the import takes longer")
	flag.Parse()
	if err := run(*rows, *url, *bound); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(rows int, url string, bound time.Duration) error {
	dir, err := os.MkdirTemp("", "cordon-imports-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "todoitem.csv")
	if err := write(file, rows); err != nil {
		return err
	}
	ctx := context.Background()
	store, done, err := open(ctx, dir, url)
	if err != nil {
		return err
	}
	defer done()
	config := tables.Config{"todoitem": {SoftDelete: true, Columns: map[string]tables.Column{
		"text": {Type: "string"}, "complete": {Type: "boolean"}, "qty": {Type: "number"}, "due": {Type: "date"}}}}
	shape, table, err := config.Open(ctx, store, "todoitem")
	if err != nil {
		return err
	}
	null := "NULL"
	o := transfer.Options{Format: transfer.CSV, File: file, Null: &null}
	measure := func(what string, f func(io.Reader) error) (time.Duration, error) {
		in, err := os.Open(file)
		if err != nil {
			return 0, err
		}
		defer in.Close()
		began := time.Now()
		err = f(in)
		took := time.Since(began)
		fmt.Printf("%-8s %d rows in %.1f s, %.0f rows a second\n", what, rows, took.Seconds(),
			float64(rows)/took.Seconds())
		return took, err
	}
	if _, err := measure("dry run", func(in io.Reader) error {
		_, err := transfer.Check(ctx, nil, table, shape, in, o)
		return err
	}); err != nil {
		return err
	}
	took, err := measure("import", func(in io.Reader) error {
		got, err := transfer.Import(ctx, store, table, shape, in, o)
		if err == nil && got.Written != rows {
			err = fmt.Errorf("%d rows were written", got.Written)
		}
		return err
	})
	if err != nil {
		return err
	}
	if bound > 0 && took > bound {
		return fmt.Errorf("the import must take at most %s", bound)
	}
	_, err = measure("undo", func(io.Reader) error {
		b, err := transfer.FindBatch(ctx, store, "todoitem.csv")
		if err != nil {
			return err
		}
		got, err := transfer.Undo(ctx, store, shape, b, transfer.UndoOptions{})
		if err == nil && got.Removed != rows {
			err = fmt.Errorf("%d rows were removed", got.Removed)
		}
		return err
	})
	var used syscall.Rusage
	if e := syscall.Getrusage(syscall.RUSAGE_SELF, &used); e == nil {
		fmt.Printf("at most %d MiB of memory\n", used.Maxrss>>10)
	}
	return err
}

func open(ctx context.Context, dir, url string) (transfer.Store, func(), error) {
	if url != "" {
		s, err := postgres.Open(ctx, postgres.Options{URL: url})
		if err != nil {
			return nil, nil, err
		}
		return s, func() { _ = s.Close() }, nil
	}
	s, err := sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(dir, "data.db")})
	if err != nil {
		return nil, nil, err
	}
	return s, func() { _ = s.Close() }, nil
}

// write makes a file as SSMS saves it.
func write(file string, rows int) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	fmt.Fprint(w, "\ufeffid,createdAt,updatedAt,version,deleted,text,complete,qty,due\r\n")
	base := time.Date(2016, 9, 1, 10, 11, 12, 0, time.UTC)
	const layout = "2006-01-02 15:04:05.0000000 -07:00"
	for i := range rows {
		at := base.Add(time.Duration(i) * time.Second)
		due := "NULL"
		if i%3 > 0 {
			due = at.AddDate(0, 1, 0).Format(layout)
		}
		fmt.Fprintf(w, "%08x-4f89-11d3-9a0c-%012x,%s,%s,0x%016X,%d,\"row %d, \"\"quoted\"\"\",%d,%d.%04d,%s\r\n",
			uint32(i)*2654435761, i, at.Format(layout), at.Format(layout), i, map[bool]int{true: 1}[i%50 == 0], i, i%2,
			i%1000, i%10000, due)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
