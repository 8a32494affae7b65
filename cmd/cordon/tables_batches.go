package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cordon-sec/cordon/backend/tables/odata"
	"github.com/cordon-sec/cordon/backend/tables/transfer"
	"github.com/cordon-sec/cordon/internal/output"
	"github.com/cordon-sec/cordon/internal/wording"
)

// The forms of batches as JSON.
type (
	batchJSON struct {
		Name    string  `json:"name"`
		Table   string  `json:"table"`
		File    string  `json:"file"`
		Began   string  `json:"began"`
		Ended   *string `json:"ended"`
		Read    int64   `json:"rows_read"`
		Written int64   `json:"rows_written"`
		Kept    int64   `json:"rows_to_undo"`
	}
	undoneJSON struct {
		Batch    string   `json:"batch"`
		DryRun   bool     `json:"dry_run"`
		Removed  int      `json:"removed"`
		Restored int      `json:"restored"`
		Gone     int      `json:"gone"`
		Left     []string `json:"left"`
		Unfit    []string `json:"unfit"`
	}
)

func newTablesBatchesCommand() *cobra.Command {
	var config, format, forget string
	cmd := &cobra.Command{
		Use:   "batches",
		Short: "List what was imported, or forget an import",
		Long: `Batches lists the imports that "cordon tables undo" can take back. One without an
end was broken off: the same import goes on with it.

For each row of a batch the database keeps a record. --forget removes those of a
batch; its rows stay, and it cannot be taken back any more.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := output.CheckFormat(format, "text", "json"); err != nil {
				return err
			}
			store, err := openBatches(cmd, config, false)
			if err != nil {
				return err
			}
			defer store.Close()
			if forget != "" {
				return forgetBatch(cmd, store, forget)
			}
			all, err := store.Batches(cmd.Context())
			if err != nil {
				return environment(err)
			}
			return environmentIf(writeBatches(cmd.OutOrStdout(), all, format))
		},
	}
	cmd.Flags().StringVarP(&config, "config", "c", "cordon.yaml", "the configuration")
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	cmd.Flags().StringVar(&forget, "forget", "", "forget this batch and keep its rows")
	return cmd
}

func openBatches(cmd *cobra.Command, config string, dry bool) (database, error) {
	dsn, err := databaseArgument(config, nil)
	if err != nil {
		return nil, err
	}
	if err := existing(dsn); err != nil {
		return nil, err
	}
	if dry {
		return openToLook(cmd, dsn)
	}
	return openDatabase(cmd, dsn)
}

func forgetBatch(cmd *cobra.Command, store database, name string) error {
	if _, err := transfer.FindBatch(cmd.Context(), store, name); err != nil {
		return err
	}
	if err := store.ForgetBatch(cmd.Context(), name, false); err != nil {
		return environment(err)
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is forgotten; its rows stay\n", name)
	return err
}

func writeBatches(out io.Writer, all []transfer.Batch, format string) error {
	if format == "json" {
		list := []batchJSON{}
		for _, b := range all {
			j := batchJSON{b.Name, b.Table, b.File, b.Began.Format(time.RFC3339), nil, b.Read, b.Written, b.Kept}
			if !b.Ended.IsZero() {
				ended := b.Ended.Format(time.RFC3339)
				j.Ended = &ended
			}
			list = append(list, j)
		}
		return output.JSON(out, 1, map[string]any{"batches": list})
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(out, "there are no batches")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "batch\ttable\trows\tbegan\tended")
	for _, b := range all {
		ended := "broken off after row " + fmt.Sprint(b.Read)
		if !b.Ended.IsZero() {
			ended = b.Ended.Format(time.DateTime)
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", b.Name, b.Table, b.Kept, b.Began.Format(time.DateTime), ended)
	}
	return w.Flush()
}

func newTablesUndoCommand() *cobra.Command {
	var config, format string
	var o transfer.UndoOptions
	cmd := &cobra.Command{
		Use:   "undo BATCH",
		Short: "Take back the rows of an import",
		Long: `Undo removes the rows that an import has brought in, as long as they are as they
were brought in, and restores those that it has replaced (--replace). Rows that have
been changed or deleted since are left and listed, and the exit status is 1; --force
takes them back too. The server may run; what is broken off goes on with the same
command.

Clients that sync keep rows that were removed, if they have pulled them meanwhile:
nothing tells them. In a table with soft_delete, --mark marks the rows as deleted
instead.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := output.CheckFormat(format, "text", "json"); err != nil {
				return err
			}
			store, err := openBatches(cmd, config, o.Dry)
			if err != nil {
				return err
			}
			defer store.Close()
			return undo(cmd, store, config, args[0], format, o)
		},
	}
	cmd.Flags().StringVarP(&config, "config", "c", "cordon.yaml", "the configuration")
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	cmd.Flags().BoolVar(&o.Dry, "dry-run", false, "change nothing, and say what would be done")
	cmd.Flags().BoolVar(&o.Force, "force", false, "take back rows that have been changed since, too")
	cmd.Flags().BoolVar(&o.Mark, "mark", false, "mark the rows as deleted instead of removing them")
	return cmd
}

