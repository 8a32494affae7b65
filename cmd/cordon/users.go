package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
	"github.com/cordon-sec/cordon/internal/output"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/settings"
)

func newUsersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "users",
		Short: "Look after the people who have signed in",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newUsersMergeCommand(), newUsersDuplicatesCommand())
	return cmd
}

// usersOptions are the flags of the commands on users.
type usersOptions struct {
	config, format string
	columns        []string
	dryRun, both   bool
}

func (o *usersOptions) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.config, "config", "c", "cordon.yaml", "the configuration")
	cmd.Flags().StringVar(&o.format, "format", "text", "text or json")
	cmd.Flags().StringArrayVar(&o.columns, "column", nil,
		"a further `TABLE.COLUMN` with user ids, besides the user columns of per_user tables")
}

func newUsersMergeCommand() *cobra.Command {
	var o usersOptions
	cmd := &cobra.Command{
		Use:   "merge FROM TO",
		Short: "Make two user ids one person",
		Long: `Merge gives what belongs to the user id FROM to the user id TO, in one transaction:
the rows of per_user tables (and of each --column), the sessions, and the orders to
refuse tokens. The rows get a new version, so clients pull them. FROM stays as
another name of TO: whoever signs in as FROM is TO from then on, and the tokens that
are out there go on.

If both have rows, nothing is done and the rows of both are listed: look at them, and
say --both if they may be put together. There is no way back.

The server may run. It may know FROM for another minute: give the same command again
then, and it moves what was written meanwhile.`,
		Example: "  cordon users merge --dry-run sid:0f3c… sid:9a41…",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := output.CheckFormat(o.format, "text", "json"); err != nil {
				return err
			}
			store, columns, err := o.open(cmd)
			if err != nil {
				return err
			}
			defer store.Close()
			made, err := o.merge(cmd.Context(), store, columns, args[0], args[1])
			conflict := errors.Is(err, auth.ErrBothHaveRows)
			if err != nil && !conflict {
				return err
			}
			if err := made.show(cmd.OutOrStdout(), o.format); err != nil {
				return err
			}
			if conflict {
				return found()
			}
			return nil
		},
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "only say what would be done")
	cmd.Flags().BoolVar(&o.both, "both", false, "also if both have rows")
	return cmd
}

