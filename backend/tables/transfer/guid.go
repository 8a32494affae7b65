package transfer

import (
	"errors"
	"strings"
)

var errGUID = errors.New("it is not a GUID, which --guid says that the column holds")

// lowerGUID reads a GUID in any case, with or without braces, and writes it as
// clients do: in lower case, without.
func lowerGUID(s string) (string, Change, error) {
	plain := s
	if strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}") {
		plain = s[1 : len(s)-1]
	}
	if len(plain) != 36 {
		return s, Unchanged, errGUID
	}
	for i := range len(plain) {
		c := plain[i] | 0x20
		isHex := plain[i] >= '0' && plain[i] <= '9' || c >= 'a' && c <= 'f'
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash && plain[i] != '-' || !dash && !isHex {
			return s, Unchanged, errGUID
		}
	}
	if plain = strings.ToLower(plain); plain == s {
		return s, Unchanged, nil
	}
	return plain, Lowered, nil
}
