package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
)

// report holds what was found: for each measure, by index, and each proxy the
// figures of every turn.
type report struct {
	o     options
	names []string // direct, cordon, peers
	turns []map[string][]figures
	errs  []map[string]error
}

func newReport(o options, clients []*client) *report {
	r := &report{o: o}
	for _, c := range clients {
		r.names = append(r.names, c.name)
	}
	for range measures {
		r.turns = append(r.turns, map[string][]figures{})
		r.errs = append(r.errs, map[string]error{})
	}
	return r
}

// wants says whether to take a measure; to see that memory is used takes no check.
func (o options) wants(m measure) bool {
	return strings.Contains(m.name, o.only) && !(o.check && m.once)
}

func (r *report) add(i int, name string, f figures, err error) {
	if err != nil {
		r.errs[i][name] = err
		fmt.Fprintf(os.Stderr, "%s, %s: %v\n", measures[i].name, name, err)
		return
	}
	r.turns[i][name] = append(r.turns[i][name], f)
}

// value returns the median of a quantity over the turns, and whether there is one.
func (r *report) value(i int, name string, q quantity) (float64, bool) {
	turns := r.turns[i][name]
	if len(turns) == 0 || r.errs[i][name] != nil {
		return 0, false
	}
	var values []float64
	for _, f := range turns {
		values = append(values, q.of(f))
	}
	slices.Sort(values)
	half := len(values) / 2
	if len(values)%2 == 0 {
		return (values[half-1] + values[half]) / 2, true
	}
	return values[half], true
}

// ratio compares Cordon with another: what it costs for each unit of the other's
// cost, also where the figure is a rate. Below 1 is better.
type ratio struct {
	Measure string  `json:"measure"`
	Unit    string  `json:"unit"`
	To      string  `json:"to"`
	Ratio   float64 `json:"ratio"`
}

// ratioTo returns Cordon's ratio to the best of the names, if there is one.
func (r *report) ratioTo(i int, q quantity, names ...string) (best ratio, ok bool) {
	own, there := r.value(i, "cordon", q)
	if !there || own <= 0 {
		return best, false
	}
	for _, name := range names {
		v, there := r.value(i, name, q)
		if !there || v <= 0 {
			continue
		}
		x := own / v
		if q.more {
			x = v / own
		}
		if !ok || x > best.Ratio {
			best, ok = ratio{measures[i].name, q.unit, name, x}, true
		}
	}
	return best, ok
}

func (r *report) peers() []string { return r.names[2:] }

// print prints the table, in Markdown.
func (r *report) print(out io.Writer) {
	fmt.Fprintf(out, "%d names, TTL %d s, %d processors, medians of %d turns of %v\n\n",
		r.o.names, r.o.ttl, runtime.NumCPU(), r.o.rounds, r.o.each)
	w := tabwriter.NewWriter(out, 0, 8, 1, ' ', 0)
	defer w.Flush()
	fmt.Fprintf(w, "| \t| %s\t| to best peer\t| to direct\t|\n", strings.Join(r.names, "\t| "))
	fmt.Fprintln(w, strings.Repeat("|---\t", len(r.names)+3)+"|")
	for i, m := range measures {
		if !r.o.wants(m) {
			continue
		}
		for _, q := range m.shown {
			fmt.Fprintf(w, "| %s, %s\t", m.name, q.unit)
			for _, name := range r.names {
				fmt.Fprintf(w, "| %s\t", r.cell(i, name, q))
			}
			fmt.Fprintf(w, "| %s\t| %s\t|\n", r.compared(i, q, true, r.peers()...), r.compared(i, q, false, "direct"))
		}
	}
}

// cell is one figure of one proxy as the table shows it.
func (r *report) cell(i int, name string, q quantity) string {
	v, ok := r.value(i, name, q)
	switch {
	case r.errs[i][name] != nil:
		return "failed"
	case !ok || name == "direct" && (q.unit == processor.unit || q.unit == perMiB.unit):
		return ""
	case r.turns[i][name][0].Closes:
		return number(v) + " (closes)"
	}
	return number(v)
}

func (r *report) compared(i int, q quantity, named bool, names ...string) string {
	x, ok := r.ratioTo(i, q, names...)
	switch {
	case !ok || q.unit == questions.unit:
		return ""
	case named:
		return fmt.Sprintf("%.2f %s", x.Ratio, x.To)
	}
	return fmt.Sprintf("%.2f", x.Ratio)
}

// number prints three digits at least where there are that many.
func number(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// document is the form of the file that -json names.
type document struct {
	Names      int      `json:"names"`
	TTL        int      `json:"ttl_s"`
	Turn       float64  `json:"turn_s"`
	Rounds     int      `json:"rounds"`
	Processors int      `json:"processors"`
	Go         string   `json:"go"`
	Results    []result `json:"results"`
	Ratios     []ratio  `json:"ratios"`
}

// result holds one proxy's turns at one measure.
type result struct {
	Measure string    `json:"measure"`
	Proxy   string    `json:"proxy"`
	Turns   []figures `json:"turns,omitempty"`
	Error   string    `json:"error,omitempty"`
}

// write writes everything that was found as JSON.
func (r *report) write(path string) error {
	d := document{Names: r.o.names, TTL: r.o.ttl, Turn: r.o.each.Seconds(), Rounds: r.o.rounds,
		Processors: runtime.NumCPU(), Go: runtime.Version()}
	for i, m := range measures {
		for _, name := range r.names {
			found := result{Measure: m.name, Proxy: name, Turns: r.turns[i][name]}
			if err := r.errs[i][name]; err != nil {
				found.Error = err.Error()
			}
			if found.Turns != nil || found.Error != "" {
				d.Results = append(d.Results, found)
			}
		}
		for _, q := range m.shown {
			for _, names := range [][]string{r.peers(), {"direct"}} {
				if x, ok := r.ratioTo(i, q, names...); ok {
					d.Ratios = append(d.Ratios, x)
				}
			}
		}
	}
	data, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// failed says which measures could not be taken.
func (r *report) failed() error {
	for i, m := range measures {
		if who := slices.Sorted(maps.Keys(r.errs[i])); len(who) > 0 {
			return fmt.Errorf("%s: %s failed", m.name, strings.Join(who, ", "))
		}
	}
	return nil
}
