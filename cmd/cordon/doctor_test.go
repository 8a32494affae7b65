package main

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// Lines that depend on the machine: its ports, its name for itself, its clock.
var (
	portLines     = regexp.MustCompile(`(?m)^(ok   |note ) port (\d+) +.*\n( {19}cordon up --.*\n)?`)
	localhostLine = regexp.MustCompile(`(?m)^ok    localhost    (127\.\d+\.\d+\.\d+|::1)$`)
	clockLine     = regexp.MustCompile(`(?m)^ok    clock        \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`)
)

// TestDoctorText: one line for each thing in three columns, what to do below it, and
// nothing of what programs say that a terminal would obey.
func TestDoctorText(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("scripts stand in for programs")
	}
	t.Chdir(t.TempDir())
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	for file, text := range map[string]string{
		"app/config.xml": "<widget><name>Notes</name></widget>", "app/www/index.html": "",
		filepath.Join(bin, "go"):       "#!/bin/sh\necho go version go1.26.8 linux/amd64\n",
		filepath.Join(bin, "node"):     "#!/bin/sh\necho v18.20.1\n",
		filepath.Join(bin, "npm"):      "#!/bin/sh\nprintf '10.9\\033[31m\\n'\n",
		filepath.Join(bin, "git"):      "#!/bin/sh\nexit 3\n",
		filepath.Join(bin, "chromium"): "#!/bin/sh\n",
	} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	masked := func(text string) string {
		text = strings.ReplaceAll(text, bin, "BIN")
		text = portLines.ReplaceAllString(text, "port $2\n")
		text = regexp.MustCompile(`(?m)^port \d{4,5}\n`).ReplaceAllString(text, "a port\n")
		text = localhostLine.ReplaceAllString(text, "localhost")
		return clockLine.ReplaceAllString(text, "clock")
	}
	const machine = `ok    go           go version go1.26.8 linux/amd64
note  node         v18.20.1: Cordova wants 20 or newer
                   https://nodejs.org
ok    npm          10.9\x1b[31m
note  cordova      not here; it is for building the app for devices
                   npm install --global cordova
note  git          BIN/git does not say its version
                   the system's package git
ok    browser      BIN/chromium
a port
a port
a port
`
	for _, test := range []struct {
		dir, app string
		status   int
	}{
		{"app", "note  app          Notes (app/config.xml); no cordon.yaml: sign-in for development, no tables\n",
			exitFine},
		{"none", "bad   app          none: no such folder\n                   cordon init none\n", exitFindings},
	} {
		out, errs := command(t, test.status, "doctor", test.dir)
		want := test.app + machine + "ok    authority    none yet; cordon up makes one in " + test.dir +
			"/.cordon/ca\nlocalhost\nclock\n"
		if got := masked(out); got != want || errs != "" {
			t.Errorf("of %s it says\n%s%s\nwant\n%s", test.dir, got, errs, want)
		}
	}
}
