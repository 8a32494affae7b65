package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cordon-sec/cordon/backend/store/copystore"
)

func newCopyStoreCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "copy-store FROM TO",
		Short: "Copy everything from one database into another, empty one",
		Long: `Copy-store copies all tables, users, sessions and keys from one database into
another that is empty: from sqlite:PATH to postgres://…, or the other way round.
Ids, versions and dates stay as they are, so clients go on as if nothing had
happened. Stop the server first; afterwards change "database" in cordon.yaml.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := existing(args[0]); err != nil {
				return err
			}
			from, err := openDatabase(cmd, args[0])
			if err != nil {
				return err
			}
			defer from.Close()
			to, err := openDatabase(cmd, args[1])
			if err != nil {
				return err
			}
			defer to.Close()
			bar := newProgress(cmd.ErrOrStderr())
			rows := map[string]int{}
			err = copystore.Copy(cmd.Context(), from, to, func(table string, n int) {
				rows[table] = n
				bar.show("%s: %d rows", table, n)
			})
			bar.end()
			if errors.Is(err, copystore.ErrNotEmpty) {
				return err // the wrong database is named: the machine has not failed
			}
			if err != nil {
				return environment(err)
			}
			total := 0
			for _, n := range rows {
				total += n
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "copied %d rows of %d tables\n", total, len(rows))
			return err
		},
	}
}
