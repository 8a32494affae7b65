package javaregexp

// unquoted replaces \Q...\E by escapes, which happens before anything else is
// read: a comment, a class or a name may begin inside of the quote. What stands
// behind the first \Q is gone through to the end.
func unquoted(text []rune) []rune {
	at := quoteStart(text)
	if at < 0 {
		return text
	}
	out := append(make([]rune, 0, len(text)+8), text[:at]...)
	quote, first := true, true
	for i := at + 2; i < len(text); {
		c := text[i]
		i++
		next := rune(0)
		if i < len(text) {
			next = text[i]
		}
		switch {
		case c >= 0x80, isASCIILetter(c):
			out = append(out, c)
		case isDigit(c):
			if first {
				// A digit must not become a part of an escape before the quote.
				out = append(out, '\\', 'x', '3')
			}
			out = append(out, c)
		case c != '\\':
			if quote {
				out = append(out, '\\')
			}
			out = append(out, c)
		case quote && next == 'E':
			i++
			quote = false
		case quote:
			out = append(out, '\\', '\\')
		case next == 'Q':
			i++
			quote, first = true, true
			continue
		default:
			out = append(out, c)
			if i < len(text) {
				out = append(out, next)
				i++
			}
		}
		first = false
	}
	return out
}

// quoteStart returns the index of the first \Q, or -1.
func quoteStart(text []rune) int {
	for i := 0; i < len(text)-1; i++ {
		if text[i] == '\\' {
			if text[i+1] == 'Q' {
				return i
			}
			i++
		}
	}
	return -1
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

// hexValue returns the value of a hexadecimal digit, or -1.
func hexValue(r rune) rune {
	switch {
	case isDigit(r):
		return r - '0'
	case 'a' <= r|0x20 && r|0x20 <= 'f' && r < 0x80:
		return r | 0x20 - 'a' + 10
	}
	return -1
}
