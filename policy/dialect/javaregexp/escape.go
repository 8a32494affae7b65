package javaregexp

// escapePlace says where an escape stands.
type escapePlace struct {
	// create: what it stands for is wanted. It is not behind other plain
	// characters, where the escape of one more is read for its character alone,
	// nor at the end of a range.
	create  bool
	inClass bool
	// beforeRange: a range begins or ends here, in which \v is one character.
	beforeRange bool
}

// escaped is what an escape stands for.
type escaped struct {
	is    escapeKind
	char  rune
	class class
	node  *node
}

type escapeKind uint8

const (
	isCharacter escapeKind = iota
	isClass
	isNode
)

var controls = map[rune]rune{'a': '\a', 'e': 0x1B, 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape reads an escape from its backslash on.
func (p *parser) escape(place escapePlace) escaped {
	c := p.skip()
	if char, ok := controls[c]; ok {
		return escaped{char: char}
	}
	if c == 'v' && place.beforeRange {
		return escaped{char: '\v'}
	}
	if named, ok := p.classEscape(c); ok {
		if place.inClass {
			return escaped{is: isClass, class: named}
		}
		if !place.create {
			return escaped{is: isNode}
		}
		p.wide = p.wide || !named.bmp
		return escaped{is: isNode, node: &node{op: opSet, set: named.set, bmp: named.bmp}}
	}
	switch c {
	case '0':
		return escaped{char: p.octal()}
	case 'x':
		return escaped{char: p.hexadecimal()}
	case 'u':
		return escaped{char: p.unit()}
	case 'c':
		if p.ended() {
			refuse("nothing follows \\c")
		}
		return escaped{char: p.read() ^ 64}
	case 'N':
		return escaped{char: p.characterName(place.inClass)}
	}
	if !place.inClass {
		if n, ok := p.elementEscape(c, place.create); ok {
			return escaped{is: isNode, node: n}
		}
	}
	if isASCIILetter(c) || '1' <= c && c <= '9' {
		refuse("an escape that is not known")
	}
	return escaped{char: c}
}

// classEscape returns the class that an escape names by one letter.
func (p *parser) classEscape(c rune) (class, bool) {
	var named class
	switch c | 0x20 {
	case 'd':
		named = class{set: asciiDigits, bmp: true}
		if p.unicodeClasses {
			named = class{set: setOfTables(unicodeDigits...)}
		}
	case 'w':
		named = class{set: asciiWord, bmp: true}
		if p.unicodeClasses {
			named = class{set: unicodeWord()}
		}
	case 's':
		named = class{set: asciiSpace, bmp: true}
		if p.unicodeClasses {
			named = class{set: unicodeSpace()}
		}
	case 'h':
		named = class{set: horizontal, bmp: true}
	case 'v':
		named = class{set: vertical, bmp: true}
	default:
		return class{}, false
	}
	switch {
	case c >= 0x80 || !isASCIILetter(c):
		return class{}, false
	case c < 'a':
		return named.not(), true
	}
	return named, true
}

// elementEscape reads the escapes that stand for an element of a sequence.
func (p *parser) elementEscape(c rune, create bool) (*node, bool) {
	switch c {
	case 'A':
		return &node{op: opBegin}, true
	case 'z':
		return &node{op: opEnd}, true
	case 'Z':
		return &node{op: opDollar, unixLines: p.unixLines}, true
	case 'G':
		return &node{op: opLastMatch}, true
	case 'R':
		return &node{op: opLineEnding}, true
	case 'X':
		return &node{op: opGrapheme}, true
	case 'B':
		return &node{op: opBoundary, negative: true, unicodeWord: p.unicodeClasses}, true
	case 'b':
		return p.boundary(create), true
	case 'k':
		return p.namedReference(create), true
	}
	if '1' <= c && c <= '9' {
		if !create {
			return nil, true
		}
		return p.reference(int(c - '0')), true
	}
	return nil, false
}

// boundary reads \b, or \b{g} where it is not behind plain characters.
func (p *parser) boundary(create bool) *node {
	if create && p.peek() == '{' {
		if p.skip() == 'g' {
			if p.read() != '}' {
				refuse("\\b{g without }")
			}
			p.counts = true
			return &node{op: opGraphemes}
		}
		p.back()
		p.back()
	}
	return &node{op: opBoundary, unicodeWord: p.unicodeClasses}
}

// reference reads the further digits of a reference, as long as there are as
// many groups so far.
func (p *parser) reference(group int) *node {
	for c := p.peek(); isDigit(c); c = p.peek() {
		more := group*10 + int(c-'0')
		if p.groups-1 < more {
			break
		}
		group = more
		p.read()
	}
	return p.referTo(group)
}

func (p *parser) namedReference(create bool) *node {
	if p.read() != '<' {
		refuse("\\k without <")
	}
	group, known := p.named[p.name(p.read())]
	if !known {
		refuse("no group of that name")
	}
	if !create {
		return nil
	}
	return p.referTo(group)
}

func (p *parser) referTo(group int) *node {
	p.refers = true
	n := &node{op: opRef, group: group}
	switch {
	case p.fold && p.unicodeCase:
		n.fold = foldUnicode
	case p.fold:
		n.fold = foldASCII
	}
	return n
}

// octal reads the one to three digits, at most 377, of \0.
func (p *parser) octal() rune {
	value, digits, most := rune(0), 0, 3
	for digits < most {
		c := p.read()
		if c < '0' || c > '7' {
			if digits == 0 {
				refuse("\\0 without digits")
			}
			p.back()
			break
		}
		if digits == 0 && c > '3' {
			most = 2
		}
		value = value*8 + c - '0'
		digits++
	}
	return value
}

// hexadecimal reads \xhh or \x{h...}.
func (p *parser) hexadecimal() rune {
	c := p.read()
	if high := hexValue(c); high >= 0 {
		if low := hexValue(p.read()); low >= 0 {
			return high<<4 | low
		}
	} else if c == '{' && hexValue(p.peek()) >= 0 {
		value := rune(0)
		c = p.read()
		for ; hexValue(c) >= 0; c = p.read() {
			if value = value<<4 | hexValue(c); value > 0x10FFFF {
				refuse("a code point that is too large")
			}
		}
		if c == '}' {
			return value
		}
	}
	refuse("\\x without its digits")
	return 0
}

func (p *parser) fourDigits() rune {
	value := rune(0)
	for range 4 {
		digit := hexValue(p.read())
		if digit < 0 {
			refuse("\\u without its digits")
		}
		value = value<<4 | digit
	}
	return value
}

// unit reads the rest of \uhhhh, and a second one if both are the halves of one
// code point.
func (p *parser) unit() rune {
	high := p.fourDigits()
	if high < 0xD800 || high > 0xDBFF {
		return high
	}
	at := p.at
	if p.read() == '\\' && p.read() == 'u' {
		if low := p.fourDigits(); 0xDC00 <= low && low <= 0xDFFF {
			return (high-0xD800)<<10 + low - 0xDC00 + 0x10000
		}
	}
	p.at = at
	return high
}
