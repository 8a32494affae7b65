package javaregexp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/lane"
)

// pair is an expression and a text.
type pair struct{ expr, text string }

// judged returns what Java says about pairs, in their order.
func judged(t *testing.T, pairs []pair) []string {
	t.Helper()
	java, err := exec.LookPath("java")
	if err != nil {
		lane.Missing(t, "Java is not installed: the expressions are not tried against java.util.regex")
	}
	var in bytes.Buffer
	for _, p := range pairs {
		in.WriteString(base64.StdEncoding.EncodeToString([]byte(p.expr)) + "," +
			base64.StdEncoding.EncodeToString([]byte(p.text)) + "\n")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, java, "-Xss1m", filepath.Join("testdata", "Judge.java"))
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("java: %v", err)
	}
	var verdicts []string
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		verdicts = append(verdicts, s.Text())
	}
	if len(verdicts) != len(pairs)+1 {
		t.Fatalf("Java answered %d of %d pairs", len(verdicts)-1, len(pairs))
	}
	if verdicts[0] != "17" {
		lane.Missing(t, "Java 17 is not installed, but "+verdicts[0]+", whose expressions differ in details")
	}
	return verdicts[1:]
}

// testSteps is more than any pair of the tests needs.
const testSteps = 2_000_000

// Expressions and texts that were made by chance mean the same to Java, and
// what is written in Go's syntax is found in the same texts.
func TestAgainstJava(t *testing.T) {
	lane.Real(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	g := newGenerator(seed)
	var pairs []pair
	for range lane.Rounds(50_000, 50_000, 500_000) {
		expr := g.expression(3)
		if g.IntN(5) == 0 {
			expr = g.noise(expr)
		}
		for range 4 {
			pairs = append(pairs, pair{expr, g.text(g.IntN(2) == 0)})
		}
	}
	c := comparison{t: t, counts: map[string]int{}}
	for i, verdict := range judged(t, pairs) {
		c.compare(pairs[i], verdict)
	}
	t.Logf("%d pairs: %v", len(pairs), c.counts)
}

// comparison compares what Java said with what is said here.
type comparison struct {
	t      *testing.T
	counts map[string]int
	wrong  int
}

func (c *comparison) errorf(format string, args ...any) {
	if c.wrong++; c.wrong <= 40 {
		c.t.Errorf(format, args...)
	}
}

func (c *comparison) compare(p pair, want string) {
	got := verdictOf(p)
	c.counts[want+" by Java, "+got+" here"]++
	switch {
	case want == "long", got == "unreadable", got == "undecided":
		return // Java does not come to an end, or what it does is not known here
	case got != want:
		c.errorf("%q in %q: %s, but Java says %s", p.expr, p.text, got, want)
	}
	c.translated(p, want == "found")
}

// translated compares what is written in Go's syntax.
func (c *comparison) translated(p pair, found bool) {
	e, err := Parse(p.expr)
	if err != nil {
		return
	}
	if expr, ok := e.Go(); ok {
		c.counts["equal in Go's syntax"]++
		if re, err := regexp.Compile(expr); err != nil {
			c.counts["too large for Go"]++
		} else if re.MatchString(p.text) != found {
			c.errorf("%q, written %q, in %q: want %t", p.expr, expr, p.text, found)
		}
	}
	if !printable(p.text) {
		return
	}
	expr, exact := e.Near()
	re, err := regexp.Compile(expr)
	if err != nil {
		return
	}
	if got := re.MatchString(p.text); found && !got || exact && got != found {
		c.errorf("%q, approximated by %q (exact %t), in %q: want %t", p.expr, expr, exact, p.text, found)
	}
	if !exact {
		c.counts["approximated"]++
	}
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7F {
			return false
		}
	}
	return s != ""
}

// verdictOf is what is said here about a pair, in Java's words where it has
// them.
func verdictOf(p pair) string {
	e, err := Parse(p.expr)
	if err != nil {
		return errorWord(err)
	}
	return map[Outcome]string{Found: "found", NotFound: "not", Undecided: "undecided"}[e.Find(p.text, testSteps)]
}
