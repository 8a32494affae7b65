package javaregexp

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/golden"
)

const recordings = "testdata/recorded.tsv"

// What java.util.regex of OpenJDK 17 said about expressions and texts, a line
// each: both as Go string literals, and "found", "not" or "refused". The
// expressions hold every construct of the grammar. The file is written by
//
//	go test ./policy/dialect/javaregexp -run TestRecorded -update
//
// where Java is installed: pairs of a fixed sort, judged by testdata/Judge.java.
func TestRecorded(t *testing.T) {
	t.Parallel()
	if golden.Update() {
		record(t)
	}
	data, err := os.ReadFile(recordings)
	if err != nil {
		t.Fatal(err)
	}
	c := comparison{t: t, counts: map[string]int{}}
	lines := 0
	for line := range strings.Lines(string(data)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		expr, err := strconv.Unquote(fields[0])
		if err != nil || len(fields) != 3 {
			t.Fatalf("%q is no recording", line)
		}
		text, err := strconv.Unquote(fields[1])
		if err != nil {
			t.Fatalf("%q is no recording", line)
		}
		c.compare(pair{expr, text}, fields[2])
		lines++
	}
	undecided := 0
	for what, n := range c.counts {
		if strings.Contains(what, "undecided") || strings.Contains(what, "unreadable") {
			undecided += n
		}
	}
	if lines < 3000 || undecided > lines/200 {
		t.Errorf("%d recordings, of %d no answer: %v", lines, undecided, c.counts)
	}
}

// record judges pairs that hold each part of the generator by itself, in front
// of something and with quantifiers, and pairs made by chance.
func record(t *testing.T) {
	g := newGenerator(1)
	var exprs []string
	for _, element := range elements {
		exprs = append(exprs, element, "a"+element+g.one(quantifiers[:16]), "("+element+")"+g.one(quantifiers[:16])+"b")
	}
	for _, part := range classParts {
		exprs = append(exprs, "["+part+"]", "[^a"+part+"x]", "[a-c&&"+part+"]", "["+part+"&&[^b]]", "[a"+part+"]+")
	}
	for _, quantifier := range quantifiers {
		exprs = append(exprs, "a"+quantifier, "(?:a|b)"+quantifier+"c", "(ab)"+quantifier+`\1`, `\w`+quantifier+"b")
	}
	for _, start := range groupStarts {
		exprs = append(exprs, start+"a|b)", "x?"+start+"a.)"+g.one(quantifiers[:16])+"b")
	}
	for range 1200 {
		exprs = append(exprs, g.noise(g.expression(2)))
	}
	var pairs []pair
	for _, expr := range exprs {
		for n := range 3 {
			pairs = append(pairs, pair{expr, g.text(n > 0)})
		}
	}
	var b strings.Builder
	for i, verdict := range judged(t, pairs) {
		switch verdict {
		case "found", "not", "refused":
			fmt.Fprintf(
				&b,
				"%s\t%s\t%s\n",
				strconv.QuoteToASCII(pairs[i].expr),
				strconv.QuoteToASCII(pairs[i].text),
				verdict,
			)
		}
	}
	if err := os.WriteFile(recordings, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
