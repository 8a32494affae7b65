package pattern

import "strings"

// hostIndex sorts the clauses of all patterns by host, for one kind of URL.
// What is below a host splits into two cells (see hostCell), which is why below
// and wildcard are apart.
type hostIndex struct {
	kind        kind
	exact       map[string][]clause
	below       map[string][]clause // for the host and its plain subdomains
	wildcard    map[string][]clause // for all subdomains of the host
	hosts       []string            // all of these, as they are mentioned
	mentioned   map[string]bool     // hosts
	anyHost     []clause
	automata    []automaton // over hosts
	unkeyed     languageTable
	automatonOf []int32 // by number in unkeyed; -1 for no host at all
}

// clause is a constraint that counts for a host if all conditions hold.
type clause struct {
	constraint int32
	conditions []match // labels of hostIndex.automata
}

func newHostIndex(k kind) *hostIndex {
	return &hostIndex{
		kind: k, exact: map[string][]clause{}, below: map[string][]clause{}, wildcard: map[string][]clause{},
		mentioned: map[string]bool{},
	}
}

// place enters a clause under the hosts of a language.
func (idx *hostIndex) place(host *Language, c clause, b *budget) {
	text, keyed := host.hostKey()
	if host.fold {
		text = lowerText(text)
	}
	switch host.form {
	case all, present:
		idx.anyHost = append(idx.anyHost, c)
	case union:
		for i := range host.extra.members {
			idx.place(&host.extra.members[i], c, b)
		}
	case exact:
		if validHost(idx.kind, text) {
			idx.mention(text)
			idx.exact[text] = append(idx.exact[text], c)
		}
	default:
		if !keyed || !isName(text) {
			idx.placeUnkeyed(host, c, b)
			return
		}
		idx.mention(text)
		if host.form == glob {
			idx.wildcard[text] = append(idx.wildcard[text], c)
		} else {
			idx.below[text] = append(idx.below[text], c)
		}
	}
}

// isName reports whether text is a host name that is no address, so that what
// is below it are names too.
func isName(text string) bool {
	return validName(text) && !endsInNumber(text[strings.LastIndexByte(text, '.')+1:])
}

func (idx *hostIndex) mention(text string) {
	if !idx.mentioned[text] {
		idx.mentioned[text] = true
		idx.hosts = append(idx.hosts, text)
	}
}

func (idx *hostIndex) placeUnkeyed(host *Language, c clause, b *budget) {
	n, isNew := idx.unkeyed.number(host)
	if isNew {
		number := int32(-1)
		if a := newAutomaton(host, b); a != nil {
			number = idx.addAutomaton(a)
		}
		idx.automatonOf = append(idx.automatonOf, number)
	}
	if number := idx.automatonOf[n]; number >= 0 {
		c.conditions = append(c.conditions[:len(c.conditions):len(c.conditions)], match{number, 1})
		idx.anyHost = append(idx.anyHost, c)
	}
}

func (idx *hostIndex) addAutomaton(a automaton) int32 {
	idx.automata = append(idx.automata, a)
	return int32(len(idx.automata) - 1)
}

// hostCell says where hosts are, seen from one that is mentioned: at it, or
// below. Below lets no underscore stand before its host; a plain subdomain has
// none there.
type hostCell uint8

const (
	atHost hostCell = iota
	plainSubdomain
	underscoreSubdomain
)

// covering calls visit for the clauses that count for the hosts of a cell: the
// host itself, or all hosts below it that are below no nearer host that is
// mentioned.
func (idx *hostIndex) covering(host string, cell hostCell, visit func([]clause)) {
	plain := cell != underscoreSubdomain
	if cell == atHost {
		visit(idx.exact[host])
	} else {
		visit(idx.wildcard[host])
	}
	if plain {
		visit(idx.below[host])
	}
	if host != "" && host[0] == '[' {
		return
	}
	for rest := host; ; {
		label, parent, more := strings.Cut(rest, ".")
		if !more {
			return
		}
		plain = plain && !strings.Contains(label, "_")
		if plain {
			visit(idx.below[parent])
		}
		visit(idx.wildcard[parent])
		rest = parent
	}
}

// fresh reports whether a host is in a cell (below suffix, or with suffix ""
// below no host at all), and not mentioned itself.
func (idx *hostIndex) fresh(host, suffix string, cell hostCell) bool {
	if !validHost(idx.kind, host) || idx.mentioned[host] {
		return false
	}
	plain := true
	for rest := host; ; {
		label, parent, more := strings.Cut(rest, ".")
		if !more {
			return suffix == ""
		}
		plain = plain && !strings.Contains(label, "_")
		if plain && len(idx.below[parent]) > 0 || len(idx.wildcard[parent]) > 0 {
			return parent == suffix && plain == (cell == plainSubdomain)
		}
		rest = parent
	}
}