func undo(cmd *cobra.Command, store database, config, name, format string, o transfer.UndoOptions) error {
	batch, err := transfer.FindBatch(cmd.Context(), store, name)
	if err != nil {
		return err
	}
	s, err := loadSettings(config)
	if err != nil {
		return err
	}
	table := s.Tables.Stored(batch.Table)
	if table == "" {
		return fmt.Errorf("the batch %s is of the table %s, which the configuration does not have", name, batch.Table)
	}
	open := s.Tables.Open
	if o.Dry {
		open = s.Tables.Look
	}
	shape, _, err := open(cmd.Context(), store, table)
	if err != nil {
		return err
	}
	if o.Mark && !shape.SoftDelete {
		return fmt.Errorf("--mark is for tables with soft_delete, and %s has none", table)
	}
	bar := newProgress(cmd.ErrOrStderr())
	o.Progress = bar.rows
	done, err := transfer.Undo(cmd.Context(), store, shape, batch, o)
	bar.end()
	err = brokenOff(err)
	if err = errors.Join(err, writeUndone(cmd.OutOrStdout(), done, format, o.Dry)); err != nil {
		return environment(err)
	}
	if len(done.Altered)+len(done.Unfit) > 0 {
		return found()
	}
	return nil
}

// maxLeft is how many rows that were left are listed as text.
const maxLeft = 20

func writeUndone(out io.Writer, u transfer.Undone, format string, dry bool) error {
	if format == "json" {
		plain := func(ids []odata.Value) []string {
			list := []string{}
			for _, id := range ids {
				list = append(list, id.Plain())
			}
			return list
		}
		return output.JSON(out, 1, undoneJSON{u.Batch.Name, dry, u.Removed, u.Restored, u.Gone, plain(u.Altered),
			plain(u.Unfit)})
	}
	verb := "removed"
	if dry {
		verb = "would be removed"
	}
	fmt.Fprintf(out, "%s: %s %s, %d restored, %d not there any more, %d left\n", u.Batch.Name,
		wording.Count(u.Removed, "row", "rows"), verb, u.Restored, u.Gone, len(u.Altered)+len(u.Unfit))
	listLeft(out, "changed since", u.Altered)
	listLeft(out, "what they replaced does not fit the table any more", u.Unfit)
	if len(u.Altered) > 0 {
		_, err := fmt.Fprintln(out, "--force takes back those that were changed, too")
		return err
	}
	return nil
}

// listLeft lists rows that were left.
func listLeft(out io.Writer, why string, ids []odata.Value) {
	for i, id := range ids {
		if i == maxLeft {
			fmt.Fprintf(out, "  and %d more; --format json lists all\n", len(ids)-maxLeft)
			return
		}
		fmt.Fprintf(out, "  %s: %s\n", why, wording.Printable(id.Plain()))
	}
}
