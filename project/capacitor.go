package project

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

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
		if edited, err = setMember(edited, "server", key, compact.String()); err != nil {
			return fmt.Errorf("%s: %w", capacitorFile, err)
		}
	}
	w.changes = append(w.changes, Change{Name: capacitorFile, Old: old, New: edited})
	return nil
}

// setMember sets object.key in a JSON document by splicing bytes.
func setMember(data []byte, object, key, value string) ([]byte, error) {
	if !json.Valid(data) {
		return nil, errors.New("not valid JSON")
	}
	outer, err := members(data, 0)
	if err != nil {
		return nil, err
	}
	server, ok := outer.at[object]
	if !ok {
		return outer.insert(data, object, "{"+quote(key)+": "+value+"}"), nil
	}
	inner, err := members(data, server.start)
	if err != nil {
		return nil, err
	}
	if old, ok := inner.at[key]; ok {
		return splice(data, old.start, old.end, value), nil
	}
	return inner.insert(data, key, value), nil
}

func quote(s string) string {
	quoted, err := json.Marshal(s)
	if err != nil { // a string always encodes
		return `""`
	}
	return string(quoted)
}

type span struct{ start, end int }

// object is where the members of a JSON object stand.
type object struct {
	open int // just behind its brace
	at   map[string]span
}

// members finds the members of the object that begins at or behind start.
func members(data []byte, start int) (object, error) {
	decoder := json.NewDecoder(bytes.NewReader(data[start:]))
	token, err := decoder.Token()
	if err != nil {
		return object{}, err
	}
	if token != json.Delim('{') {
		return object{}, errors.New("a value that should be an object is none")
	}
	o := object{open: start + int(decoder.InputOffset()), at: map[string]span{}}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return object{}, err
		}
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return object{}, err
		}
		end := start + int(decoder.InputOffset())
		if key, ok := name.(string); ok {
			o.at[key] = span{end - len(raw), end}
		}
	}
	return o, nil
}

// insert adds a member in front of the others.
func (o object) insert(data []byte, key, value string) []byte {
	member := quote(key) + ": " + value
	if len(o.at) > 0 {
		member += ", "
	}
	return splice(data, o.open, o.open, member)
}
