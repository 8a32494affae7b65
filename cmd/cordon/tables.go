package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/transfer"
	"github.com/cordon-sec/cordon/settings"
)

func newTablesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tables",
		Short: "Take rows in and out of the backend's tables",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(
		newTablesExportCommand(),
		newTablesImportCommand(),
		newTablesBatchesCommand(),
		newTablesUndoCommand(),
	)
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
			err = transfer.Export(cmd.Context(), store, shape, formatOf(format, out), w, func(n int) {
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

// configuredDatabase reads a configuration and where its database is.
func configuredDatabase(config string) (s *settings.Settings, dsn string, err error) {
	if s, err = loadSettings(config); err != nil {
		return nil, "", err
	}
	dsn, err = s.ResolveDatabase()
	return s, dsn, err
}

// openTable opens the configuration's database and one table of it.
func openTable(cmd *cobra.Command, config, name string) (database, *tables.Shape, tables.Table, error) {
	s, dsn, err := configuredDatabase(config)
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
func formatOf(format, file string) transfer.Format {
	if format != "" {
		return transfer.Format(format)
	}
	switch ext := strings.ToLower(filepath.Ext(file)); ext {
	case ".csv", ".jsonl", ".bcp":
		return transfer.Format(ext[1:])
	case ".ndjson":
		return transfer.JSONL
	}
	return transfer.JSON
}
