package tables

import (
	"errors"
	"testing"
)

// What clients are told says what they must send.
func TestMessagesSayWhatMustBe(t *testing.T) {
	_, err := parseCount("$skip", "-1")
	if want := "$skip must be a whole number, 0 or more, as in $skip=50"; err == nil || err.Error() != want {
		t.Errorf("a negative count: %v, want %s", err, want)
	}
	_, err = parseObject([]byte(`[1]`))
	if want := `The body must be a JSON object, such as {"text":"hello"}`; !errors.Is(err, errNotObject) ||
		err.Error() != want {
		t.Errorf("an array: %v, want %s", err, want)
	}
}
