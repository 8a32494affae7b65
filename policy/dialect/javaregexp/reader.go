package javaregexp

// reader is the text of an expression and how far it was read. In the mode of
// comments, (?x), blanks and comments are passed over, by some of the ways to
// read on and not by others: where a blank may stand follows from which of them
// the grammar uses where.
type reader struct {
	text []rune // and two zeros behind it
	n    int    // without them
	at   int
	flags
}

// flags are the flags in force.
type flags struct {
	fold, unicodeCase, multiline, dotAll, unixLines, comments, canonical, unicodeClasses bool
}

func newReader(text []rune) reader {
	return reader{text: append(text[:len(text):len(text)], 0, 0), n: len(text)}
}

// char returns the character at an index. Beyond the zeros there is none: Java
// throws, and so is the expression refused.
func (r *reader) char(at int) rune {
	if at < 0 || at >= len(r.text) {
		refuse("it ends too early")
	}
	return r.text[at]
}

// peek returns the next character that counts, and stays before it.
func (r *reader) peek() rune {
	c := r.char(r.at)
	if r.comments {
		c = r.passed(c)
	}
	return c
}

// next moves on by one and returns the character there.
func (r *reader) next() rune {
	r.at++
	return r.peek()
}

// nextRaw is next without regard to blanks and comments.
func (r *reader) nextRaw() rune {
	r.at++
	return r.char(r.at)
}

// read returns the next character that counts, and moves behind it.
func (r *reader) read() rune {
	c := r.peek()
	r.at++
	return c
}

// skip passes the character at hand and returns the one behind it, moving
// behind that too.
func (r *reader) skip() rune {
	c := r.char(r.at + 1)
	r.at += 2
	return c
}

func (r *reader) back() { r.at-- }

// ended reports whether the whole text was read.
func (r *reader) ended() bool { return r.at >= r.n }

// passed moves to the first character that is neither a blank nor in a comment.
func (r *reader) passed(c rune) rune {
	for asciiSpace.has(c) || c == '#' {
		for asciiSpace.has(c) {
			c = r.nextRaw()
		}
		if c == '#' {
			c = r.passedLine()
		}
	}
	return c
}

// passedLine moves to the end of a comment's line.
func (r *reader) passedLine() rune {
	c := r.nextRaw()
	for c != 0 && !r.endsLine(c) {
		c = r.nextRaw()
	}
	if c == 0 && r.at > r.n {
		r.at = r.n
		c = r.char(r.at)
	}
	return c
}

func (r *reader) endsLine(c rune) bool {
	return c == '\n' || !r.unixLines && lineEnds.has(c)
}
