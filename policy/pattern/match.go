package pattern

// covers is the obvious matcher: what an index answers must agree with it.
func (l *Language) covers(s string, has bool) bool {
	switch l.form {
	case all:
		return true
	case union:
		for i := range l.rare.any {
			if l.rare.any[i].covers(s, has) {
				return true
			}
		}
		return false
	}
	if !has {
		return false
	}
	switch l.form {
	case below:
		n := len(s) - len(l.text)
		if n < 0 || !same(s[n:], l.text, l.fold) {
			return false
		}
		return n == 0 || s[n-1] == '.' && labelRun(s[:n])
	case oddGlob:
		return oddGlobCovers(l.text, s, l.fold)
	case expression:
		return l.rare.re.MatchString(s)
	}
	return textCovers(l.form, l.text, s, l.fold)
}

// textCovers matches the forms that an index keeps as plain text.
func textCovers(f form, text, s string, fold bool) bool {
	switch f {
	case all, present:
		return true
	case exact:
		return same(s, text, fold)
	case prefix:
		return len(s) >= len(text) && same(s[:len(text)], text, fold)
	case within:
		n := len(text)
		return len(s) >= n && (len(s) == n || s[n] == '/') && same(s[:n], text, fold)
	case glob:
		return globCovers(text, s, fold)
	}
	return false
}

func same(a, b string, fold bool) bool {
	return a == b || fold && EqualFold(a, b)
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

// What a byte of a host is.
const (
	plainByte uint8 = 0      // a lower-case letter, a digit, "." or "-"
	upperByte uint8 = 1 << 0 // an upper-case letter
	otherByte uint8 = 1 << 1 // not in [A-Za-z0-9.-]
)

var hostBytes = func() (table [256]uint8) {
	for i := range table {
		switch c := byte(i); {
		case 'A' <= c && c <= 'Z':
			table[i] = upperByte
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.', c == '-':
			table[i] = plainByte
		default:
			table[i] = otherByte
		}
	}
	return table
}()

// labelRun reports whether s consists of ASCII letters, digits, "." and "-".
func labelRun(s string) bool {
	for i := 0; i < len(s); i++ {
		if hostBytes[s[i]] == otherByte {
			return false
		}
	}
	return true
}

// lowerText returns s with ASCII letters in lower case and every other byte as
// it is.
func lowerText(s string) string {
	for i := 0; i < len(s); i++ {
		if 'A' <= s[i] && s[i] <= 'Z' {
			folded := []byte(s)
			for j := i; j < len(folded); j++ {
				folded[j] = lower(folded[j])
			}
			return string(folded)
		}
	}
	return s
}
