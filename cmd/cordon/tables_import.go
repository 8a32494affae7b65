package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/transfer"
	"github.com/cordon-sec/cordon/internal/output"
	"github.com/cordon-sec/cordon/internal/wording"
)

// importFlags are those of cordon tables import.
type importFlags struct {
	config, format, report string
	null, separator        string
	cellEnd, rowEnd        string
	dry                    bool
	transfer.Options
}

func newTablesImportCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import TABLE FILE",
		Short: "Take rows into a table from JSON, JSON lines, CSV or bcp",
		Long: `Import reads rows from a file, or from standard input for "-", and writes them
to a table. Ids and createdAt are kept; updatedAt and version are new, so clients
pull what was imported. Rows whose id is there already are left alone, unless
--replace is given. The server may run.

What comes in is a batch, named after the file or by --batch: "cordon tables undo"
takes it back. The first row that does not fit ends the import; rows before it stay,
and the same command goes on after them, as it does after a break.

With --dry-run nothing is written: all of the file is read, and the report says for
each column what would be changed to fit and what would be refused, with lines.

Files are as "cordon tables export" writes them, or as the tools of Azure SQL do:
dates as datetimeoffset, datetime2, datetime or date (without an offset: UTC), bits
as 0, 1, true or false, numbers and money with a decimal point, text in UTF-8, or in
UTF-16 with a byte order mark. A value that a column cannot hold as it is, such as
an integer beyond what a number holds exactly, is refused, never rounded.

In CSV, null is an empty cell, and \N in a column of text. SSMS writes NULL: say
--null NULL, and that word without quotes is null everywhere. A text that says NULL
looks the same in such a file; take another word in the query, or write JSON.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.complete(cmd, args[1]); err != nil {
				return err
			}
			r, done, err := openInput(cmd, args[1])
			if err != nil {
				return err
			}
			defer done()
			if f.dry {
				return f.check(cmd, args[0], r)
			}
			return f.run(cmd, args[0], r)
		},
	}
	f.declare(cmd)
	return cmd
}

func (f *importFlags) declare(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&f.config, "config", "c", "cordon.yaml", "the configuration")
	flags.StringVar(&f.format, "format", "", "json, jsonl, csv or bcp; default by the file's name, else json")
	flags.BoolVar(&f.Replace, "replace", false, "overwrite rows whose id is there already")
	flags.BoolVar(&f.dry, "dry-run", false, "write nothing, and report what would come of the file")
	flags.StringVar(&f.report, "report", "text", "the form of the report of --dry-run: text or json")
	flags.StringVar(&f.Batch, "batch", "", "the batch's name; default the file's")
	flags.StringVar(&f.null, "null", "", `the word that stands for null in CSV, such as NULL, or "" for an empty cell`)
	flags.StringVar(&f.separator, "separator", ",", `what separates the cells of CSV, such as ";" or "\t"`)
	flags.StringVar(
		&f.Encoding,
		"encoding",
		"",
		"utf-8, utf-16le or utf-16be; default by the byte order mark, else utf-8",
	)
	flags.StringSliceVar(&f.Columns, "columns", nil, "the names of the columns, where the file has none")
	flags.StringVar(&f.cellEnd, "cell-end", "", `what ends a cell of bcp, as its -t; default \t`)
	flags.StringVar(&f.rowEnd, "row-end", "", `what ends a row of bcp, as its -r; default \n`)
	flags.StringSliceVar(&f.Omit, "omit", nil, "leave these columns of the file out")
	flags.StringSliceVar(&f.GUIDs, "guid", nil, "these columns hold GUIDs: write them in lower case, without braces")
	flags.BoolVar(&f.SkipDeleted, "skip-deleted", false, "leave deleted rows out")
}

// complete makes options of the flags.
func (f *importFlags) complete(cmd *cobra.Command, file string) (err error) {
	if err := output.CheckFormat(f.report, "text", "json"); err != nil {
		return errors.New(strings.Replace(err.Error(), "--format", "--report", 1))
	}
	f.Format, f.File = formatOf(f.format, file), file
	if cmd.Flags().Changed("null") {
		f.Null = &f.null
	}
	if cmd.Flags().Changed("separator") {
		text, err := transfer.Terminator(f.separator)
		if err != nil || len(text) != 1 {
			return fmt.Errorf(`--separator %q: it must be one character of ASCII, or \t`, f.separator)
		}
		f.Separator = text[0]
	}
	for _, end := range []struct {
		flag, text string
		into       *string
	}{{"cell-end", f.cellEnd, &f.CellEnd}, {"row-end", f.rowEnd, &f.RowEnd}} {
		if !cmd.Flags().Changed(end.flag) {
			continue
		}
		if *end.into, err = transfer.Terminator(end.text); err != nil {
			return fmt.Errorf("--%s: %w", end.flag, err)
		}
	}
	return nil
}

// openInput opens a file, or standard input for "-".
func openInput(cmd *cobra.Command, name string) (io.Reader, func(), error) {
	if name == "-" {
		return cmd.InOrStdin(), func() {}, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, nil, wording.FileError(name, err)
	}
	return file, func() { _ = file.Close() }, nil // it was only read
}

func (f *importFlags) run(cmd *cobra.Command, name string, r io.Reader) error {
	store, shape, table, err := openTable(cmd, f.config, name)
	if err != nil {
		return err
	}
	defer store.Close()
	bar := newProgress(cmd.ErrOrStderr())
	f.Progress = bar.rows
	result, err := transfer.Import(cmd.Context(), store, table, shape, r, f.Options)
	bar.end()
	out := cmd.OutOrStdout()
	if result.Before > 0 {
		fmt.Fprintf(out, "%s of the file were dealt with before: the batch goes on\n",
			wording.Count(result.Before, "row", "rows"))
	}
	fmt.Fprintf(out, "%d rows read, %d written\n", result.Read, result.Written)
	if result.Batch != "" {
		fmt.Fprintf(out, "batch %s: take it back with cordon tables undo %[1]s\n", result.Batch)
	}
	if result.Report != nil {
		changes(cmd.ErrOrStderr(), result.Report)
	}
	return brokenOff(err)
}

// check reports what would come of the file.
func (f *importFlags) check(cmd *cobra.Command, name string, r io.Reader) error {
	store, shape, table, err := lookAtTable(cmd, f.config, name)
	if err != nil {
		return err
	}
	var there tables.Store
	if store != nil {
		defer store.Close()
		there = store
	}
	bar := newProgress(cmd.ErrOrStderr())
	f.Progress = bar.rows
	report, broken := transfer.Check(cmd.Context(), there, table, shape, r, f.Options)
	bar.end()
	if report == nil {
		return broken
	}
	if f.report == "json" {
		err = output.JSON(cmd.OutOrStdout(), 1, reportJSON(f.File, name, report, broken))
	} else {
		err = writeReport(cmd.OutOrStdout(), name, report, broken)
	}
	switch {
	case err != nil:
		return environment(err)
	case broken != nil:
		return broken
	case !report.Fits():
		return found()
	}
	return nil
}

// lookAtTable opens the database to look at a table, without making it; there is
// no store where there is no database yet, or no such table in it.
func lookAtTable(cmd *cobra.Command, config, name string) (database, *tables.Shape, tables.Table, error) {
	s, dsn, err := configuredDatabase(config)
	if err != nil {
		return nil, nil, tables.Table{}, err
	}
	shape, table, err := s.Tables.Look(cmd.Context(), nil, name)
	if err != nil || existing(dsn) != nil {
		return nil, shape, table, err
	}
	store, err := openToLook(cmd, dsn)
	if err != nil {
		return nil, nil, table, err
	}
	there, err := isStored(cmd.Context(), store, shape)
	if err == nil && there {
		if shape, table, err = s.Tables.Look(cmd.Context(), store, name); err == nil {
			return store, shape, table, nil
		}
	}
	return nil, shape, table, errors.Join(err, store.Close())
}

// isStored reports whether the database has a table already.
func isStored(ctx context.Context, store database, shape *tables.Shape) (bool, error) {
	all, err := store.Catalog(ctx)
	return slices.ContainsFunc(all, func(d tables.Definition) bool { return d.Name == shape.Table }), err
}

// brokenOff says how to go on after what a person has broken off.
func brokenOff(err error) error {
	if errors.Is(err, context.Canceled) {
		return environment(errors.New("interrupted: what was done stays, and the same command goes on from there"))
	}
	return err
}
