package javaregexp

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// property reads the name of a property behind \p or \P, in braces or of one
// letter. The sets are those of package unicode, which is of a later Unicode
// than Java 17's: they differ for code points that neither had a use for in
// version 13.
func (p *parser) property(complement bool) class {
	braced := p.next() == '{'
	if !braced {
		p.back()
	}
	p.next()
	found := p.known(p.propertyName(braced))
	if complement {
		p.wide = true
		return found.not()
	}
	return found
}

// known returns the class of a property's name under the flags in force. Each is
// made once: some are large.
func (p *parser) known(name string) class {
	k := propertyKey{name, p.fold, p.unicodeClasses}
	if found, ok := p.properties[k]; ok {
		return found
	}
	p.charge(costOfProperty)
	found, ok := p.classOf(name)
	if !ok {
		refuse("a property that is not known")
	}
	p.properties[k] = found
	return found
}

// propertyKey is what a property's class depends on.
type propertyKey struct {
	name                 string
	fold, unicodeClasses bool
}

func (p *parser) propertyName(braced bool) string {
	start := p.at
	if !braced {
		c := p.char(start)
		p.read()
		return string(c)
	}
	for p.at < p.n {
		if p.read() == '}' {
			if p.at-1 <= start || p.at > p.n {
				break
			}
			return string(p.text[start : p.at-1])
		}
	}
	refuse("a property without a name")
	return ""
}

// classOf returns the class of a property's name.
func (p *parser) classOf(name string) (class, bool) {
	if key, value, found := strings.Cut(name, "="); found {
		switch strings.ToLower(key) {
		case "sc", "script":
			return script(value)
		case "blk", "block":
			return block(value)
		case "gc", "general_category":
			return p.category(value)
		}
		return class{}, false
	}
	if rest, is := strings.CutPrefix(name, "In"); is {
		return block(rest)
	}
	if rest, is := strings.CutPrefix(name, "Is"); is {
		if c, ok := p.binary(rest); ok {
			return c, true
		}
		if c, ok := p.category(rest); ok {
			return c, true
		}
		return script(rest)
	}
	if p.unicodeClasses {
		if c, ok := p.posix(name); ok {
			return c, true
		}
	}
	return p.category(name)
}

// asciiProperties are the properties that hold for ASCII alone, in pairs.
var asciiProperties = map[string]string{
	"ASCII": "\x00\x7F", "Alnum": "09AZaz", "Alpha": "AZaz", "Blank": "  \t\t", "Cntrl": "\x00\x1F\x7F\x7F",
	"Digit": "09", "Graph": "!~", "Lower": "az", "Print": " ~", "Punct": "!/:@[`{~", "Space": "\t\r  ", "Upper": "AZ",
	"XDigit": "09AFaf",
}

// category returns a general category, or another name that stands for itself.
// Only these forms of them count: "lu" is no name.
func (p *parser) category(name string) (class, bool) {
	if pairs, ok := asciiProperties[name]; ok {
		if p.fold && (name == "Lower" || name == "Upper") {
			pairs = "AZaz"
		}
		return class{set: ascii(pairs), bmp: true}, true
	}
	if p.fold && slices.Contains([]string{"Lu", "Ll", "Lt", "javaLowerCase", "javaUpperCase", "javaTitleCase"}, name) {
		if name[0] == 'L' {
			name = "LC"
		} else {
			return class{set: anyCase()}, true
		}
	}
	switch name {
	case "L1":
		return class{set: set{0, 0xFF}, bmp: true}, true
	case "all":
		return class{set: all}, true
	case "Cn":
		return class{set: unassigned()}, true
	case "C":
		return class{set: setOfTables(assignedControls...).or(unassigned())}, true
	case "LC":
		return class{set: setOfTables(unicode.Lu, unicode.Ll, unicode.Lt)}, true
	case "LD":
		return class{set: setOfTables(unicode.L, unicode.Nd)}, true
	}
	if len(name) <= 2 {
		if table, ok := unicode.Categories[name]; ok {
			return class{set: setOfTables(table)}, true
		}
		return class{}, false
	}
	if name == "javaMirrored" {
		p.doubt = true // no table here says which are
		return class{set: all}, true
	}
	if s := javaProperty(name); s != nil {
		return class{set: s}, true
	}
	return class{}, false
}

// assignedControls are the parts of the category C other than Cn.
var assignedControls = []*unicode.RangeTable{unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs}

