package settings

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/cordon-sec/cordon/internal/secret"
)

// What an excerpt of the file shows. A line that is wrong may hold a secret under
// any name: a key that is misspelt, a header, the address of a database. So the
// values of known, harmless keys are shown, references, and nothing else.
var (
	// pair finds a key with what follows it on the line.
	pair = regexp.MustCompile(`(["']?)([\w.$-]+)(["']?\s*:\s+|["']?\s*:$)("(?:[^"\\]|\\.)*"?|'[^']*'?|\[[^\]{]*\]?|` +
		`[^\s,{}\[\]"'][^,{}]*)?`)
	// bareKey is a key without a value on its line: what it has stands below.
	bareKey = regexp.MustCompile(`^\s*(?:-\s+)?["']?([\w.$-]+)["']?\s*:\s*(?:[|>][-+0-9]*)?\s*(?:#.*)?$`)
	// referred is a value that only names a secret.
	referred = regexp.MustCompile(`^["']?(?:text-)?(?:env|file):[^\s"',]+["']?$`)
	// secretName is how keys are called whose values are secrets or hold one.
	secretName = regexp.MustCompile(`(?i)secret|passw|token|key|credential|database`)
	// userinfo and query are the parts of a URL that carry secrets.
	userinfo = regexp.MustCompile(`//[^/@\s"']*@`)
	query    = regexp.MustCompile(`(://[^\s"'?,]*)\?[^\s"',]*`)
)

// harmless are the keys of the configuration whose values may be shown.
var harmless = sync.OnceValue(func() map[string]bool {
	names, seen := map[string]bool{}, map[reflect.Type]bool{}
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || seen[t] {
			return
		}
		seen[t] = true
		for i := range t.NumField() {
			f := t.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if name == "-" || !f.IsExported() {
				continue
			}
			if name != "" && f.Type.Kind() != reflect.Map && !secretName.MatchString(name) &&
				f.Type != reflect.TypeFor[secret.Reference]() {
				names[name] = true
			}
			walk(f.Type)
		}
	}
	walk(reflect.TypeFor[Settings]())
	return names
})

// shownValue is a value of a key as an excerpt may show it.
func shownValue(key, value string) string {
	trimmed := strings.TrimSpace(value)
	switch {
	case trimmed == "" || harmless()[key]:
		return value
	case strings.HasPrefix(trimmed, "["):
		for item := range strings.SplitSeq(strings.Trim(trimmed, "[]"), ",") {
			if !referred.MatchString(strings.TrimSpace(item)) {
				return "***"
			}
		}
		return value
	case referred.MatchString(trimmed):
		return value
	case trimmed != value: // the space behind it belongs to the line
		return "***" + value[len(strings.TrimRight(value, " ")):]
	}
	return "***"
}

// withoutSecrets is a line of the file as it may be shown.
func withoutSecrets(lines []string, at int) string {
	text := strings.TrimRight(lines[at], "\r")
	body := strings.TrimLeft(text, " ")
	space := text[:len(text)-len(body)]
	key, _ := keyAbove(lines, at)
	item := strings.TrimSpace(strings.TrimPrefix(body, "- "))
	switch {
	case secretName.MatchString(key) && !referred.MatchString(item):
		return space + "***" // whatever it is, it belongs to a secret
	case !pair.MatchString(body) && strings.Trim(item, "{}[],- ") != "" && !referred.MatchString(item) &&
		!harmless()[key]:
		return space + "***" // a text without a key, or one that goes on from the line before
	}
	body = pair.ReplaceAllStringFunc(body, func(found string) string {
		m := pair.FindStringSubmatch(found)
		return m[1] + m[2] + m[3] + shownValue(m[2], m[4])
	})
	body = userinfo.ReplaceAllString(body, "//***@")
	return space + query.ReplaceAllString(body, "$1?***")
}

// keyAbove returns the key that a line belongs to, if that stands on a line of its
// own above.
func keyAbove(lines []string, at int) (key string, found bool) {
	indent := func(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
	text := lines[at]
	for above := at - 1; above >= 0; above-- {
		line := strings.TrimRight(lines[above], "\r")
		if strings.TrimSpace(line) == "" || indent(line) > indent(text) {
			continue
		}
		if m := bareKey.FindStringSubmatch(line); m != nil {
			return m[1], true
		}
		if indent(line) < indent(text) || !strings.HasPrefix(strings.TrimSpace(line), "- ") {
			break
		}
	}
	return "", false
}

// excerpt shows a line and points at a column of it.
func excerpt(data []byte, line, column int) string {
	lines := strings.Split(string(data), "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	text := withoutSecrets(lines, line-1)
	number := strconv.Itoa(line)
	pad := []rune(strings.Repeat(" ", max(column-1, 0)))
	for i, c := range []rune(text) {
		if i < len(pad) && c == '\t' {
			pad[i] = '\t'
		}
	}
	return fmt.Sprintf("  %s | %s\n  %s | %s^", number, text, strings.Repeat(" ", len(number)), string(pad))
}
