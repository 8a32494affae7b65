package project

import "strings"

// gradleToken is a token of Groovy or Kotlin.
type gradleToken struct {
	kind  byte
	text  string
	start int
}

// The kinds of tokens: a name, number or keyword; a string that is written out; one with
// something put in, or a mark; the end of a line.
const (
	gradleName = 'a'
	gradleText = '"'
	gradleMark = '.'
	gradleEnd  = '\n'
)

// is reports whether the token is that mark.
func (t gradleToken) is(mark string) bool { return t.kind == gradleMark && t.text == mark }

// gradleTokens takes a script apart.
func gradleTokens(data []byte) []gradleToken {
	var list []gradleToken
	s := string(data)
	for i := 0; i < len(s); {
		start, c := i, s[i]
		switch {
		case c == '\n':
			if i++; len(list) > 0 && list[len(list)-1].kind != gradleEnd {
				list = append(list, gradleToken{gradleEnd, "\n", start})
			}
		case strings.HasPrefix(s[i:], "//"):
			i = endOf(s, i, "\n", 0)
		case strings.HasPrefix(s[i:], "/*"):
			i = endOf(s, i+2, "*/", 2)
		case c == '"' || c == '\'':
			var t gradleToken
			t, i = gradleString(s, i)
			list = append(list, t)
		case isWord(c):
			for i < len(s) && isWord(s[i]) {
				i++
			}
			list = append(list, gradleToken{gradleName, s[start:i], start})
		default:
			if i++; c > ' ' {
				list = append(list, gradleToken{gradleMark, s[start:i], start})
			}
		}
	}
	return list
}

// endOf returns where a text ends, after so many bytes of what ends it.
func endOf(s string, from int, mark string, after int) int {
	if i := strings.Index(s[min(from, len(s)):], mark); i >= 0 {
		return from + i + after
	}
	return len(s)
}

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// gradleString reads a string. One that something is put into, or that is not closed, is
// a mark that nothing else is.
func gradleString(s string, start int) (gradleToken, int) {
	quote := s[start : start+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(s[start:], triple) {
		quote = triple
	}
	var text strings.Builder
	kind := byte(gradleText)
	i := start + len(quote)
	for i < len(s) && !strings.HasPrefix(s[i:], quote) {
		switch c := s[i]; {
		case c == '\n' && len(quote) == 1:
			return gradleToken{gradleMark, "\x00", start}, i
		case c == '\\' && i+1 < len(s):
			i++
			if strings.IndexByte(`nrtbfu`, s[i]) >= 0 {
				kind = gradleMark // no value that matters has these
			}
			text.WriteByte(s[i])
		case c == '$' && quote[0] == '"':
			kind = gradleMark
		default:
			text.WriteByte(c)
		}
		i++
	}
	if kind == gradleMark || i >= len(s) {
		return gradleToken{gradleMark, "\x00", start}, min(i+len(quote), len(s))
	}
	return gradleToken{kind, text.String(), start}, min(i+len(quote), len(s))
}
