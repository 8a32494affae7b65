package main

import (
	"cmp"
	"fmt"
	"slices"
)

// cost is what one request costs, in microseconds.
type cost struct {
	cpu  float64 // the server's processor time
	time float64 // from the first byte of the request to the last of the answer
}

// bounds are how many times the limit's cost Cordon's may be.
var bounds = map[string]float64{"read": 1.5, "query": 1.3, "insert": 1.5}

// report is what was measured.
type report struct{ lines []line }

// line is one request on one database, with what it cost in each round.
type line struct {
	database, request string
	kinds             []string
	costs             map[string][]cost // by kind
}

// add takes what was measured on a database.
func (r *report) add(d database, requests []string, costs map[string][]cost) {
	for _, request := range requests {
		l := line{database: d.name, request: request, kinds: d.kinds, costs: map[string][]cost{}}
		for _, kind := range d.kinds {
			l.costs[kind] = costs[kind+" "+request]
		}
		r.lines = append(r.lines, l)
	}
}

// median is that of each of the two.
func median(costs []cost) cost {
	middle := func(of func(cost) float64) float64 {
		sorted := slices.SortedFunc(slices.Values(costs), func(a, b cost) int { return cmp.Compare(of(a), of(b)) })
		return of(sorted[len(sorted)/2])
	}
	return cost{cpu: middle(func(c cost) float64 { return c.cpu }), time: middle(func(c cost) float64 { return c.time })}
}

// against is the median of the rounds' ratios: what slows the machine down for a
// while slows both down.
func against(ours, theirs []cost) cost {
	ratios := make([]cost, len(ours))
	for i := range ours {
		ratios[i] = cost{cpu: ours[i].cpu / theirs[i].cpu, time: ours[i].time / theirs[i].time}
	}
	return median(ratios)
}

// print writes the costs, then the ratios with their bounds.
func (r *report) print(o options) {
	fmt.Printf("\nmedians of %d rounds of %v, %d connections, durability of SQLite %s\n\n",
		o.rounds, o.span, o.clients, o.durability)
	fmt.Printf("%-10s %-8s %-12s %10s %10s\n", "database", "request", "contender", "cpu µs", "time µs")
	for _, l := range r.lines {
		for _, kind := range l.kinds {
			c := median(l.costs[kind])
			fmt.Printf("%-10s %-8s %-12s %10.1f %10.1f\n", l.database, l.request, kind, c.cpu, c.time)
		}
	}
	fmt.Println()
	for _, b := range r.ratios() {
		verdict := "ok"
		if b.missed() {
			verdict = "MISSED"
		}
		fmt.Printf("%-10s %-8s cordon/%-10s  cpu %5.2f  time %5.2f  bound %4.2f  %s\n",
			b.database, b.request, b.other, b.cpu, b.time, b.bound, verdict)
	}
}

// ratio is Cordon's cost in terms of another's.
type ratio struct {
	database, request, other string
	cost                     // the ratios
	bound                    float64
}

// missed reports whether one of the two is above the bound.
func (r ratio) missed() bool { return max(r.cpu, r.time) > r.bound }

func (r *report) ratios() []ratio {
	var out []ratio
	for _, l := range r.lines {
		for _, other := range l.kinds {
			bound := bounds[l.request]
			switch other {
			case "cordon":
				continue
			case "pocketbase":
				bound = 1
			}
			out = append(out, ratio{l.database, l.request, other, against(l.costs["cordon"], l.costs[other]), bound})
		}
	}
	return out
}

func (r *report) missed() error {
	if slices.ContainsFunc(r.ratios(), ratio.missed) {
		return errMissed
	}
	return nil
}
