package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/cordon-sec/cordon/backend/tables"
)

func newTablesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tables",
		Short: "Take rows in and out of the backend's tables",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newTablesExportCommand(), newTablesImportCommand())
	return cmd
}

func newTablesExportCommand() *cobra.Command {
	var config, format, out string
	cmd := &cobra.Command{
		Use:   "export TABLE",
		Short: "Write all rows of a table as JSON, JSON lines or CSV",
		Long: `Export writes all rows of a table, deleted ones too, to standard output or a
file. In CSV a null is an empty cell, and \N in a column of text.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, shape, _, err := openTable(cmd, config, args[0])
			if err != nil {
				return err
			}
			defer store.Close()
			w := cmd.OutOrStdout()
			if out != "" {
				file, err := os.OpenFile(out, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
				if err != nil {
					return environment(err)
				}
				defer file.Close()
				w = file
			}
			bar := newProgress(cmd.ErrOrStderr())
			rows := 0
			err = tables.Export(cmd.Context(), store, shape, formatOf(format, out), w, func(n int) {
				rows = n
				bar.show("%d rows", n)
			})
			bar.end()
			if err == nil && out != "" {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d rows written to %s\n", rows, out)
			}
			return err
		},
	}
	cmd.Flags().StringVarP(&config, "config", "c", "cordon.yaml", "the configuration")
	cmd.Flags().StringVar(&format, "format", "", "json, jsonl or csv; default by the file's name, else json")
	cmd.Flags().StringVarP(&out, "output", "o", "", "write to this file")
	return cmd
}

func newTablesImportCommand() *cobra.Command {
	var config, format string
	var replace bool
	cmd := &cobra.Command{
		Use:   "import TABLE FILE",
		Short: "Take rows into a table from JSON, JSON lines or CSV",
		Long: `Import reads rows from a file, or from standard input for "-", and writes them
to a table. Ids and createdAt are kept; updatedAt and version are new, so clients
pull what was imported. Rows whose id is there already are left alone, unless
--replace is given. The server may run.

The first row that does not fit ends the import; rows before it stay, and the
same command can be given again.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			r := cmd.InOrStdin()
			if args[1] != "-" {
				file, err := os.Open(args[1])
				if err != nil {
					return err
				}
				defer file.Close()
				r = file
			}
			store, shape, table, err := openTable(cmd, config, args[0])
			if err != nil {
				return err
			}
			defer store.Close()
			bar := newProgress(cmd.ErrOrStderr())
			read, written, err := tables.Import(cmd.Context(), store, table, shape, formatOf(format, args[1]), r,
				tables.ImportOptions{Replace: replace, Progress: func(n int) { bar.show("%d rows", n) }})
			bar.end()
			fmt.Fprintf(cmd.OutOrStdout(), "%d rows read, %d written\n", read, written)
			return err
		},
	}
	cmd.Flags().StringVarP(&config, "config", "c", "cordon.yaml", "the configuration")
	cmd.Flags().StringVar(&format, "format", "", "json, jsonl or csv; default by the file's name, else json")
	cmd.Flags().BoolVar(&replace, "replace", false, "overwrite rows whose id is there already")
	return cmd
}

// openTable opens the configuration's database and one table of it.
func openTable(cmd *cobra.Command, config, name string) (database, *tables.Shape, tables.Table, error) {
	s, err := loadSettings(config)
	if err != nil {
		return nil, nil, tables.Table{}, err
	}
	dsn, err := databaseArgument(config, nil)
	if err != nil {
		return nil, nil, tables.Table{}, err
	}
	store, err := openDatabase(cmd, dsn)
	if err != nil {
		return nil, nil, tables.Table{}, err
	}
	shape, table, err := s.Tables.Open(cmd.Context(), store, name)
	if err != nil {
		return nil, nil, table, errors.Join(err, store.Close())
	}
	return store, shape, table, nil
}

// formatOf is the format that was asked for, or the one of a file's name.
func formatOf(format, file string) tables.Format {
	if format != "" {
		return tables.Format(format)
	}
	switch ext := strings.ToLower(filepath.Ext(file)); ext {
	case ".csv", ".jsonl":
		return tables.Format(ext[1:])
	case ".ndjson":
		return tables.JSONL
	}
	return tables.JSON
}

// progress shows on a terminal how far something is, in one line that it writes
// over and over. Elsewhere it is silent.
type progress struct {
	w    io.Writer
	next time.Time
	used bool
}

func newProgress(w io.Writer) *progress {
	f, ok := w.(interface {
		Fd() uintptr
		Stat() (fs.FileInfo, error)
	})
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return &progress{}
	}
	return &progress{w: w}
}

// show replaces the line, at most ten times a second.
func (p *progress) show(format string, args ...any) {
	if now := time.Now(); p.w != nil && now.After(p.next) {
		fmt.Fprintf(p.w, "\r\x1b[K"+format, args...)
		p.next, p.used = now.Add(100*time.Millisecond), true
	}
}

// end removes the line.
func (p *progress) end() {
	if p.used {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
