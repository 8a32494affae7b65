package sealing

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var root, other = []byte(strings.Repeat("r", 32)), []byte(strings.Repeat("o", 32))

func box(t testing.TB, purpose string, roots ...[]byte) *Box {
	t.Helper()
	b, err := NewBox(purpose, roots...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSealedOpens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, err := NewBox("cookie", root)
		if err != nil {
			t.Fatal(err)
		}
		value, context := rapid.SliceOf(rapid.Byte()).Draw(t, "value"), rapid.String().Draw(t, "context")
		sealed := b.Seal(value, context)
		got, err := b.Open(sealed, context)
		if err != nil || !bytes.Equal(got, value) {
			t.Fatalf("got %q, %v", got, err)
		}
		i := rapid.IntRange(0, len(sealed)-1).Draw(t, "changed")
		sealed[i] ^= 1
		if _, err := b.Open(sealed, context); !errors.Is(err, ErrOpen) {
			t.Fatalf("a changed value opened: %v", err)
		}
	})
}

func TestSealedOpensOnlyWhereItBelongs(t *testing.T) {
	b := box(t, "cookie", root)
	sealed := b.Seal([]byte("value"), "1")
	rotated := box(t, "cookie", other, root)
	if got, err := rotated.Open(sealed, "1"); err != nil || string(got) != "value" {
		t.Errorf("after a rotation: %q, %v", got, err)
	}
	for name, open := range map[string]func() ([]byte, error){
		"context": func() ([]byte, error) { return b.Open(sealed, "2") },
		"purpose": func() ([]byte, error) { return box(t, "state", root).Open(sealed, "1") },
		"key":     func() ([]byte, error) { return box(t, "cookie", other).Open(sealed, "1") },
		"shifted": func() ([]byte, error) { return box(t, "cooki", root).Open(sealed, "e1") },
		"short":   func() ([]byte, error) { return b.Open(sealed[:20], "1") },
		"empty":   func() ([]byte, error) { return b.Open(nil, "1") },
	} {
		if got, err := open(); !errors.Is(err, ErrOpen) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if bytes.Equal(b.Seal(nil, ""), b.Seal(nil, "")) {
		t.Error("two sealings are alike")
	}
}

func TestBoxNeedsKeys(t *testing.T) {
	for _, roots := range [][][]byte{nil, {nil}, {root, {}}} {
		if _, err := NewBox("x", roots...); err == nil {
			t.Errorf("%v was accepted", roots)
		}
	}
	if text := fmt.Sprintf("%v %+v %#v", box(t, "x", root), box(t, "x", root),
		box(t, "x", root)); strings.Contains(text, "0x") || !strings.Contains(text, "***") {
		t.Error(text)
	}
}
