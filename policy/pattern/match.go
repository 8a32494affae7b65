package pattern

import "strings"

func (l *Language) covers(s string, has bool) bool {
	switch l.form {
	case all:
		return true
	case union:
		for i := range l.any {
			if l.any[i].covers(s, has) {
				return true
			}
		}
		return false
	}
	if !has {
		return false
	}
	switch l.form {
	case present:
		return true
	case exact:
		return l.same(s, l.text)
	case prefix:
		return len(s) >= len(l.text) && l.same(s[:len(l.text)], l.text)
	case within:
		n := len(l.text)
		return len(s) >= n && l.same(s[:n], l.text) && (len(s) == n || s[n] == '/')
	case below:
		n := len(s) - len(l.text)
		if n < 0 || !l.same(s[n:], l.text) {
			return false
		}
		return n == 0 || s[n-1] == '.' && labelRun(s[:n])
	case glob, expression:
		return l.re.MatchString(s)
	}
	return false
}

func (l *Language) same(a, b string) bool {
	if !l.fold {
		return a == b
	}
	return EqualFold(a, b)
}

// EqualFold reports whether a and b are equal but for the case of ASCII
// letters. Unlike strings.EqualFold it folds nothing else.
func EqualFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// labelRun reports whether s consists of ASCII letters, digits, "." and "-".
func labelRun(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := lower(s[i]); {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.', c == '-':
		default:
			return false
		}
	}
	return true
}

// foldASCII rewrites an expression made by globExpression so that ASCII
// letters match in either case; (?i) would fold U+017F and U+212A as well.
func foldASCII(expr string) string {
	var b strings.Builder
	for i := 0; i < len(expr); i++ {
		c := expr[i]
		switch {
		case c == '\\' && i+1 < len(expr):
			b.WriteString(expr[i : i+2])
			i++
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			b.WriteByte('[')
			b.WriteByte(lower(c))
			b.WriteByte(lower(c) - 'a' + 'A')
			b.WriteByte(']')
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
