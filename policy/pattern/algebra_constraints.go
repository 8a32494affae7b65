package pattern

import "encoding/binary"

// constraint is what a pattern requires besides the host: schemes, ports and
// path, with the list that the pattern stands in. Equal constraints have the
// same number.
type constraint struct {
	leaf       int32
	scheme     int32 // into partTable.schemes
	ports      ports
	path       int32 // into partTable.paths, 0 for every path
	secondPath int32 // a second path condition, 0 for none
}

// ports is a set of ports: a Port, or one of the forms below.
type ports struct {
	form Port
	set  *portSet // where form is setOfPorts
}

const (
	explicitPort Port = -2 // every explicit port
	portsInSet   Port = -3
)

type portSet [1 << 10]uint64

func (s *portSet) has(port int32) bool { return s[port>>6]>>(port&63)&1 != 0 }
func (s *portSet) add(port int32)      { s[port>>6] |= 1 << (port & 63) }

func (p ports) has(port int32) bool {
	switch p.form {
	case explicitPort:
		return port >= 0
	case portsInSet:
		return port >= 0 && p.set.has(port)
	}
	return p.form.Covers(port)
}

// and returns the ports that the pattern's port covers too; ok is false if
// there are none.
func (p ports) intersect(q Port) (ports, bool) {
	switch {
	case q == AnyPort:
		return p, true
	case q == NoPort && p.form == AnyPort, q > 0 && q <= 65535 && p.has(int32(q)):
		return ports{form: q}, true
	case q == NoPort && p.form == NoPort:
		return p, true
	}
	return ports{}, false
}

// schemePart is a set of schemes: of the web's, of the others that some list
// names, and of all further ones.
type schemePart struct {
	web        uint8
	names      []uint64 // a bit for each of partTable.names
	other      bool     // further schemes, if all conditions hold
	conditions []match  // labels of partTable.schemeTracks
}

func (s *schemePart) beyondWeb() bool {
	for _, word := range s.names {
		if word != 0 {
			return true
		}
	}
	return s.other
}

func (s *schemePart) hasName(i int) bool { return s.names[i>>6]>>(i&63)&1 != 0 }

// partTable numbers the parts of patterns.
type partTable struct {
	budget            *budget
	names             []string // schemes beyond the web's, as they are mentioned
	nameNumbers       map[string]int
	schemes           []schemePart
	schemeKeys        map[string]int32
	schemeSeen        languageTable
	schemeOf          []int32 // by number in schemeSeen
	schemeAutomata    []automaton
	paths             []automaton // 0 is nil
	pathSeen          languageTable
	pathOf            []int32 // by number in pathSeen; -1 for no path at all
	dfas              map[Language]automaton
	constraints       []constraint
	constraintNumbers map[constraint]int32
}

func newPartTable(b *budget) *partTable {
	return &partTable{
		budget: b, nameNumbers: map[string]int{}, schemeKeys: map[string]int32{}, paths: []automaton{nil},
		dfas: map[Language]automaton{}, constraintNumbers: map[constraint]int32{},
	}
}

// languageTable numbers languages by how they are written.
type languageTable struct {
	numbers map[Language]int32
	unions  []Language
	union   []int32
	n       int32
}

// number returns the number of a language and whether it is new.
func (t *languageTable) number(l *Language) (n int32, isNew bool) {
	if l.form == union {
		for i := range t.unions {
			if t.unions[i].equal(l) {
				return t.union[i], false
			}
		}
		t.unions, t.union = append(t.unions, *l), append(t.union, t.n)
		t.n++
		return t.n - 1, true
	}
	key := Language{form: l.form, fold: l.fold, text: l.text}
	if n, ok := t.numbers[key]; ok {
		return n, false
	}
	if t.numbers == nil {
		t.numbers = map[Language]int32{}
	}
	t.numbers[key] = t.n
	t.n++
	return t.n - 1, true
}

// mention notes the schemes that a language names.
func (t *partTable) mention(l *Language) {
	switch l.form {
	case union:
		for i := range l.extra.members {
			t.mention(&l.extra.members[i])
		}
	case exact:
		name := l.text
		if l.fold {
			name = lowerText(name)
		}
		if _, known := t.nameNumbers[name]; !known && validScheme(name) && webScheme(name) < 0 {
			t.nameNumbers[name] = len(t.names)
			t.names = append(t.names, name)
		}
	}
}

// scheme returns the number of a scheme language's part. All lists must have
// been mentioned.
func (t *partTable) scheme(l *Language) int32 {
	n, isNew := t.schemeSeen.number(l)
	if isNew {
		t.schemeOf = append(t.schemeOf, t.schemeNumber(t.newScheme(l)))
	}
	return t.schemeOf[n]
}

func (t *partTable) newScheme(l *Language) schemePart {
	s := schemePart{names: make([]uint64, (len(t.names)+63)/64)}
	for i, name := range webSchemes {
		s.web |= bit(l.Contains(name)) << i
	}
	for i, name := range t.names {
		if l.Contains(name) {
			s.names[i>>6] |= 1 << (i & 63)
		}
	}
	t.budget.spend(len(t.names))
	switch {
	case l.form == all || l.form == present:
		s.other = true
	case !finite(l):
		if a := newAutomaton(l, t.budget); a != nil {
			s.other = true
			s.conditions = []match{{t.addSchemeAutomaton(a), 1}}
		}
	}
	return s
}

// finite reports whether a language is made of single texts.
func finite(l *Language) bool {
	if l.form != union {
		return l.form == exact || l.form == none
	}
	for i := range l.extra.members {
		if !finite(&l.extra.members[i]) {
			return false
		}
	}
	return true
}

func (t *partTable) addSchemeAutomaton(a automaton) int32 {
	t.schemeAutomata = append(t.schemeAutomata, a)
	return int32(len(t.schemeAutomata) - 1)
}

func (t *partTable) schemeNumber(s schemePart) int32 {
	key := []byte{s.web, bit(s.other)}
	for _, word := range s.names {
		key = binary.LittleEndian.AppendUint64(key, word)
	}
	key = appendMatches(key, s.conditions)
	n, ok := t.schemeKeys[string(key)]
	if !ok {
		n = int32(len(t.schemes))
		t.schemeKeys[string(key)] = n
		t.schemes = append(t.schemes, s)
	}
	return n
}

// path returns the number of a path language's part, -1 if no path is in it.
func (t *partTable) path(l *Language) int32 {
	if l.form == all || l.form == present {
		return 0
	}
	n, isNew := t.pathSeen.number(l)
	if isNew {
		number := int32(-1)
		if a := newAutomaton(l, t.budget); a != nil {
			number = t.addPathAutomaton(a)
		}
		t.pathOf = append(t.pathOf, number)
	}
	return t.pathOf[n]
}

func (t *partTable) addPathAutomaton(a automaton) int32 {
	t.paths = append(t.paths, a)
	return int32(len(t.paths) - 1)
}

func (t *partTable) constraintNumber(r constraint) int32 {
	n, ok := t.constraintNumbers[r]
	if !ok {
		n = int32(len(t.constraints))
		t.constraintNumbers[r] = n
		t.constraints = append(t.constraints, r)
	}
	return n
}

// dfa returns the automaton of a language that is matched across parts.
func (t *partTable) dfa(l *Language) automaton {
	key := Language{form: l.form, fold: l.fold, text: l.text}
	if l.form == union {
		return newLazyDFA(l, t.budget)
	}
	a, ok := t.dfas[key]
	if !ok {
		a = newLazyDFA(l, t.budget)
		t.dfas[key] = a
	}
	return a
}
