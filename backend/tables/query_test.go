package tables

import (
	"math"
	"testing"
)

func TestParseCount(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "7": 7, " 12 ": 12, "2147483648": math.MaxInt32,
		"9223372036854775807": math.MaxInt32, "99999999999999999999": math.MaxInt32} {
		if got, err := parseCount("$skip", text); err != nil || got != want {
			t.Errorf("%q is %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "-99999999999999999999", "1.5", "1e2", "0x10", "x", "1_0", "+"} {
		if got, err := parseCount("$top", text); err == nil {
			t.Errorf("%q was read as %d", text, got)
		}
	}
}
