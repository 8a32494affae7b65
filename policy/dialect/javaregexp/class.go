package javaregexp

import "unicode"

// class is what a class in brackets, or a name for one, takes.
type class struct {
	set set
	// bmp: it is asked about 16-bit units; otherwise about code points.
	bmp bool
	// broken are the code points for which Java throws when it is asked.
	broken set
}

func (p *parser) union(c, d class) class {
	p.charge(len(c.set) + len(d.set))
	return class{c.set.or(d.set), c.bmp && d.bmp, brokenBy(c, d, c.set.not)}
}

func (p *parser) intersection(c, d class) class {
	p.charge(len(c.set) + len(d.set))
	return class{c.set.and(d.set), c.bmp && d.bmp, brokenBy(c, d, func() set { return c.set })}
}

// brokenBy are the code points for which one side throws, or the other, which is
// asked about some only.
func brokenBy(c, d class, asked func() set) set {
	if len(d.broken) == 0 {
		return c.broken
	}
	return c.broken.or(d.broken.and(asked()))
}

func (c class) not() class { return class{c.set.not(), false, c.broken} }

// operand is what stands on one side of a union or an intersection while a class
// is being read. Characters below 256 of one class are collected in one place,
// and whatever refers to that place before the class ends sees those that come
// later as well: [a&&[b]&c] takes a, & and c, although a is not b. So operands
// are put together only where the class ends.
type operand func(collected class) class

// classReader reads the inside of one class.
type classReader struct {
	p         *parser
	collected []rune
	// pending: something was collected that is no operand yet.
	pending bool
	// so is everything before, last the last operand; nil for none.
	so, last operand
}

// class reads a class from its opening bracket on; consume is false for the
// right side of an intersection, which leaves the closing bracket.
func (p *parser) class(consume bool) class {
	if p.depth++; p.depth > maxDepth {
		giveUp("classes nest too deep")
	}
	defer func() { p.depth-- }()
	r := classReader{p: p}
	c := p.next()
	negative := c == '^' && p.char(p.at-1) == '['
	if negative {
		c = p.next()
	}
	for ; ; c = p.peek() {
		switch {
		case c == '[':
			r.join(p.class(true))
			continue
		case c == '&':
			if p.next() == '&' {
				r.intersect()
				continue
			}
			p.back()
		case c == 0 && p.ended():
			refuse("a class that is not closed")
		case c == ']' && (r.so != nil || r.pending):
			if consume {
				p.next()
			}
			return r.result(negative)
		}
		r.item()
	}
}

func (r *classReader) result(negative bool) class {
	r.settle()
	whole := r.so(r.places())
	if negative {
		return whole.not()
	}
	return whole
}

// places is what was collected, up to now.
func (r *classReader) places() class { return class{set: setOf(r.collected...), bmp: true} }

func isCollected(collected class) class { return collected }

// settle makes an operand of what was collected.
func (r *classReader) settle() {
	if !r.pending {
		return
	}
	r.pending = false
	if r.so == nil {
		r.so, r.last = isCollected, isCollected
		return
	}
	before := r.so
	r.so = func(collected class) class { return r.p.union(before(collected), collected) }
}

func (r *classReader) join(c class) {
	this := func(class) class { return c }
	r.last = this
	if r.so == nil {
		r.so = this
		return
	}
	before := r.so
	r.so = func(collected class) class { return r.p.union(before(collected), c) }
}

// intersect reads the right side of "&&", which goes up to the next "&" or the
// closing bracket.
func (r *classReader) intersect() {
	p := r.p
	var right *class
	for c := p.next(); c != ']' && c != '&'; c = p.peek() {
		if c != '[' {
			p.back()
		}
		part := p.class(c == '[')
		if right != nil {
			part = p.union(*right, part)
		}
		right = &part
	}
	r.settle()
	if right != nil {
		r.last = func(class) class { return *right }
	}
	before, with := r.so, r.last
	switch {
	case before == nil && right == nil:
		refuse("&& with nothing on either side")
	case before == nil:
		r.so = with
	case with == nil:
		r.so = func(collected class) class {
			c := before(collected)
			c.broken = c.broken.or(c.set) // the other side is missing
			return c
		}
	default:
		r.so = func(collected class) class { return p.intersection(before(collected), with(collected)) }
	}
}

// item reads one character, range or named class.
func (r *classReader) item() {
	p := r.p
	c := p.peek()
	if c == '\\' {
		if c = p.nextRaw(); c == 'p' || c == 'P' {
			r.join(p.property(c == 'P'))
			return
		}
		beforeRange := p.char(p.at+1) == '-'
		p.back()
		e := p.escape(escapePlace{create: true, inClass: true, beforeRange: beforeRange})
		if e.is == isClass {
			r.join(e.class)
			return
		}
		c = e.char
	} else {
		p.next()
	}
	if p.peek() == '-' {
		if end := p.char(p.at + 1); end != '[' && end != ']' {
			r.join(r.span(c))
			return
		}
	}
	r.one(c)
}

// span reads the rest of a range that begins with first.
func (r *classReader) span(first rune) class {
	p := r.p
	p.next()
	last := p.peek()
	if last == '\\' {
		e := p.escape(escapePlace{inClass: true, beforeRange: true})
		if e.is != isCharacter {
			refuse("a range that ends in a class")
		}
		last = e.char
	} else {
		p.next()
	}
	if last < first {
		refuse("a range that ends before it begins")
	}
	switch {
	case p.fold && p.unicodeCase:
		p.charge(costOfFolding)
		return class{set: p.folding.between(first, last)}
	case p.fold:
		return class{set: asciiBetween(first, last)}
	}
	return class{set: set{first, last}, bmp: last < 0xD800 || first > 0xDFFF && last < 0x10000}
}

// one enters a single character, collected with the others if it is small.
func (r *classReader) one(c rune) {
	p := r.p
	if c > 0xFF || p.fold && p.unicodeCase && foldsBeyond(c) {
		r.join(p.one(c))
		return
	}
	r.pending, r.last = true, nil
	r.collected = append(r.collected, c, c)
	switch {
	case p.fold && c < 0x80:
		r.collected = append(r.collected, lowerASCII(c), lowerASCII(c), upperASCII(c), upperASCII(c))
	case p.fold && p.unicodeCase:
		for _, other := range p.folding.one(c) {
			if other <= 0xFF {
				r.collected = append(r.collected, other, other)
			}
		}
	}
}

// foldsBeyond reports whether a character below 256 equals one above in another
// case.
func foldsBeyond(c rune) bool {
	switch c {
	case 0xFF, 0xB5, 'I', 'i', 'S', 's', 'K', 'k', 0xC5, 0xE5:
		return true
	}
	return false
}

// one is the class of one character under the flags in force.
func (p *parser) one(c rune) class {
	switch {
	case p.fold && p.unicodeCase:
		if fold(c) != unicode.ToUpper(c) {
			return class{set: p.folding.one(c)}
		}
	case p.fold && isASCIILetter(c):
		return class{set: setOf(lowerASCII(c), lowerASCII(c), upperASCII(c), upperASCII(c)), bmp: true}
	}
	return class{set: only(c), bmp: !beyond16Bits(c)}
}