func unassigned() set {
	return setOfTables(append(assignedControls[:4:4],
		unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z)...).not()
}

func lowerCase() set { return setOfTables(unicode.Ll, unicode.Other_Lowercase) }
func upperCase() set { return setOfTables(unicode.Lu, unicode.Other_Uppercase) }
func anyCase() set   { return lowerCase().or(upperCase(), setOfTables(unicode.Lt)) }
func alphabetic() set {
	return setOfTables(unicode.L, unicode.Nl, unicode.Other_Alphabetic)
}

var unicodeDigits = []*unicode.RangeTable{unicode.Nd}

// unicodeWord is \w with the flag U.
func unicodeWord() set {
	return alphabetic().or(setOfTables(unicode.M, unicode.Nd, unicode.Pc), set{0x200C, 0x200D})
}

// unicodeSpace is \s with the flag U.
func unicodeSpace() set { return setOfTables(unicode.Z).or(set{'\t', '\r'}, only(0x85)) }

// isoControl is what has no use in an identifier and is passed over there.
var isoControl = setOf(0, 0x1F, 0x7F, 0x9F)

func ignorable() set {
	return setOf(0, 8, 0xE, 0x1B, 0x7F, 0x9F).or(setOfTables(unicode.Cf))
}

// javaProperty is a property that a method of java.lang.Character answers, or
// nil.
func javaProperty(name string) set {
	switch name {
	case "javaLowerCase":
		return lowerCase()
	case "javaUpperCase":
		return upperCase()
	case "javaAlphabetic":
		return alphabetic()
	case "javaIdeographic":
		return setOfTables(unicode.Ideographic)
	case "javaTitleCase":
		return setOfTables(unicode.Lt)
	case "javaDigit":
		return setOfTables(unicode.Nd)
	case "javaDefined":
		return unassigned().not()
	case "javaLetter":
		return setOfTables(unicode.L)
	case "javaLetterOrDigit":
		return setOfTables(unicode.L, unicode.Nd)
	case "javaJavaIdentifierStart":
		return setOfTables(unicode.L, unicode.Nl, unicode.Sc, unicode.Pc)
	case "javaJavaIdentifierPart":
		return setOfTables(unicode.L, unicode.Nl, unicode.Sc, unicode.Pc, unicode.Nd, unicode.Mn, unicode.Mc).
			or(ignorable())
	case "javaUnicodeIdentifierStart":
		return setOfTables(unicode.L, unicode.Nl, unicode.Other_ID_Start)
	case "javaUnicodeIdentifierPart":
		return setOfTables(unicode.L, unicode.Nl, unicode.Other_ID_Start, unicode.Pc, unicode.Nd, unicode.Mn,
			unicode.Mc, unicode.Other_ID_Continue).or(ignorable())
	case "javaIdentifierIgnorable":
		return ignorable()
	case "javaSpaceChar":
		return setOfTables(unicode.Z)
	case "javaWhitespace":
		return setOfTables(unicode.Z).and(setOf(0xA0, 0xA0, 0x2007, 0x2007, 0x202F, 0x202F).not()).
			or(setOf('\t', '\r', 0x1C, 0x1F))
	case "javaISOControl":
		return isoControl
	}
	return nil
}

// binary is a property of Unicode by its own name, in any case, or one of
// POSIX.
func (p *parser) binary(name string) (class, bool) {
	upper := strings.ToUpper(name)
	var s set
	switch upper {
	case "ALPHABETIC":
		s = alphabetic()
	case "ASSIGNED":
		s = unassigned().not()
	case "CONTROL":
		s = setOfTables(unicode.Cc)
	case "HEXDIGIT", "HEX_DIGIT":
		s = hexDigits()
	case "IDEOGRAPHIC":
		s = setOfTables(unicode.Ideographic)
	case "JOINCONTROL", "JOIN_CONTROL":
		s = set{0x200C, 0x200D}
	case "LETTER":
		s = setOfTables(unicode.L)
	case "LOWERCASE", "UPPERCASE", "TITLECASE":
		return class{set: p.cased(upper)}, true
	case "NONCHARACTERCODEPOINT", "NONCHARACTER_CODE_POINT":
		s = set{0xFDD0, 0xFDEF}
		for plane := rune(0xFFFE); plane <= unicode.MaxRune; plane += 0x10000 {
			s = s.or(set{plane, plane + 1})
		}
	case "PUNCTUATION":
		s = setOfTables(unicode.P)
	case "WHITESPACE", "WHITE_SPACE":
		s = unicodeSpace()
	case "WORD":
		s = unicodeWord()
	default:
		return p.posix(name)
	}
	return class{set: s}, true
}

