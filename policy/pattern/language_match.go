package pattern

// covers matches a string, absent unless has, in the plain way: what an index
// answers must agree with it.
func (l *Language) covers(s string, has bool) bool {
	switch l.form {
	case all:
		return true
	case union:
		for i := range l.extra.members {
			if l.extra.members[i].covers(s, has) {
				return true
			}
		}
		return false
	}
	if !has {
		return false
	}
	switch l.form {
	case below, belowLower:
		n := len(s) - len(l.text)
		if n < 0 || !same(s[n:], l.text, l.fold) {
			return false
		}
		return n == 0 || s[n-1] == '.' && onlyLabelBytes(s[:n]) && (l.form == below || lowerText(s[:n]) == s[:n])
	case address:
		return isAddress(s)
	case generalGlob:
		return generalGlobCovers(l.text, s, l.fold)
	case expression:
		return l.extra.re.MatchString(s)
	case searched:
		return l.extra.searcher.Matches(s)
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

func isAddress(host string) bool {
	if host == "" || host[0] == '[' {
		return host != ""
	}
	i := len(host) - 1
	for i >= 0 && '0' <= host[i] && host[i] <= '9' {
		i--
	}
	return i < len(host)-1 && (i < 0 || host[i] == '.')
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

// isLabelByte has the bytes that Below lets stand before its host.
var isLabelByte = func() (table [256]bool) {
	for i := range table {
		c := lower(byte(i))
		table[i] = 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '-'
	}
	return table
}()

// onlyLabelBytes reports whether s consists of ASCII letters, digits, "." and
// "-".
func onlyLabelBytes(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isLabelByte[s[i]] {
			return false
		}
	}
	return true
}

// hasUpper reports whether s may have ASCII letters in upper case. It looks at
// eight bytes at a time; text that is not ASCII counts as having some.
func hasUpper(s string) bool {
	const high = 0x8080808080808080
	if len(s) < 8 {
		for i := 0; i < len(s); i++ {
			if 'A' <= s[i] && s[i] <= 'Z' {
				return true
			}
		}
		return false
	}
	var seen uint64
	for i := 0; ; i += 8 {
		if i+8 > len(s) {
			i = len(s) - 8
		}
		x := eightBytes(s[i : i+8])
		// A byte plus 0x3f has its high bit from 'A' on, plus 0x25 from behind 'Z' on.
		seen |= (x + 0x3f3f3f3f3f3f3f3f) &^ (x + 0x2525252525252525) & high
		seen |= x & high
		if i+8 == len(s) {
			return seen != 0
		}
	}
}

func eightBytes(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
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
