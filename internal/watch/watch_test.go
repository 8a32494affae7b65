package watch

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// replace puts another file of the same size and time in a file's place, as tools
// do that keep times.
func replace(t *testing.T, path, text string) {
	t.Helper()
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path+".new", text)
	if err := os.Chtimes(path+".new", before.ModTime(), before.ModTime()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func TestLook(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if s := Look(path); s.Exists() || s != (Stamp{}) {
		t.Errorf("a missing file: %+v", s)
	}
	write(t, path, "one")
	if err := os.Chtimes(path, time.Unix(0, 0), time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	first := Look(path)
	if !first.Exists() || first != Look(path) {
		t.Errorf("two looks at one file differ: %+v, %+v", first, Look(path))
	}
	for name, change := range map[string]func(){
		"longer":                            func() { write(t, path, "four") },
		"written later":                     func() { write(t, path, "six") },
		"another file of its size and time": func() { replace(t, path, "ten") },
		"gone":                              func() { os.Remove(path) },
	} {
		write(t, path, "one")
		if err := os.Chtimes(path, time.Unix(0, 0), time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
		before := Look(path)
		if change(); Look(path) == before {
			t.Errorf("%s: it looks the same", name)
		}
	}
}

// A link that is turned, as mounted configurations are, is another file.
func TestLookFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), "one")
	write(t, filepath.Join(dir, "b"), "two")
	link := filepath.Join(dir, "link")
	if err := os.Symlink("a", link); err != nil {
		t.Skip("this system makes no links: " + err.Error())
	}
	for _, name := range []string{"a", "b"} {
		if err := os.Chtimes(filepath.Join(dir, name), time.Unix(1, 0), time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
	}
	before := Look(link)
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("b", link); err != nil {
		t.Fatal(err)
	}
	if Look(link) == before {
		t.Error("a link that was turned looks the same")
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	write(t, one, "1")
	var f Files
	expect := func(want bool, when string) {
		t.Helper()
		if f.Changed() != want {
			t.Errorf("%s: changed %v, want %v", when, !want, want)
		}
	}
	expect(false, "nothing is marked")
	f.Mark(one)
	expect(false, "marked")
	write(t, one, "11")
	expect(true, "written")
	expect(true, "still not read")
	f.Add(one)
	expect(true, "what is marked keeps its mark")
	f.Mark(one)
	expect(false, "read again")
	f.Add(two)
	expect(false, "a file that is missing")
	write(t, two, "2")
	expect(true, "it has come")
	f.Mark(one, two)
	if err := os.Remove(two); err != nil {
		t.Fatal(err)
	}
	expect(false, "it is being replaced")
	write(t, two, "22")
	expect(true, "it is there again")
	f.Mark(one)
	expect(false, "it is watched no longer")
}

func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		began, looks := time.Now(), 0
		Every(ctx, time.Minute, func() {
			if looks++; looks == 3 {
				cancel()
			}
		})
		if looks != 3 || time.Since(began) != 3*time.Minute {
			t.Errorf("%d looks in %v", looks, time.Since(began))
		}
		Every(ctx, time.Nanosecond, func() { t.Error("a look after the end") })
	})
}

// TestAwait: whoever reads files is waited for, and no longer than for two seconds.
func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, done := time.Now(), make(chan struct{})
		time.AfterFunc(time.Second, func() { close(done) })
		Await(done)
		if took := time.Since(began); took != time.Second {
			t.Errorf("what ends after a second is waited for for %v", took)
		}
		began = time.Now()
		Await(make(chan struct{}))
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("what does not end is waited for for %v", took)
		}
	})
}
