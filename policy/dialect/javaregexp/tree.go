package javaregexp

// node is a node of an expression as it is written.
type node struct {
	op op
	// parts are the elements of a sequence, the alternatives of a choice, or the
	// one inside of a group, look, atomic group or repetition.
	parts []*node
	// set is what opSet takes one code point of, and text what opText takes.
	set  set
	text []rune
	// broken is what Java throws at when it is asked whether the set has it.
	broken set
	// group is the number of a group that captures, or of the group that opRef
	// refers to; zero captures nothing.
	group int
	// min and max are how often, of a repetition.
	min, max int32
	// open: no upper bound was written.
	open bool
	mode mode
	fold foldMode
	// multiline, unixLines, unicodeWord are the flags in force.
	multiline, unixLines, unicodeWord bool
	// negative is a look that must fail; wide a look behind that counts code
	// points.
	negative, wide bool
	// canonical is a set that is asked about composed characters.
	canonical bool
	// bmp: the set is looked up by 16-bit units.
	bmp bool
}

type op uint8

const (
	opSequence op = iota
	opChoice
	opSet
	opText
	opBegin      // ^ and \A
	opEnd        // \z
	opLineBegin  // ^ of several lines
	opDollar     // $ and \Z
	opLastMatch  // \G
	opBoundary   // \b, \B
	opGraphemes  // \b{g}
	opLineEnding // \R
	opGrapheme   // \X
	opRef
	opGroup
	opAhead
	opBehind
	opAtomic
	opRepeat
)

type mode uint8

const (
	greedy mode = iota
	lazy
	possessive
)

// foldMode is how letters are compared.
type foldMode uint8

const (
	foldNone foldMode = iota
	foldASCII
	foldUnicode
)

// maxRepeats is "without an end", as a repetition's upper bound.
const maxRepeats = 1<<31 - 1
