package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const stream = `{"Action":"run","Package":"github.com/cordon-sec/cordon/pin","Test":"TestA"}
{"Action":"output","Package":"github.com/cordon-sec/cordon/pin","Test":"TestA","Output":"    a_test.go:3: not what was wanted\n"}
{"Action":"fail","Package":"github.com/cordon-sec/cordon/pin","Test":"TestA","Elapsed":0.5}
{"Action":"output","Package":"github.com/cordon-sec/cordon/pin","Test":"TestB","Output":"=== RUN   TestB\n"}
{"Action":"output","Package":"github.com/cordon-sec/cordon/pin","Test":"TestB","Output":"    b_test.go:9: squid is not installed\n"}
{"Action":"output","Package":"github.com/cordon-sec/cordon/pin","Test":"TestB","Output":"--- SKIP: TestB (0.00s)\n"}
{"Action":"skip","Package":"github.com/cordon-sec/cordon/pin","Test":"TestB","Elapsed":0}
{"Action":"pass","Package":"github.com/cordon-sec/cordon/pin","Test":"TestC/one","Elapsed":1}
{"Action":"pass","Package":"github.com/cordon-sec/cordon/pin","Test":"TestC","Elapsed":1}
{"Action":"output","Package":"github.com/cordon-sec/cordon/pin","Output":"panic: at the end\n"}
{"Action":"fail","Package":"github.com/cordon-sec/cordon/pin","Elapsed":2}
{"Action":"pass","Package":"github.com/cordon-sec/cordon/ca","Elapsed":0.25}
go: something else
exit 1
`

func TestReport(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	var out strings.Builder
	status, err := run(strings.NewReader(stream), &out, 0, false)
	if err != nil || status != 1 {
		t.Fatalf("status %d, %v", status, err)
	}
	want := `    a_test.go:3: not what was wanted
panic: at the end
FAIL  pin                                   2.0 s
ok    ca                                    0.2 s
go: something else
skipped:
  pin TestB: squid is not installed
2 passed, 1 failed, 1 skipped
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	out.Reset()
	if _, err := run(nil, &out, 2, false); err != nil ||
		out.String() != "   1.00 s  pin TestC\n   0.50 s  pin TestA\n" {
		t.Errorf("the slowest are %q, %v", out.String(), err)
	}
}

// A package that does not build fails the run, though no test of it did.
func TestReportOfABrokenBuild(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	var out strings.Builder
	status, err := run(strings.NewReader(`{"ImportPath":"x","Action":"build-output","Output":"x.go:1: syntax error\n"}
{"Action":"fail","Package":"github.com/cordon-sec/cordon/x","Elapsed":0}
exit 1
`), &out, 0, false)
	if err != nil || status != 1 || !strings.Contains(out.String(), "x.go:1: syntax error\nFAIL  x") {
		t.Errorf("status %d, %v: %s", status, err, out.String())
	}
}

// What ends before its end is no success, nor is what tested nothing.
func TestReportOfARunThatWasCut(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	const passed = `{"Action":"pass","Package":"github.com/cordon-sec/cordon/x","Elapsed":0}` + "\n"
	for input, want := range map[string]string{
		"":                       "the run was cut",
		passed:                   "the run was cut",
		"exit 0\n":               "no package was tested",
		passed + "exit 1\n":      "go test ended with status 1, and no test or package says why",
		passed + "exit 143\n":    "go test ended with status 143",
		passed + "exit 0\n":      "",
		"no module\n" + "exit 1": "go test ended with status 1",
	} {
		status, err := run(strings.NewReader(input), &strings.Builder{}, 0, false)
		if want == "" && (status != 0 || err != nil) {
			t.Errorf("%q: status %d, %v", input, status, err)
		}
		if want != "" && (status != 1 || err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%q: status %d, %v, want %s", input, status, err, want)
		}
	}
}
