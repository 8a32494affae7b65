// Package caught says what a panic was, for the operator: its kind and where it
// happened. The value stays out, since it may hold what a request or a row does.
package caught

import (
	"fmt"
	"strings"
)

// Panic is one line about a panic that was recovered: the type of its value, and
// the files and lines of the backend that led there, innermost first. The stack is
// that of debug.Stack in the function that recovered.
func Panic(value any, stack []byte) string {
	// What lies above the panic is the recovery.
	text := string(stack)
	if _, below, ok := strings.Cut(text, "\npanic("); ok {
		text = below
	}
	var frames []string
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "\t") && strings.Contains(line, "/backend/") {
			place, _, _ := strings.Cut(line[strings.Index(line, "/backend/")+1:], " ")
			frames = append(frames, place)
		}
	}
	return fmt.Sprintf("%T at %s", value, strings.Join(frames, " < "))
}
