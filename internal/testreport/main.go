// Command testreport reads what go test -json writes and says it in short: a
// line for each package, the whole output of what failed, the skipped tests
// with their reasons, and how many passed. The times are kept for make slow.
//
// The last line that it reads is "exit" and the status of go test, so that a run
// that was cut, and one that failed without a word, is no success.
//
//	{ go test -json ./...; echo "exit $?"; } | go run ./internal/testreport
//	go run ./internal/testreport -slow 30
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	slow := flag.Int("slow", 0, "list the slowest `N` tests of the last runs instead")
	fresh := flag.Bool("fresh", false, "forget the times of earlier runs instead")
	flag.Parse()
	status, err := run(os.Stdin, os.Stdout, *slow, *fresh)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(2)
	}
	os.Exit(status)
}

func run(in io.Reader, out io.Writer, slow int, fresh bool) (status int, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return 0, err
	}
	times := filepath.Join(cache, "cordon", "test-times.jsonl")
	if slow > 0 {
		return 0, listSlow(out, times, slow)
	}
	if fresh {
		if err := os.Remove(times); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
		return 0, nil
	}
	r := &report{out: out, output: map[string][]string{}, module: "github.com/cordon-sec/cordon/"}
	if err := r.read(in); err != nil {
		return 0, err
	}
	r.end()
	if err := r.keep(times); err != nil {
		return 0, err
	}
	switch {
	case r.exit == "":
		return 1, errors.New("the run was cut: go test did not say how it ended")
	case r.exit != "0" && r.failed == 0:
		return 1, fmt.Errorf("go test ended with status %s, and no test or package says why", r.exit)
	case r.packages == 0:
		return 1, errors.New("no package was tested")
	case r.failed > 0:
		return 1, nil
	}
	return 0, nil
}

// event is one line of go test -json (cmd/test2json, TestEvent; a failed build
// has ImportPath and build actions, cmd/go, BuildJSON).
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Elapsed    float64
	Output     string
}

// timed is how long a test took.
type timed struct {
	Seconds float64 `json:"seconds"`
	Test    string  `json:"test"`
}

type report struct {
	out    io.Writer
	module string
	// output is what each test, and each package itself, has said so far.
	output                  map[string][]string
	passed, failed, skipped int
	packages                int
	exit                    string // the status of go test, "" before the last line
	skips                   []string
	times                   []timed
}

func (r *report) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if status, ok := bytes.CutPrefix(line, []byte("exit ")); ok {
				r.exit = string(bytes.TrimSpace(status))
			} else if json.Unmarshal(line, &e) == nil && e.Action != "" {
				r.take(e)
			} else {
				fmt.Fprint(r.out, string(line)) // go itself says something
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *report) take(e event) {
	name := strings.TrimPrefix(e.Package, r.module)
	key := name + " " + e.Test
	switch e.Action {
	case "output":
		r.output[key] = append(r.output[key], e.Output)
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.packageEnds(name, e)
			return
		}
		r.testEnds(key, e)
	}
}

func (r *report) testEnds(key string, e event) {
	top := !strings.Contains(e.Test, "/")
	switch e.Action {
	case "pass":
		r.passed++
	case "fail":
		r.failed++
		r.say(key)
	case "skip":
		r.skipped++
		r.skips = append(r.skips, key+": "+reason(r.output[key]))
	}
	if top {
		r.times = append(r.times, timed{e.Elapsed, key})
	}
	delete(r.output, key)
}

// packageEnds prints the line of a package; of one that failed, all that it has
// said: a panic belongs to no test.
func (r *report) packageEnds(name string, e event) {
	r.packages++
	switch {
	case e.Action == "fail":
		if r.failed == 0 {
			r.failed++ // it did not build, or ended by itself
		}
		for key := range r.output {
			if strings.HasPrefix(key, name+" ") {
				r.say(key)
			}
		}
		fmt.Fprintf(r.out, "FAIL  %-34s %6.1f s\n", name, e.Elapsed)
	case e.Action == "pass":
		fmt.Fprintf(r.out, "ok    %-34s %6.1f s\n", name, e.Elapsed)
	}
	for key := range r.output {
		if strings.HasPrefix(key, name+" ") {
			delete(r.output, key)
		}
	}
}

func (r *report) say(key string) {
	for _, text := range r.output[key] {
		fmt.Fprint(r.out, text)
	}
	delete(r.output, key)
}

// reason is what a skipped test said: its last line but go's own.
func reason(output []string) string {
	for _, text := range slices.Backward(output) {
		text = strings.TrimSpace(text)
		if text == "" || strings.HasPrefix(text, "--- SKIP") || strings.HasPrefix(text, "=== ") {
			continue
		}
		if _, after, ok := strings.Cut(text, ".go:"); ok { // "file.go:12: reason"
			_, text, _ = strings.Cut(after, ": ")
		}
		return text
	}
	return "no reason was given"
}

func (r *report) end() {
	slices.Sort(r.skips)
	if len(r.skips) > 0 {
		fmt.Fprintln(r.out, "skipped:")
	}
	for _, text := range r.skips {
		fmt.Fprintln(r.out, "  "+text)
	}
	fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped\n", r.passed, r.failed, r.skipped)
}

// keep adds the times to those of the earlier parts of a run.
func (r *report) keep(name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(f)
	for _, t := range r.times {
		err = errors.Join(err, encoder.Encode(t))
	}
	return errors.Join(err, f.Close())
}

func listSlow(out io.Writer, name string, n int) error {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("nothing was timed yet: run make test first")
	}
	if err != nil {
		return err
	}
	var all []timed
	for line := range strings.Lines(string(data)) {
		var t timed
		if err := json.Unmarshal([]byte(line), &t); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b timed) int {
		switch {
		case a.Seconds > b.Seconds:
			return -1
		case a.Seconds < b.Seconds:
			return 1
		}
		return strings.Compare(a.Test, b.Test)
	})
	for _, t := range all[:min(n, len(all))] {
		fmt.Fprintf(out, "%7.2f s  %s\n", t.Seconds, t.Test)
	}
	return nil
}
