package folder

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/internal/localstate"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/project"
)

// undoFile keeps what the files of the last run held before it. It is private to
// its owner, as the folder is: it holds whatever the files do.
const undoFile = "fix-undo.json"

// written is one run's record.
type written struct {
	Version int           `json:"version"`
	Files   []writtenFile `json:"files"`
}

type writtenFile struct {
	Name string `json:"name"`
	// Before is what the file held; the hashes are of that and of what was written.
	Before       []byte `json:"before"`
	BeforeSHA256 string `json:"before_sha256"`
	AfterSHA256  string `json:"after_sha256"`
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// NothingToUndoError says that no run can be taken back in a folder.
type NothingToUndoError struct{ Dir string }

// Error names the folder.
func (e *NothingToUndoError) Error() string {
	return fmt.Sprintf(
		"nothing to take back in %s: no run of cordon fix has written there since the last one was taken "+
			"back",
		e.Dir,
	)
}

// Remember keeps what files hold, before changes are written to them, so that
// LastRun can take these back. It takes the place of the run before.
func Remember(dir string, changes []project.Change) error {
	record := written{Version: 1}
	for _, c := range changes {
		if c.Same() || c.Old == nil {
			continue
		}
		if !repairable(c.Name, c.Old) || !repairable(c.Name, c.New) {
			return fmt.Errorf("remember what is changed: %s must be a list, a page or a manifest to be put "+
				"back", c.Name)
		}
		record.Files = append(record.Files, writtenFile{Name: c.Name, Before: c.Old, BeforeSHA256: hashOf(c.Old),
			AfterSHA256: hashOf(c.New)})
	}
	if len(record.Files) == 0 {
		return nil
	}
	if _, err := localstate.Make(dir); err != nil {
		return fmt.Errorf("remember what is changed: %w", err)
	}
	return record.save(dir)
}

// save writes the record whole or not at all; an empty one is removed.
func (w *written) save(dir string) error {
	path := localstate.Path(dir, undoFile)
	if len(w.Files) == 0 {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("forget what was changed: %w", err)
		}
		return nil
	}
	data, err := json.Marshal(w)
	if err != nil {
		return fmt.Errorf("remember what is changed: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), undoFile+".*") // which only its owner may read
	if err != nil {
		return fmt.Errorf("remember what is changed: %w", err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("remember what is changed: %w", err), os.Remove(f.Name()))
	}
	return nil
}

// Undo is what takes the last run back.
type Undo struct {
	// Changes put the files back to what they held before the run.
	Changes []project.Change
	// Changed are files that somebody changed after the run, or that are gone: they
	// are left as they are.
	Changed []string

	dir    string
	record written
}

// LastRun says how the last run in a folder is taken back. It is a
// *NothingToUndoError where none has written.
func LastRun(dir string) (*Undo, error) {
	record := localstate.Path(dir, undoFile)
	data, err := os.ReadFile(record)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &NothingToUndoError{dir}
	}
	if err != nil {
		return nil, fmt.Errorf("read what was changed: %w", err)
	}
	u := &Undo{dir: dir}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&u.record); err != nil || u.record.Version != 1 {
		return nil, fmt.Errorf("%s cannot be read: remove it, the run can no longer be taken back", record)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("read what was changed: %w", err)
	}
	defer root.Close()
	for _, f := range u.record.Files {
		var now []byte
		if fs.ValidPath(f.Name) {
			now, err = root.ReadFile(filepath.FromSlash(f.Name))
		}
		asLeft := err == nil && hashOf(now) == f.AfterSHA256 && hashOf(f.Before) == f.BeforeSHA256
		if !repairable(f.Name, f.Before) || asLeft && !repairable(f.Name, now) {
			return nil, fmt.Errorf("%s names %s, which cordon fix never writes: it is not a record of a run; remove it",
				record, f.Name)
		}
		switch {
		case asLeft:
			u.Changes = append(u.Changes, project.Change{Name: f.Name, Old: now, New: f.Before})
		case err == nil && hashOf(now) == f.BeforeSHA256:
			// It is as it was: the run ended before it was written.
		default:
			u.Changed = append(u.Changed, f.Name)
		}
	}
	return u, nil
}

// repairable reports whether a file with this content is one that repairs change: a page,
// also in a hidden folder, as some tools build into one; a list by whatever name it was
// given; package.json or Capacitor's configuration. A record comes with the folder, and
// the folder may come from anybody: it must name nothing that Git or a shell runs.
func repairable(name string, content []byte) bool {
	if !fs.ValidPath(name) || strings.EqualFold(strings.SplitN(name, "/", 2)[0], ".git") {
		return false
	}
	ext := strings.ToLower(path.Ext(name))
	switch ext {
	case ".html", ".htm", ".xhtml":
		return true
	}
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") {
			return false
		}
	}
	if ext == ".xml" || name == "package.json" || name == "capacitor.config.json" {
		return true
	}
	_, err := configxml.Parse(name, content)
	return err == nil
}

// Forget removes what is taken back from the record; what was left stays in it.
func (u *Undo) Forget() error {
	left := written{Version: 1}
	for _, f := range u.record.Files {
		if slices.Contains(u.Changed, f.Name) {
			left.Files = append(left.Files, f)
		}
	}
	return left.save(u.dir)
}