func newUsersDuplicatesCommand() *cobra.Command {
	o := usersOptions{dryRun: true}
	cmd := &cobra.Command{
		Use:   "duplicates",
		Short: "List user ids that are one person",
		Long: `Duplicates lists pairs of user ids that are one person for certain, and what a merge
of the two would do: people whom Google's tokens named in two ways. It changes
nothing. A pair in which both have rows is a conflict for you to decide.

The exit status is 1 if there are any.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := output.CheckFormat(o.format, "text", "json"); err != nil {
				return err
			}
			store, columns, err := o.open(cmd)
			if err != nil {
				return err
			}
			defer store.Close()
			return o.duplicates(cmd, store, columns)
		},
	}
	o.flags(cmd)
	return cmd
}

// userStore is a database with its users.
type userStore interface {
	database
	auth.Merger
}

// open opens the configuration's database and says where rows name users.
func (o *usersOptions) open(cmd *cobra.Command) (userStore, []auth.UserColumn, error) {
	s, dsn, err := configuredDatabase(o.config)
	if err != nil {
		return nil, nil, err
	}
	if err := existing(dsn); err != nil {
		return nil, nil, err
	}
	open := openDatabase
	if o.dryRun {
		open = openToLook
	}
	opened, err := open(cmd, dsn)
	if err != nil {
		return nil, nil, err
	}
	store, ok := opened.(userStore)
	if !ok { // both databases are
		return nil, nil, errors.Join(errors.New("this database cannot merge users"), opened.Close())
	}
	columns, err := o.userColumns(cmd.Context(), s, store)
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return store, columns, nil
}

// userColumns lists the columns with user ids: those of per_user tables, and those
// that were named.
func (o *usersOptions) userColumns(ctx context.Context, s *settings.Settings, store userStore) ([]auth.UserColumn,
	error) {
	wanted := map[string][]string{}
	for name, t := range s.Tables {
		if t.PerUser {
			column := t.UserColumn
			if column == "" {
				column = "userId"
			}
			wanted[name] = append(wanted[name], column)
		}
	}
	for _, text := range o.columns {
		table, column, ok := strings.Cut(text, ".")
		if !ok {
			return nil, fmt.Errorf("--column %q: it must be TABLE.COLUMN", text)
		}
		wanted[table] = append(wanted[table], column)
	}
	var all []auth.UserColumn
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		shape, _, err := s.Tables.Look(ctx, nil, name)
		if err != nil {
			return nil, err
		}
		there, err := isStored(ctx, store, shape)
		if err != nil {
			return nil, err
		}
		if there {
			if shape, _, err = s.Tables.Look(ctx, store, name); err != nil {
				return nil, err
			}
		}
		for _, column := range wanted[name] {
			c, err := userColumn(shape, name, column)
			if err != nil {
				return nil, err
			}
			if there && !slices.Contains(all, c) { // else nobody has rows in it
				all = append(all, c)
			}
		}
	}
	return all, nil
}

// userColumn finds a column of texts that is not one of the system's.
func userColumn(shape *tables.Shape, table, column string) (auth.UserColumn, error) {
	i := shape.Find(column)
	if i < shape.System() || shape.Columns[i].Type != odata.String {
		return auth.UserColumn{}, fmt.Errorf("table %s has no column %s of text", table, column)
	}
	return auth.UserColumn{Table: shape.Table, Column: shape.Columns[i].Name}, nil
}

// merge merges two users, or says what that would do.
func (o *usersOptions) merge(ctx context.Context, store userStore, columns []auth.UserColumn, from, to string) (
	mergedUsers, error) {
	now := time.Now()
	report, err := store.Merge(ctx, auth.Merge{From: from, To: to, Columns: columns, Both: o.both, DryRun: o.dryRun,
		At: now.UTC().Truncate(time.Millisecond), Version: now.UnixMilli() << 21})
	if errors.Is(err, auth.ErrNotFound) {
		for _, id := range []string{from, to} {
			if _, err := store.User(ctx, id); errors.Is(err, auth.ErrNotFound) {
				return mergedUsers{}, fmt.Errorf("nobody has signed in as %q", id)
			}
		}
	}
	made := mergedUsers{From: from, To: to, DryRun: o.dryRun, Sessions: report.Sessions, Blocked: report.Blocked,
		Conflict: errors.Is(err, auth.ErrBothHaveRows), Rows: []mergedRows{}}
	for _, r := range report.Rows {
		made.Rows = append(made.Rows, mergedRows{Table: r.Table, Column: r.Column, From: r.From, To: r.To})
	}
	return made, err
}

// duplicates lists the pairs.
func (o *usersOptions) duplicates(cmd *cobra.Command, store userStore, columns []auth.UserColumn) error {
	var users []auth.User
	for after := ""; ; {
		page, err := store.Users(cmd.Context(), after, 1000)
		if err != nil {
			return environment(err)
		}
		if len(page) == 0 {
			break
		}
		users, after = append(users, page...), page[len(page)-1].ID
	}
	all := []mergedUsers{}
	for _, pair := range auth.SamePeople(users) {
		made, err := o.merge(cmd.Context(), store, columns, pair[0].ID, pair[1].ID)
		if err != nil && !errors.Is(err, auth.ErrBothHaveRows) {
			return err
		}
		all = append(all, made)
	}
	w := cmd.OutOrStdout()
	if o.format == "json" {
		if err := output.JSON(w, 1, map[string]any{"duplicates": all}); err != nil {
			return err
		}
	} else {
		for _, made := range all {
			if err := made.show(w, o.format); err != nil {
				return err
			}
		}
	}
	if len(all) > 0 {
		return found()
	}
	if o.format == "text" {
		_, err := fmt.Fprintln(w, "no two user ids are one person for certain")
		return err
	}
	return nil
}

// mergedUsers is what became of two users, or would.
type mergedUsers struct {
	From     string       `json:"from"`
	To       string       `json:"to"`
	DryRun   bool         `json:"dry_run"`
	Conflict bool         `json:"conflict"`
	Rows     []mergedRows `json:"rows"`
	Sessions int          `json:"sessions"`
	Blocked  bool         `json:"blocked"`
}

type mergedRows struct {
	Table  string `json:"table"`
	Column string `json:"column"`
	From   int64  `json:"from"`
	To     int64  `json:"to"`
}

func (m mergedUsers) show(w io.Writer, format string) error {
	if format == "json" {
		return output.JSON(w, 1, m)
	}
	word := "merged"
	switch {
	case m.Conflict:
		word = "conflict: both have rows, nothing was done:"
	case m.DryRun:
		word = "would merge"
	}
	fmt.Fprintf(w, "%s %s into %s\n", word, wording.Printable(m.From), wording.Printable(m.To))
	for _, r := range m.Rows {
		fmt.Fprintf(w, "  %s.%s: %s of the first, %d of the second\n", r.Table, r.Column,
			wording.Count(int(r.From), "row", "rows"), r.To)
	}
	fmt.Fprintf(w, "  %s\n", wording.Count(m.Sessions, "session", "sessions"))
	var err error
	if m.Blocked {
		_, err = fmt.Fprintln(w, "  tokens of the first up to a time are refused; that counts for the second, too")
	}
	return err
}
