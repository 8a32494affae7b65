package script

import (
	"regexp"
	"strings"
)

// requestFunctions are the functions whose first argument is a URL to request, and the
// properties that hold one.
var (
	requestFunctions = words(
		`fetch get post put patch delete head request ajax getJSON getScript load WebSocket EventSource ` +
			`sendBeacon importScripts
		upload uploadFile download downloadFile sendRequest axios Worker MobileServiceClient Request URL`,
	)
	urlProperties = words("src action url uri URL baseUrl baseURL endpoint")
)

// searchFunctions are the functions that look for a string rather than use it.
var searchFunctions = words(
	`indexOf lastIndexOf startsWith endsWith includes match replace replaceAll split test exec search RegExp ` +
		`attributeNS AttributeNS
	createElementNS ElementNS setAttributeNS getAttributeNS hasAttributeNS log warn error debug info Error`,
)

func words(s string) map[string]bool {
	set := make(map[string]bool)
	for _, word := range strings.Fields(s) {
		set[word] = true
	}
	return set
}

// Preceding is the code before a string: the name before its last sign, and the
// sign, its Separator: "(", ":", "=", "==", "," or "".
type Preceding struct{ Name, Separator string }

// PrecedingOf reads the end of code from which blanks at the end were removed.
func PrecedingOf(before string) Preceding {
	if before == "" {
		return Preceding{}
	}
	rest, mark := before[:len(before)-1], before[len(before)-1:]
	switch mark {
	case "(", ":", ",":
	case "=":
		if trimmed := strings.TrimRight(rest, "=!<>+"); len(trimmed) < len(rest) {
			return Preceding{Separator: "=="}
		}
	default:
		rest, mark = before, ""
	}
	rest = strings.TrimRight(rest, " \t\r\n")
	at := len(rest)
	for at > 0 && IsIdentifier(rest[at-1]) {
		at--
	}
	return Preceding{Name: rest[at:], Separator: mark}
}

// IsIdentifier reports whether a byte may stand in a name.
func IsIdentifier(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '$'
}

// Compares reports whether a string after this code is looked for.
func (l Preceding) Compares() bool {
	return l.Separator == "==" || l.Separator == "(" && searchFunctions[l.Name] || l.Separator == "" && l.Name == "case"
}

// Calls reports whether a string after this code visibly is the URL of a
// request.
func (l Preceding) Calls(before string) bool {
	switch l.Separator {
	case "(":
		return requestFunctions[l.Name]
	case ":", "=":
		return urlProperties[l.Name]
	case ",":
		return openMethod.MatchString(before)
	}
	return false
}

// openMethod matches the code before the URL in xhr.open("GET", "…").
var openMethod = regexp.MustCompile(`\.open\s*\(\s*['"] *['"]\s*,$`)

// QuotedName returns the name of the member of which string i is the value,
// written "name": "value".
func (s *Source) QuotedName(i int) string {
	before := s.Before(s.Literals[i].Start-1, 200)
	trimmed, ok := strings.CutSuffix(before, ":")
	if !ok {
		return ""
	}
	trimmed = strings.TrimRight(trimmed, " \t\r\n")
	if trimmed == "" || trimmed[len(trimmed)-1] != '"' && trimmed[len(trimmed)-1] != '\'' {
		return ""
	}
	if i == 0 {
		return ""
	}
	return s.Literals[i-1].Text
}
