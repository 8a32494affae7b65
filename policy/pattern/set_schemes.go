package pattern

// schemes numbers the scheme languages of a Set, of which there are few
// however many patterns there are. What a URL's scheme is covered by is then
// one mask for all patterns.
type schemes struct {
	languages []Language
	named     []namedScheme
	// present has the numbers of the languages that cover any present scheme,
	// absent those that also cover an absent one.
	present, absent uint64
	// scanned has the numbers of the languages that are matched one by one.
	scanned uint64
	// last is the number that was given out last: neighbours in a file are
	// often alike.
	last int
}

// namedScheme is one scheme by name with the numbers of the languages that it
// is in; text is in lower case where fold.
type namedScheme struct {
	text string
	fold bool
	mask uint64
}

const (
	// maskedSchemes is how many scheme languages a mask holds.
	maskedSchemes = 64
	// maxSchemes is how many scheme languages an index numbers.
	maxSchemes = 1 << 10
	// maxNamedSchemes is how many names are compared with a URL's scheme.
	maxNamedSchemes = 32
)

// number returns the number of a scheme language, or ok false if there are too
// many different ones.
func (s *schemes) number(l *Language) (n uint16, ok bool) {
	if s.last < len(s.languages) && s.languages[s.last].equal(l) {
		return uint16(s.last), true
	}
	for i := range s.languages {
		if s.languages[i].equal(l) {
			s.last = i
			return uint16(i), true
		}
	}
	if len(s.languages) == maxSchemes {
		return 0, false
	}
	s.last = len(s.languages)
	s.languages = append(s.languages, *l)
	if s.last < maskedSchemes {
		s.enter(l, 1<<s.last)
	}
	return uint16(s.last), true
}

func (s *schemes) enter(l *Language, bit uint64) {
	switch {
	case l.form == all:
		s.present |= bit
		s.absent |= bit
	case l.form == present:
		s.present |= bit
	case l.form == union:
		for i := range l.extra.members {
			s.enter(&l.extra.members[i], bit)
		}
	case l.form == exact && len(s.named) < maxNamedSchemes:
		s.enterName(l, bit)
	default:
		s.scanned |= bit
	}
}

func (s *schemes) enterName(l *Language, bit uint64) {
	text := l.text
	if l.fold {
		text = lowerText(text)
	}
	for i := range s.named {
		if s.named[i].text == text && s.named[i].fold == l.fold {
			s.named[i].mask |= bit
			return
		}
	}
	s.named = append(s.named, namedScheme{text: text, fold: l.fold, mask: bit})
}

// mask returns the numbers below maskedSchemes of the languages that cover the
// URL's scheme.
func (s *schemes) mask(u *URL) uint64 {
	if u.Has&HasScheme == 0 {
		return s.absent
	}
	mask := s.present
	for i := range s.named {
		name := &s.named[i]
		if len(name.text) == len(u.Scheme) && same(u.Scheme, name.text, name.fold) {
			mask |= name.mask
		}
	}
	if s.scanned != 0 {
		mask |= s.scannedMask(u)
	}
	return mask
}

// covers reports whether the language of that number covers the URL's scheme.
func (s *schemes) covers(n uint16, mask uint64, u *URL) bool {
	if n < maskedSchemes {
		return mask>>n&1 != 0
	}
	return s.languages[n].covers(u.Scheme, u.Has&HasScheme != 0)
}

func (s *schemes) scannedMask(u *URL) (mask uint64) {
	for i := 0; i < len(s.languages) && i < maskedSchemes; i++ {
		if s.scanned>>i&1 != 0 && s.languages[i].covers(u.Scheme, true) {
			mask |= 1 << i
		}
	}
	return mask
}
