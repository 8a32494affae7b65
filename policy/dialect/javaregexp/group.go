package javaregexp

// group reads a group with its quantifier; nil for flags that stand alone.
func (p *parser) group() *node {
	if p.depth++; p.depth > maxDepth {
		giveUp("groups nest too deep")
	}
	defer func() { p.depth-- }()
	saved := p.flags
	n := &node{op: opGroup}
	if p.next() != '?' {
		n.group = p.capture()
		n.parts = []*node{p.choice()}
	} else if !p.special(n) {
		return nil // the flags hold up to the end of the group around them
	}
	if p.read() != ')' {
		refuse("a group that is not closed")
	}
	p.flags = saved
	return p.repeated(n)
}

func (p *parser) capture() int {
	p.groups++
	return p.groups - 1
}

// special reads a group that begins with "(?" up to its closing bracket; false
// for flags that stand alone.
func (p *parser) special(n *node) bool {
	switch c := p.skip(); c {
	case ':':
	case '=', '!':
		n.op, n.negative = opAhead, c == '!'
	case '>':
		n.op = opAtomic
	case '<':
		p.angled(n)
		return true
	case '$', '@':
		refuse("a group of a sort that is not known")
	default:
		p.back()
		p.setFlags()
		switch p.read() {
		case ')':
			return false
		case ':':
		default:
			refuse("a flag that is not known")
		}
	}
	n.parts = []*node{p.choice()}
	return true
}

// angled reads what follows "(?<": a look behind, or a group with a name.
func (p *parser) angled(n *node) {
	c := p.read()
	if c == '=' || c == '!' {
		n.op, n.negative = opBehind, c == '!'
		start := p.at
		n.parts = []*node{p.choice()}
		for _, c := range p.text[start:p.n] {
			n.wide = n.wide || beyond16Bits(c)
		}
		return
	}
	name := p.name(c)
	if _, known := p.named[name]; known {
		refuse("two groups of one name")
	}
	n.group = p.capture()
	p.named[name] = n.group
	n.parts = []*node{p.choice()}
}

// name reads a group's name, which begins with c, up to ">".
func (p *parser) name(c rune) string {
	if !isASCIILetter(c) {
		refuse("the name of a group must begin with a letter")
	}
	var name []rune
	for ; isASCIILetter(c) || isDigit(c); c = p.read() {
		name = append(name, c)
	}
	if c != '>' {
		refuse("the name of a group without >")
	}
	return string(name)
}

// setFlags reads letters of flags, and behind a "-" those that are taken back.
// It stops at any other character.
func (p *parser) setFlags() {
	on := true
	for c := p.peek(); ; c = p.next() {
		switch c {
		case 'i':
			p.fold = on
		case 'm':
			p.multiline = on
		case 's':
			p.dotAll = on
		case 'd':
			p.unixLines = on
		case 'u':
			p.unicodeCase = on
		case 'c':
			p.canonical = on
		case 'x':
			p.comments = on
		case 'U':
			p.unicodeClasses, p.unicodeCase = on, on
		case '-':
			if !on {
				return
			}
			on = false
		default:
			return
		}
	}
}
