package pattern

import (
	"encoding/binary"
	"strings"
)

// The automata of the domain's parts.

const (
	schemeLetters = "xabcdefghijklmnopqrstuvwyz0123456789+-."
	hostAlphabet  = hostLetters + ".:[]"
)

// schemeDomain is the automaton of all schemes beyond the web's.
type schemeDomain struct{}

// Its states: 0 is the start, 1 any other scheme; from 2 on a scheme that may
// yet turn out to be one of the web's, by position in webPrefixes.
var webPrefixes = [...]string{"h", "ht", "htt", "http", "https", "w", "ws", "wss"}

func (schemeDomain) start() int32 { return 0 }

func (schemeDomain) next(state int32, c byte) int32 {
	letter := 'a' <= c && c <= 'z'
	if !letter && (state == 0 || strings.IndexByte("0123456789+-.", c) < 0) {
		return dead
	}
	read := ""
	switch {
	case state == 1:
		return 1
	case state > 1:
		read = webPrefixes[state-2]
	}
	read += string(rune(c))
	for i, prefix := range webPrefixes {
		if prefix == read {
			return int32(i + 2)
		}
	}
	return 1
}

func (schemeDomain) label(state int32) int32 {
	return int32(bit(state == 1 || state > 1 && webScheme(webPrefixes[state-2]) < 0))
}

func (schemeDomain) absorbing(int32) bool { return false }

func (schemeDomain) split(p *partition) {
	p.refine(func(c byte) uint8 {
		if i := strings.IndexByte("htpsw", c); i >= 0 {
			return uint8(i + 3)
		}
		if 'a' <= c && c <= 'z' {
			return 1
		}
		return 2 * bit(strings.IndexByte("0123456789+-.", c) >= 0)
	})
}

// hostExpression is every host of the domain that need not be mentioned: a name
// whose last label is no number, an IPv4 address, and anyIPv6.
const hostExpression = `\A(?:` +
	`(?:[a-z0-9_\-]+\.)*(?:[a-z_\-][a-z0-9_\-]*|[1-9][a-z0-9_\-]*[a-z_\-][a-z0-9_\-]*` +
	`|0(?:[a-wyz_\-][a-z0-9_\-]*|[0-9][a-z0-9_\-]*[a-z_\-][a-z0-9_\-]*|x[0-9a-f]*[g-z_\-][a-z0-9_\-]*))` +
	`|(?:` + octet + `\.){3}` + octet +
	`|\[2001:db8::1\])\z`

const octet = `(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])`

func (s *search) hostDomain() automaton {
	if s.hostAutomaton == nil {
		s.hostAutomaton = newLazyDFA(&Language{form: expression, text: hostExpression}, &s.budget)
	}
	return s.hostAutomaton
}

// pathDomain is the automaton of a kind's paths, or of what follows the colon.
type pathDomain struct{ kind kind }

const (
	pathStart   int32 = iota
	pathSegment       // at the beginning of a segment
	pathDot           // the segment is "." so far
	pathDots          // the segment is ".." so far
	pathText
)

func (pathDomain) start() int32 { return pathStart }

func (d pathDomain) next(state int32, c byte) int32 {
	switch {
	case d.kind == opaqueKind:
		if state == pathStart && c == '/' {
			return dead
		}
		return pathText
	case state == pathStart && c != '/', c == '/' && (state == pathDot || state == pathDots):
		return dead
	case c == '/':
		return pathSegment
	case c == '.' && state == pathSegment:
		return pathDot
	case c == '.' && state == pathDot:
		return pathDots
	}
	return pathText
}

func (d pathDomain) label(state int32) int32 {
	return int32(bit(state == pathSegment || state == pathText || state == pathStart && d.kind == authorityKind))
}

func (pathDomain) absorbing(int32) bool { return false }

func (pathDomain) split(p *partition) {
	p.refine(func(c byte) uint8 { return bit(c == '/') + 2*bit(c == '.') })
}

// freshAutomaton is the automaton of the hosts that are fresh: not mentioned
// and not below a host that is. It is a trie of the hosts that are mentioned,
// followed from the start of every label on.
type freshAutomaton struct {
	nodes   []trieNode
	states  []freshState
	numbers map[string]int32
}

type trieNode struct {
	next                   map[byte]int32
	exact, below, wildcard bool
}

type freshState struct {
	whole    int32        // the node that the whole host led to, or -1
	suffixes []trieCursor // for the host from some label on
	plain    bool         // no underscore so far
	atLabel  bool         // a label begins here
}

// trieCursor is a node that was reached, and whether no underscore stands
// before the text that led there.
type trieCursor struct {
	node  int32
	plain bool
}

// newFreshAutomaton makes the automaton of the hosts that are fresh below
// suffix.
func newFreshAutomaton(idx *hostIndex, suffix string) *freshAutomaton {
	x := &freshAutomaton{nodes: []trieNode{{}}, numbers: map[string]int32{}}
	for _, host := range idx.hosts {
		if suffix != "" && !strings.HasSuffix(host, "."+suffix) {
			continue
		}
		at := int32(0)
		for i := 0; i < len(host); i++ {
			next, ok := x.nodes[at].next[host[i]]
			if !ok {
				next = int32(len(x.nodes))
				if x.nodes[at].next == nil {
					x.nodes[at].next = map[byte]int32{}
				}
				x.nodes[at].next[host[i]] = next
				x.nodes = append(x.nodes, trieNode{})
			}
			at = next
		}
		x.nodes[at].exact = true
		x.nodes[at].below = len(idx.below[host]) > 0
		x.nodes[at].wildcard = len(idx.wildcard[host]) > 0
	}
	x.state(freshState{whole: 0, plain: true, atLabel: true})
	return x
}

func (x *freshAutomaton) state(s freshState) int32 {
	key := binary.AppendVarint([]byte{bit(s.plain), bit(s.atLabel)}, int64(s.whole))
	for _, at := range s.suffixes {
		key = append(binary.AppendUvarint(key, uint64(at.node)), bit(at.plain))
	}
	n, ok := x.numbers[string(key)]
	if !ok {
		n = int32(len(x.states))
		x.numbers[string(key)] = n
		x.states = append(x.states, s)
	}
	return n
}

func (x *freshAutomaton) start() int32 { return 0 }

func (x *freshAutomaton) next(state int32, c byte) int32 {
	from := x.states[state]
	to := freshState{whole: -1, plain: from.plain && c != '_', atLabel: c == '.'}
	suffixes := from.suffixes
	if from.atLabel {
		suffixes = append(suffixes[:len(suffixes):len(suffixes)], trieCursor{0, from.plain})
	}
	if from.whole >= 0 {
		to.whole = x.follow(from.whole, c)
	}
	for _, at := range suffixes {
		if next := x.follow(at.node, c); next >= 0 {
			to.suffixes = append(to.suffixes, trieCursor{next, at.plain})
		}
	}
	return x.state(to)
}

func (x *freshAutomaton) follow(node int32, c byte) int32 {
	if next, ok := x.nodes[node].next[c]; ok {
		return next
	}
	return -1
}

func (x *freshAutomaton) label(state int32) int32 {
	s := x.states[state]
	if s.whole >= 0 && x.nodes[s.whole].exact {
		return 0
	}
	for _, at := range s.suffixes {
		if node := &x.nodes[at.node]; node.wildcard || node.below && at.plain {
			return 0
		}
	}
	return 1
}

func (x *freshAutomaton) absorbing(int32) bool { return false }

func (x *freshAutomaton) split(p *partition) { p.refine(func(c byte) uint8 { return c }) }
