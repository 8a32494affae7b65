package sqlite

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/cordon-sec/cordon/backend/store/schema"
	"modernc.org/sqlite"
)

// backupPages is how many pages are copied between two looks at the context.
const backupPages = 2000

// Backup copies the database into a new file while it is in use: the file holds
// the state at one moment. Progress, if not nil, is told how many pages of how
// many are done. The file appears under its name only when it is whole.
func (s *Store) Backup(ctx context.Context, file string, progress func(done, total int)) error {
	c, err := connect(s.options, true)
	if err != nil {
		return err
	}
	defer c.close()
	return copyDatabase(ctx, c, file, progress)
}

// BackupFile copies the database of the options, which another process may be
// using, as Store.Backup does.
func BackupFile(ctx context.Context, o Options, file string, progress func(done, total int)) error {
	if _, err := os.Stat(o.Path); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	c, err := connect(o, true)
	if err != nil {
		return err
	}
	defer c.close()
	return copyDatabase(ctx, c, file, progress)
}

// Restore makes a backup the database of the options. The server must not run.
// The backup is checked first; a database that is there already is an error
// unless replace is set, and is then kept beside it with the suffix ".old".
func Restore(ctx context.Context, file string, o Options, replace bool, progress func(done, total int)) error {
	if err := checkBackup(ctx, file); err != nil {
		return err
	}
	_, err := os.Stat(o.Path)
	if err == nil && !replace {
		return fmt.Errorf("sqlite: %s exists", o.Path)
	}
	there := err == nil
	if there {
		if err := idle(o); err != nil {
			return err
		}
	}
	c, err := connect(Options{Path: file}, true)
	if err != nil {
		return err
	}
	defer c.close()
	fresh := o.Path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := copyDatabase(ctx, c, fresh, progress); err != nil {
		return err
	}
	if there {
		if err := os.Rename(o.Path, o.Path+".old"); err != nil {
			return err
		}
	}
	return os.Rename(fresh, o.Path)
}

// idle makes sure that nobody else uses the database and that its file is
// complete by itself.
func idle(o Options) error {
	c, err := connect(o, false)
	if err != nil {
		return err
	}
	defer c.close()
	// Without a log beside it, a database is in exclusive use while it changes
	// its mode: it can do so only if nobody else has it open.
	if err := c.run("PRAGMA busy_timeout=500"); err != nil {
		return err
	}
	mode, err := c.text("PRAGMA journal_mode=DELETE")
	if err != nil || mode != "delete" {
		return errors.Join(errors.New("sqlite: the database is in use: stop the server first"), err)
	}
	return nil
}

// checkBackup looks whether the file is a database of ours and sound.
func checkBackup(ctx context.Context, file string) error {
	if _, err := os.Stat(file); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	c, err := connect(Options{Path: file}, true)
	if err != nil {
		return err
	}
	defer c.close()
	set, err := Migrations()
	if err != nil {
		return err
	}
	found, err := set.Look(ctx, recording{c}, false)
	if errors.Is(err, schema.ErrNewer) {
		return fmt.Errorf("sqlite: %s cannot be restored: %w", file, err)
	}
	if err != nil || len(found.Recorded) == 0 {
		return errors.Join(fmt.Errorf("sqlite: %s does not hold a database of Cordon's", file), err)
	}
	result, err := c.text("PRAGMA integrity_check")
	if err != nil || result != "ok" {
		return errors.Join(fmt.Errorf("sqlite: %s is damaged: %s", file, result), err)
	}
	return nil
}

// copyDatabase copies what c sees into a new file.
func copyDatabase(ctx context.Context, c *conn, file string, progress func(done, total int)) error {
	if _, err := os.Stat(file); err == nil {
		return fmt.Errorf("sqlite: %s exists", file)
	}
	source, ok := c.raw.(interface {
		NewBackup(string) (*sqlite.Backup, error)
	})
	if !ok {
		return errors.New("sqlite: the driver makes no backups")
	}
	part := file + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	// A read transaction holds one state of the database for all steps.
	if err := c.run("BEGIN"); err != nil {
		return err
	}
	defer func() { _ = c.run("ROLLBACK") }()
	if _, err := c.number("SELECT count(*) FROM sqlite_master"); err != nil {
		return err
	}
	b, err := source.NewBackup("file:" + (&url.URL{Path: part}).EscapedPath())
	if err != nil {
		return fmt.Errorf("sqlite: making %s: %w", part, err)
	}
	err = steps(ctx, b, progress)
	if e := b.Finish(); err == nil {
		err = e
	}
	if err == nil {
		err = finishFile(part, file)
	}
	if err != nil {
		_ = os.Remove(part)
		return fmt.Errorf("sqlite: copying to %s: %w", file, err)
	}
	return nil
}

func steps(ctx context.Context, b *sqlite.Backup, progress func(done, total int)) error {
	for {
		more, err := b.Step(backupPages)
		if err != nil {
			return err
		}
		if progress != nil {
			progress(b.PageCount()-b.Remaining(), b.PageCount())
		}
		if !more {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// finishFile makes the copy durable and gives it its name.
func finishFile(part, file string) error {
	f, err := os.OpenFile(part, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = errors.Join(f.Chmod(0o600), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(part, file)
	}
	return err
}
