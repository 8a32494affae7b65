package doctor

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/ca"
	"github.com/cordon-sec/cordon/internal/port"
)

// write writes a file below dir.
func write(t testing.TB, dir, name, text string, mode os.FileMode) string {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return file
}

// find returns what was said about one thing.
func find(t testing.TB, c Config, what string) Check {
	t.Helper()
	for _, check := range Examine(t.Context(), c) {
		if check.What == what {
			return check
		}
	}
	t.Fatalf("nothing is said about %s", what)
	return Check{}
}

const developmentYAML = "identity: { providers: { development: { type: development } } }\n"

// An app without a cordon.yaml runs, one that cannot be read or has no pages does
// not.
func TestApp(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	dir := filepath.Join(t.TempDir(), "app")
	want := func(want Check) {
		t.Helper()
		if got := find(t, Config{Dir: dir}, "app"); got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
	want(Check{Ill, "app", dir + ": no such folder", "cordon init " + dir})
	config := write(t, dir, "config.xml", "<widget><name>Notes</name></widget>", 0o644)
	want(Check{Ill, "app", dir + ": there are no built pages (looked for www): build them (npm run build), " +
		"or name the development server with --app-url http://localhost:5173", "cordon init " + dir})
	write(t, dir, "www/index.html", "", 0o644)
	want(Check{Note, "app", "Notes (" + config + "); no cordon.yaml: sign-in for development, no tables", ""})
	file := write(t, dir, "cordon.yaml", developmentYAML, 0o644)
	want(Check{Well, "app", "Notes (" + config + ")", ""})
	write(t, dir, "cordon.yaml", "servr: {}\n", 0o644)
	if got := find(t, Config{Dir: dir}, "app"); got.Mark != Ill ||
		got.Remedy != "cordon config check "+file+" says what is wrong" {
		t.Errorf("of a cordon.yaml with a mistake it says %q", got)
	}
	write(t, dir, "config.xml", "<widget", 0o644)
	if got := find(t, Config{Dir: dir}, "app"); got.Mark != Ill || got.Remedy != "cordon init "+dir {
		t.Errorf("of a broken config.xml it says %q", got)
	}
}

// A program is well if it says its version; one that is missing, too old or silent is
// a note.
func TestTools(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	for name, want := range map[string]Check{
		"node": {Note, "node", "not here; it is for Cordova and the client library", "https://nodejs.org"},
		"cordova": {Note, "cordova", "not here; it is for building the app for devices",
			"npm install --global cordova"},
	} {
		if got := find(t, Config{}, name); got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
	if runtime.GOOS == "windows" {
		t.Skip("scripts stand in for programs")
	}
	for script, want := range map[string]Check{
		"echo v18.20.1": {Note, "node", "v18.20.1: Cordova wants 20 or newer",
			"https://nodejs.org"},
		"echo v22.0.0; echo more": {Well, "node", "v22.0.0", ""},
		"exit 3": {Note, "node", filepath.Join(bin, "node") + " does not say its version",
			"https://nodejs.org"},
		"[ \"$*\" = --version ] && echo v20.1": {Well, "node", "v20.1", ""},
	} {
		write(t, bin, "node", "#!/bin/sh\n"+script+"\n", 0o755)
		if got := find(t, Config{}, "node"); got != want {
			t.Errorf("of %s it says %q, want %q", script, got, want)
		}
	}
}

func TestBrowser(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere any browser will do")
	}
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	want := Check{Note, "browser", "no Chromium, which takes the gateway as a flag", "the system's package chromium"}
	if got := find(t, Config{}, "browser"); got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	file := write(t, bin, "google-chrome", "#!/bin/sh\n", 0o755)
	if got, want := find(t, Config{}, "browser"), (Check{Well, "browser", file, ""}); got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
}

// A port is looked at by taking it for a moment.
func TestPorts(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	held, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	number := held.Addr().(*net.TCPAddr).Port
	c := Config{Ports: []Port{{Number: uint16(number), Remedy: "take another"}}}
	what := "port " + held.Addr().String()[len("127.0.0.1:"):]
	if got, want := find(t, c, what), (Check{Note, what, "held by " + port.Holder(number),
		"take another"}); got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := find(t, c, what), (Check{Well, what, "free", ""}); got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
}

func TestAuthority(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	dir := t.TempDir()
	folder := filepath.Join(dir, ".cordon", "ca")
	want := Check{Well, "authority", "none yet; cordon up makes one in " + folder, ""}
	if got := find(t, Config{Dir: dir}, "authority"); got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	a, err := ca.Create(folder, ca.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want = Check{Well, "authority", a.String() + ", until " + a.Certificate().NotAfter.UTC().Format(time.DateOnly),
		"what trusting it takes: cordon ca trust --dir " + folder}
	if got := find(t, Config{Dir: dir}, "authority"); got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	write(t, folder, ca.CertificateFile, "broken", 0o644)
	if got := find(t, Config{Dir: dir}, "authority"); got.Mark != Ill ||
		got.Remedy != "remove "+folder+", and cordon up makes a new one" {
		t.Errorf("of a broken authority it says %q", got)
	}
}

// A clock before the program was built is wrong.
func TestClock(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(executable)
	if err != nil {
		t.Fatal(err)
	}
	built := info.ModTime()
	for _, test := range []struct {
		now  time.Time
		want Check
	}{
		{built.Add(time.Hour), Check{Well, "clock", built.Add(time.Hour).UTC().Format(time.RFC3339), ""}},
		{built.Add(-48 * time.Hour), Check{Ill, "clock",
			built.Add(-48*time.Hour).UTC().Format(time.RFC3339) + " is before this program was built",
			"set the clock: certificates depend on it"}},
	} {
		if got := find(t, Config{Now: test.now}, "clock"); got != test.want {
			t.Errorf("it says %q, want %q", got, test.want)
		}
	}
}

// Everything is looked at, always in the same order.
func TestOrder(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	checks := Examine(t.Context(), Config{Dir: t.TempDir(), Ports: []Port{{Number: 1}, {Number: 2}}})
	want := []string{"app", "go", "node", "npm", "cordova", "git", "browser", "port 1", "port 2", "authority",
		"localhost", "clock"}
	if len(checks) != len(want) {
		t.Fatalf("%d things are looked at, want %d", len(checks), len(want))
	}
	for i, c := range checks {
		if c.What != want[i] {
			t.Errorf("%d is %s, want %s", i, c.What, want[i])
		}
	}
}
