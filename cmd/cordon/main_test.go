package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cordon-sec/cordon/internal/browsertest"
	"github.com/cordon-sec/cordon/internal/golden"
)

// browsers ends the browser of the tests.
type browsers struct{ m *testing.M }

// Run runs the tests.
func (b browsers) Run() int { return browsertest.Main(b.m) }

func TestMain(m *testing.M) {
	testscript.Main(browsers{m}, map[string]func(){
		"cordon":   func() { os.Exit(run()) },
		nameServer: func() { os.Exit(answerNames()) },
	})
}

// TestScripts runs the commands as a person types them. With -update the expected
// outputs are rewritten.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       golden.Update(),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}
