package pattern

import "strings"

// world is all patterns as one kind of URL sees them, sorted by host.
type world struct {
	kind   kind
	exact  map[string][]piece
	below  map[string][]piece
	hosts  []string // all of exact and below, as they are mentioned
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
	return &world{kind: k, exact: map[string][]piece{}, below: map[string][]piece{}}
}

// place enters a piece under the hosts of a language.
func (w *world) place(host *Language, p piece, b *budget) {
	text := host.text
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
	case below:
		if isName(text) {
			w.mention(text)
			w.below[text] = append(w.below[text], p)
			return
		}
		w.placeOdd(host, p, b)
	default:
		w.placeOdd(host, p, b)
	}
}

// isName reports whether text is a host name that is no address, so that what
// is below it are names too.
func isName(text string) bool {
	return validName(text) && !endsInNumber(text[strings.LastIndexByte(text, '.')+1:])
}

func (w *world) mention(text string) {
	if len(w.exact[text]) == 0 && len(w.below[text]) == 0 {
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

// covering calls visit for the pieces that a host's own name leads to: those of
// the host itself and those below it and below the names that it is under.
// With strictly, the host stands for all names under it that nobody mentions.
func (w *world) covering(host string, strictly bool, visit func([]piece)) {
	if !strictly {
		visit(w.exact[host])
	}
	visit(w.below[host])
	if host != "" && host[0] == '[' {
		return
	}
	for rest := host; ; {
		label, parent, more := strings.Cut(rest, ".")
		if !more || strings.Contains(label, "_") {
			return // Below lets no underscore stand before its host
		}
		visit(w.below[parent])
		rest = parent
	}
}

// free reports whether a host is one that nobody mentions: with suffix "" by
// no name at all, else by none but suffix and the names that it is under.
func (w *world) free(host, suffix string) bool {
	if !validHost(w.kind, host) || len(w.exact[host]) > 0 || len(w.below[host]) > 0 {
		return false
	}
	for rest := host; ; {
		label, parent, more := strings.Cut(rest, ".")
		switch {
		case !more, strings.Contains(label, "_"):
			return suffix == ""
		case parent == suffix:
			return true
		case len(w.below[parent]) > 0:
			return false
		}
		rest = parent
	}
}
