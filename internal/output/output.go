// Package output is how commands speak to programs: one envelope for every
// command's JSON, and one way to choose a format.
//
// The JSON is an object whose first member is "version", the version of that
// command's form; members are added without a new version, and none is renamed or
// removed without one. Names are in snake case, times in RFC 3339 in UTC, and a
// list that is empty is [], not null. What is written line by line (jsonl) is one
// object a line, without an envelope.
package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/cordon-sec/cordon/internal/wording"
)

// JSON writes a value in the envelope, indented, and ends the line. The value
// must encode as an object.
func JSON(w io.Writer, version int, value any) error {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	members, ok := bytes.CutPrefix(body.Bytes(), []byte("{"))
	if !ok {
		return errors.New("output: the value must be an object")
	}
	head := Begin(version)
	if bytes.Equal(members, []byte("}\n")) {
		head = fmt.Sprintf("{\n  \"version\": %d\n", version)
	}
	if _, err := io.WriteString(w, head); err != nil {
		return err
	}
	_, err := w.Write(members)
	return err
}

// Begin is how an object in the envelope begins, for output that is written
// while it is made: a member must follow.
func Begin(version int) string { return fmt.Sprintf("{\n  \"version\": %d,", version) }

// FormatError says that a format is not known.
type FormatError struct {
	Format string
	Known  []string
}

// Error names the formats that are known.
func (e *FormatError) Error() string {
	return fmt.Sprintf("--format %q: it must be %s", e.Format, wording.Or(e.Known))
}

// CheckFormat returns a *FormatError unless the format is one of the known ones.
func CheckFormat(format string, known ...string) error {
	if slices.Contains(known, format) {
		return nil
	}
	return &FormatError{format, known}
}
