package wording

import (
	"errors"
	"io/fs"
	"testing"
)

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "plain": "plain", "bücher 例え": "bücher 例え", `a\b"c`: `a\b"c`,
		"a\nb": `a\nb`, "\x1b[31m": `\x1b[31m`, "a\u202eb": `a\u202eb`, "\xff": `\xff`, "a\u00adb": `a\u00adb`,
		"\u0085": `\u0085`, "\ufeffa": `\ufeffa`,
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q becomes %s, want %s", text, got, want)
		}
	}
}

func TestFileError(t *testing.T) {
	other := errors.New("it is on fire")
	for err, want := range map[error]string{
		&fs.PathError{Op: "open", Err: fs.ErrNotExist}:   "a/b: no such file or folder",
		&fs.PathError{Op: "open", Err: fs.ErrPermission}: "a/b: not readable by this user; check its permissions",
		other: "it is on fire",
	} {
		if got := FileError("a/b", err); got.Error() != want {
			t.Errorf("%v becomes %q, want %q", err, got, want)
		}
		if !errors.Is(FileError("a/b", err), err) {
			t.Errorf("%v is not found behind its words", err)
		}
	}
}

func TestJoinAndPlural(t *testing.T) {
	for want, list := range map[string][]string{"": nil, "a": {"a"}, "a and b": {"a", "b"},
		"a, b and c": {"a", "b", "c"}} {
		if got := Join(list); got != want {
			t.Errorf("%q becomes %q, want %q", list, got, want)
		}
	}
	if Or([]string{"a", "b", "c"}) != "a, b or c" || Or([]string{"a"}) != "a" {
		t.Error("the alternatives are wrong")
	}
	if Plural(1, "row", "rows") != "row" || Plural(0, "row", "rows") != "rows" || Plural(2, "row", "rows") != "rows" ||
		Count(1, "row", "rows") != "1 row" {
		t.Error("the plural is wrong")
	}
}
