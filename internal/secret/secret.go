// Package secret finds secrets that a configuration names without holding
// them: in the environment or in files. What it finds prints as ***.
package secret

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/cordon-sec/cordon/internal/configfile"
)

// maxBytes bounds a secret's file.
const maxBytes = 64 << 10

// Reference names a secret: "env:NAME" and "file:PATH" hold it in hexadecimal
// where a key is wanted and as it is elsewhere, "text-env:NAME" and
// "text-file:PATH" always as it is.
type Reference string

// Check reports whether r has the form of a reference, as an *Error that does
// not show r: it may be the secret itself.
func (r Reference) Check() error {
	kind, name, _ := strings.Cut(string(r), ":")
	switch strings.TrimPrefix(kind, "text-") {
	case "env", "file":
		if name != "" {
			return nil
		}
	}
	return &Error{Reference: "***", Reason: `must be a reference, "env:NAME" or "file:PATH": a configuration is ` +
		"copied and shown; put the secret into that variable or file"}
}

// From returns r with the relative path of a file taken from dir, for a
// configuration that is used away from its folder.
func (r Reference) From(dir string) Reference {
	kind, name, _ := strings.Cut(string(r), ":")
	if strings.TrimPrefix(kind, "text-") != "file" || name == "" || filepath.IsAbs(name) {
		return r
	}
	return Reference(kind + ":" + filepath.Join(dir, name))
}

// File returns the path of the file that r names, "" if it names none.
func (r Reference) File() string {
	kind, name, _ := strings.Cut(string(r), ":")
	if strings.TrimPrefix(kind, "text-") != "file" {
		return ""
	}
	return name
}

// Value is a secret that was found. It prints as ***.
type Value struct {
	bytes []byte
	text  bool
	name  Reference
}

// Source finds secrets. The zero value finds none.
type Source struct {
	// Dir is where relative paths begin: the folder of the configuration.
	Dir string
	// Env looks up a variable, as os.LookupEnv does.
	Env func(name string) (string, bool)
}

// Error says why a reference gave nothing. It never shows a value: a secret
// that was written where its reference belongs must not end in a log.
type Error struct {
	// Reference is what was asked for, cut to its kind if it is none.
	Reference string
	Reason    string
}

// Error returns the reference and the reason.
func (e *Error) Error() string { return fmt.Sprintf("secret %s: %s", e.Reference, e.Reason) }

// Resolve returns what r names. A missing or empty secret is an *Error. A line
// end at the end of a file does not count.
func (s Source) Resolve(r Reference) (Value, error) {
	if err := r.Check(); err != nil {
		return Value{}, err
	}
	kind, name, _ := strings.Cut(string(r), ":")
	fail := func(reason string) (Value, error) {
		return Value{}, &Error{Reference: string(r), Reason: reason}
	}
	value := Value{name: r, text: strings.HasPrefix(kind, "text-")}
	switch strings.TrimPrefix(kind, "text-") {
	case "env":
		if s.Env == nil {
			return fail("no environment")
		}
		text, _ := s.Env(name)
		value.bytes = []byte(strings.TrimRight(text, "\r\n"))
	case "file":
		data, err := s.read(name)
		if err != nil {
			return fail(err.Error())
		}
		value.bytes = bytes.TrimRight(data, "\r\n")
	}
	if len(value.bytes) == 0 {
		return fail("is not set or empty")
	}
	return value, nil
}

func (s Source) read(name string) ([]byte, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(s.Dir, name)
	}
	return configfile.Read(name, maxBytes)
}

// NewValue returns a secret that comes from elsewhere: a key that was just
// made, a test's.
func NewValue(b []byte) Value { return Value{bytes: b, text: true} }

// Bytes returns the secret as it is.
func (v Value) Bytes() []byte { return v.bytes }

// Text returns the secret as it is.
func (v Value) Text() string { return string(v.bytes) }

// Key returns the secret as a key: decoded from hexadecimal, unless it was
// referred to as a text. isText says which. The error does not show it.
func (v Value) Key() (key []byte, isText bool, err error) {
	if v.text {
		return v.bytes, true, nil
	}
	key, err = hex.DecodeString(string(v.bytes))
	if err != nil {
		return nil, false, &Error{Reference: string(v.name),
			Reason: `is not hexadecimal; a text key is named with "text-env:" or "text-file:"`}
	}
	return key, false, nil
}

// IsZero reports whether there is no secret.
func (v Value) IsZero() bool { return len(v.bytes) == 0 }

// String hides the secret.
func (Value) String() string { return "***" }

// GoString hides the secret from %#v too.
func (Value) GoString() string { return "***" }

// Format hides the secret from every verb.
func (Value) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("***")) }

// LogValue hides the secret from log/slog.
func (Value) LogValue() slog.Value { return slog.StringValue("***") }

// MarshalText hides the secret from encoders.
func (Value) MarshalText() ([]byte, error) { return []byte("***"), nil }
