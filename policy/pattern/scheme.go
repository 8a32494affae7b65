package pattern

// schemes numbers the scheme languages of a Set, of which there are few
// however many patterns there are. What a URL's scheme is covered by is then
// one mask for all patterns.
type schemes struct {
	languages []Language
	atoms     []schemeAtom
	// open has the numbers of the languages that cover any present scheme,
	// absent those that also cover an absent one.
	open, absent uint64
	// odd has the numbers of the languages that are matched one by one.
	odd uint64
	// last is the number that was given out last: neighbours in a file are
	// often alike.
	last int
}

// schemeAtom is one scheme by name with the numbers of the languages that it
// is in; text is in lower case where fold.
type schemeAtom struct {
	text string
	fold bool
	mask uint64
}

const (
	// maskedSchemes is how many scheme languages a mask holds.
	maskedSchemes = 64
	// maxSchemes is how many scheme languages an index numbers.
	maxSchemes = 1 << 10
	// maxAtoms is how many names are compared with a URL's scheme.
	maxAtoms = 32
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
		s.open |= bit
		s.absent |= bit
	case l.form == present:
		s.open |= bit
	case l.form == union:
		for i := range l.rare.any {
			s.enter(&l.rare.any[i], bit)
		}
	case l.form == exact && len(s.atoms) < maxAtoms:
		s.enterAtom(l, bit)
	default:
		s.odd |= bit
	}
}

func (s *schemes) enterAtom(l *Language, bit uint64) {
	text := l.text
	if l.fold {
		text = lowerText(text)
	}
	for i := range s.atoms {
		if s.atoms[i].text == text && s.atoms[i].fold == l.fold {
			s.atoms[i].mask |= bit
			return
		}
	}
	s.atoms = append(s.atoms, schemeAtom{text: text, fold: l.fold, mask: bit})
}

// mask returns the numbers below maskedSchemes of the languages that cover the
// URL's scheme.
func (s *schemes) mask(u *URL) uint64 {
	if u.Has&HasScheme == 0 {
		return s.absent
	}
	mask := s.open
	for i := range s.atoms {
		atom := &s.atoms[i]
		if len(atom.text) == len(u.Scheme) && same(u.Scheme, atom.text, atom.fold) {
			mask |= atom.mask
		}
	}
	if s.odd != 0 {
		mask |= s.oddMask(u)
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

func (s *schemes) oddMask(u *URL) (mask uint64) {
	for i := 0; i < len(s.languages) && i < maskedSchemes; i++ {
		if s.odd>>i&1 != 0 && s.languages[i].covers(u.Scheme, true) {
			mask |= 1 << i
		}
	}
	return mask
}
