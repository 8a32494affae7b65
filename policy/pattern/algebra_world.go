package pattern

import "strings"

// world is all patterns as one kind of URL sees them, sorted by host.
type world struct {
	kind   kind
	exact  map[string][]piece
	below  map[string][]piece // for the host and what is cleanly under it
	wide   map[string][]piece // for all that is under the host
	hosts  []string           // all of these, as they are mentioned
	known  map[string]bool    // hosts
	any    []piece
	tracks []automaton // over hosts
	odd    languageTable
	oddOf  []int32 // tracks by number in odd; -1 for no host at all
}

// piece is a rest that counts for a host if all conditions hold.
type piece struct {
	rest  int32
	conds []hit // labels of world.tracks
}

func newWorld(k kind) *world {
	return &world{
		kind: k, exact: map[string][]piece{}, below: map[string][]piece{}, wide: map[string][]piece{}, known: map[string]bool{},
	}
}

// place enters a piece under the hosts of a language.
func (w *world) place(host *Language, p piece, b *budget) {
	text, keyed := host.hostKey()
	if host.fold {
		text = lowerText(text)
	}
	switch host.form {
	case all, present:
		w.any = append(w.any, p)
	case union:
		for i := range host.rare.any {
			w.place(&host.rare.any[i], p, b)
		}
	case exact:
		if validHost(w.kind, text) {
			w.mention(text)
			w.exact[text] = append(w.exact[text], p)
		}
	default:
		if !keyed || !isName(text) {
			w.placeOdd(host, p, b)
			return
		}
		w.mention(text)
		if host.form == glob {
			w.wide[text] = append(w.wide[text], p)
		} else {
			w.below[text] = append(w.below[text], p)
		}
	}
}

// isName reports whether text is a host name that is no address, so that what
// is below it are names too.
func isName(text string) bool {
	return validName(text) && !endsInNumber(text[strings.LastIndexByte(text, '.')+1:])
}

func (w *world) mention(text string) {
	if !w.known[text] {
		w.known[text] = true
		w.hosts = append(w.hosts, text)
	}
}

func (w *world) placeOdd(host *Language, p piece, b *budget) {
	n, isNew := w.odd.number(host)
	if isNew {
		track := int32(-1)
		if a := newAutomaton(host, b); a != nil {
			track = w.track(a)
		}
		w.oddOf = append(w.oddOf, track)
	}
	if track := w.oddOf[n]; track >= 0 {
		p.conds = append(p.conds[:len(p.conds):len(p.conds)], hit{track, 1})
		w.any = append(w.any, p)
	}
}

func (w *world) track(a automaton) int32 {
	w.tracks = append(w.tracks, a)
	return int32(len(w.tracks) - 1)
}

// hostCell says where hosts are, seen from one that is mentioned. Below lets no
// underscore stand before its host: only what has none there is cleanly under
// a host.
type hostCell uint8

const (
	atHost hostCell = iota
	cleanlyUnder
	otherwiseUnder
)

// covering calls visit for the pieces that lead to the hosts of a cell: the
// host itself, or all hosts under it that are under no nearer host that is
// mentioned.
func (w *world) covering(host string, cell hostCell, visit func([]piece)) {
	clean := cell != otherwiseUnder
	if cell == atHost {
		visit(w.exact[host])
	} else {
		visit(w.wide[host])
	}
	if clean {
		visit(w.below[host])
	}
	if host != "" && host[0] == '[' {
		return
	}
	for rest := host; ; {
		label, parent, more := strings.Cut(rest, ".")
		if !more {
			return
		}
		clean = clean && !strings.Contains(label, "_")
		if clean {
			visit(w.below[parent])
		}
		visit(w.wide[parent])
		rest = parent
	}
}

// free reports whether a host is in a cell: under suffix, or with suffix ""
// under no host at all, and not mentioned itself.
func (w *world) free(host, suffix string, cell hostCell) bool {
	if !validHost(w.kind, host) || w.known[host] {
		return false
	}
	clean := true
	for rest := host; ; {
		label, parent, more := strings.Cut(rest, ".")
		if !more {
			return suffix == ""
		}
		clean = clean && !strings.Contains(label, "_")
		if clean && len(w.below[parent]) > 0 || len(w.wide[parent]) > 0 {
			return parent == suffix && clean == (cell == cleanlyUnder)
		}
		rest = parent
	}
}
