package project

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/policy/export"
)

// capacitor sets server.allowNavigation and server.cleartext in
// capacitor.config.json and leaves every other byte as it is.
func (w *placement) capacitor(a export.Artifact) error {
	old, err := current(w.fsys, capacitorFile)
	if err != nil {
		return err
	}
	if old == nil {
		return fmt.Errorf("no %s: a TypeScript configuration is code and cannot be edited here", capacitorFile)
	}
	var made struct {
		Server map[string]json.RawMessage `json:"server"`
	}
	if err := json.Unmarshal(a.Content, &made); err != nil {
		return fmt.Errorf("read the export: %w", err)
	}
	edited := old
	for _, key := range []string{"allowNavigation", "cleartext"} {
		var compact bytes.Buffer
		if err := json.Compact(&compact, made.Server[key]); err != nil {
			return fmt.Errorf("read the export: %w", err)
		}
		if edited, err = jsonspan.Set(edited, "server", key, compact.String()); err != nil {
			return fmt.Errorf("%s: %w", capacitorFile, err)
		}
	}
	w.changes = append(w.changes, Change{Name: capacitorFile, Old: old, New: edited})
	return nil
}