func hexDigits() set {
	return setOfTables(unicode.Nd).or(ascii("AFaf"), setOf(0xFF21, 0xFF26, 0xFF41, 0xFF46))
}

// cased is one of the three cases, or all of them where case does not count.
func (p *parser) cased(name string) set {
	switch {
	case p.fold:
		return anyCase()
	case name[0] == 'L':
		return lowerCase()
	case name[0] == 'U':
		return upperCase()
	}
	return setOfTables(unicode.Lt)
}

// posix is a property of POSIX in Unicode's reading, its name in any case.
func (p *parser) posix(name string) (class, bool) {
	var s set
	blank := setOfTables(unicode.Zs).or(only('\t'))
	graph := setOfTables(unicode.Z, unicode.Cc, unicode.Cs).or(unassigned()).not()
	switch name = strings.ToUpper(name); name {
	case "ALPHA":
		s = alphabetic()
	case "LOWER", "UPPER":
		s = p.cased(name)
	case "SPACE":
		s = unicodeSpace()
	case "PUNCT":
		s = setOfTables(unicode.P)
	case "XDIGIT":
		s = hexDigits()
	case "ALNUM":
		s = alphabetic().or(setOfTables(unicode.Nd))
	case "CNTRL":
		s = setOfTables(unicode.Cc)
	case "DIGIT":
		s = setOfTables(unicode.Nd)
	case "BLANK":
		s = blank
	case "GRAPH":
		s = graph
	case "PRINT":
		s = graph.or(blank).and(setOfTables(unicode.Cc).not())
	default:
		return class{}, false
	}
	return class{set: s}, true
}

// script is a script by its long or short name.
func script(name string) (class, bool) {
	name = strings.ToUpper(name)
	long := ""
	for entry := range strings.FieldsFuncSeq(scriptTable, func(c rune) bool { return c == ',' || c == '\n' }) {
		short, is, _ := strings.Cut(strings.TrimSpace(entry), " ")
		if name == short || name == is {
			long = is
		}
	}
	if long == "" {
		return class{}, false
	}
	var known set
	for each, table := range unicode.Scripts {
		switch {
		case long == "UNKNOWN":
			known = known.or(setOfTables(table))
		case strings.EqualFold(each, long):
			return class{set: setOfTables(table)}, true
		}
	}
	return class{set: known.not()}, true
}

// block is a block by one of its names, in any case.
func block(name string) (class, bool) {
	name = strings.ToUpper(name)
	if name == "SURROGATES_AREA" {
		return class{}, true // a name that nothing is in any more
	}
	for line := range strings.Lines(blockTable) {
		bounds := strings.SplitN(strings.TrimSpace(line), " ", 3)
		if len(bounds) < 3 || !namesBlock(bounds[2], name) {
			continue
		}
		first, _ := strconv.ParseInt(bounds[0], 16, 32)
		last, _ := strconv.ParseInt(bounds[1], 16, 32)
		return class{set: set{rune(first), rune(last)}}, true
	}
	return class{}, false
}

func namesBlock(names, name string) bool {
	if strings.Contains(names, "|") {
		return slices.Contains(strings.Split(names, "|"), name)
	}
	return name == names || name == strings.ReplaceAll(names, " ", "") ||
		name == strings.NewReplacer(" ", "_", "-", "_").Replace(names)
}

// characterName reads the name of a character behind \N. The names of ASCII are
// known here.
func (p *parser) characterName(inClass bool) rune {
	if p.read() != '{' {
		refuse("\\N without {")
	}
	start := p.at
	for p.read() != '}' {
		if p.ended() {
			refuse("\\N without }")
		}
	}
	name := strings.ToUpper(strings.TrimSpace(string(p.text[start : p.at-1])))
	if i := slices.Index(strings.Split(strings.ReplaceAll(asciiNames, "\n", ""), "|"), name); i >= 0 {
		return rune(i)
	}
	if len(name) < 2 || !isASCIILetter(rune(name[0])) ||
		strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -()") != "" {
		refuse("no character has that name")
	}
	if inClass {
		giveUp("a character whose name is not known here") // what it begins or ends may be no range
	}
	p.doubt = true
	return 'A'
}
