// Engine prints what one decision costs, beside what else can be had as a Go
// module, for lists from ten rules to a million.
//
//	cd bench && go run ./engine
//
// Each row asks the same URLs, three in ten of which are listed; the list is
// mixed: exact hosts, three in ten suffixes, one in ten a port, two in ten a
// path. The first row is the yardstick: cut the host out of the bytes and look
// it up in a Go map, which knows neither suffixes nor ports nor paths. A
// decision should cost at most twice that.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	sizes := flag.String("sizes", "10,1000,100000,1000000", "numbers of rules, with commas between them")
	span := flag.Duration("time", time.Second, "how long to measure each cell")
	only := flag.String("only", "", "measure only rows whose name holds this text (and the yardstick)")
	flag.Parse()
	if err := run(*sizes, *span, *only); err != nil {
		fmt.Fprintln(os.Stderr, "engine:", err)
		os.Exit(1)
	}
}

func run(list string, span time.Duration, only string) error {
	var sizes []int
	for _, s := range strings.Split(list, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no number of rules", s)
		}
		sizes = append(sizes, n)
	}
	cells := make([][]string, len(contenders))
	for _, n := range sizes {
		row, err := measure(newWorkload(n), span, only)
		if err != nil {
			return fmt.Errorf("%d rules: %w", n, err)
		}
		for i, cell := range row {
			cells[i] = append(cells[i], cell)
		}
	}
	return table(sizes, cells)
}

// contender is one row: prepare makes it ready for a workload and returns what
// decides the URL of a number.
type contender struct {
	name    string
	most    int // the largest list worth the wait
	prepare func(w *workload) (decide func(i int) bool, err error)
}

// measure returns a cell for each contender. They take turns, so that what
// disturbs the machine disturbs all of them.
func measure(w *workload, span time.Duration, only string) ([]string, error) {
	deciders := make([]func(int) bool, len(contenders))
	for i, c := range contenders {
		if i > 0 && !strings.Contains(c.name, only) || c.most > 0 && w.rules > c.most {
			continue
		}
		decide, err := c.prepare(w)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		deciders[i] = decide
	}
	runtime.GC()
	best := make([]float64, len(contenders))
	for at := range windows {
		for i, decide := range deciders {
			if decide == nil {
				continue
			}
			each := timed(decide, len(w.urls), at*len(w.urls)/windows, span/windows)
			if best[i] == 0 || each < best[i] {
				best[i] = each
			}
		}
	}
	cells := make([]string, len(contenders))
	for i, each := range best {
		cells[i] = "-"
		if each > 0 {
			cells[i] = fmt.Sprintf("%.1f", each)
		}
	}
	return cells, nil
}

// windows is how many times each cell is measured; the least disturbed counts.
const windows = 10

// timed returns how many nanoseconds a decision took, for all URLs in turn from
// the one at a number on.
func timed(decide func(int) bool, urls, at int, span time.Duration) float64 {
	const batch = 256
	count := 0
	start := time.Now()
	for time.Since(start) < span {
		for range batch {
			decide(at)
			if at++; at == urls {
				at = 0
			}
		}
		count += batch
	}
	return float64(time.Since(start).Nanoseconds()) / float64(count)
}

func table(sizes []int, cells [][]string) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(out, "ns per decision\t")
	for _, n := range sizes {
		fmt.Fprintf(out, "%d rules\t", n)
	}
	fmt.Fprintln(out)
	for i, c := range contenders {
		fmt.Fprintf(out, "%s\t%s\t\n", c.name, strings.Join(cells[i], "\t"))
	}
	return out.Flush()
}
