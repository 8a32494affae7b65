package answer

import (
	"encoding/xml"
	"strings"
)

// escape writes text for an attribute.
func escape(s string) string {
	var b strings.Builder
	// A strings.Builder never fails.
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
