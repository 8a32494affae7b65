package configxml

import "github.com/cordon-sec/cordon/policy"

// SyntaxError says why a file cannot be read, where, and what to do.
type SyntaxError struct {
	Place policy.Place
	// Msg says what is wrong.
	Msg string
	// Remedy says what to do about it.
	Remedy string
}

// Error returns the place, what is wrong and what to do, on one line.
func (e *SyntaxError) Error() string {
	s := e.Place.String() + ": " + e.Msg
	if e.Remedy != "" {
		s += "; " + e.Remedy
	}
	return s
}

// Limits on what is read. They bound memory, not taste: a config.xml with a
// million rules is within them.
const (
	// MaxSize is the largest file in bytes.
	MaxSize = 128 << 20
	// MaxDepth is how deep elements may nest.
	MaxDepth = 128
	// MaxElements is how many elements a file may have.
	MaxElements = 2_000_000
	// MaxAttrs is how many attributes an element may have.
	MaxAttrs = 1000
	// MaxAllAttrs is how many attributes a file may have.
	MaxAllAttrs = 8_000_000
)
