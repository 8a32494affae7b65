// Package doctor looks at an app and at this machine, and says what is there for
// working on the app with cordon up: the app's files, the programs that the work
// needs, the ports, the development authority, the clock. It is what cordon doctor
// does.
//
//	for _, c := range doctor.Examine(ctx, doctor.Config{Dir: "examples/todo"}) {
//		fmt.Println(c.Mark, c.What, c.Says)
//	}
//
// It changes nothing and asks nothing of the network. Examine may be called
// concurrently.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/ca"
	"github.com/cordon-sec/cordon/internal/port"
	"github.com/cordon-sec/cordon/project/folder"
	"github.com/cordon-sec/cordon/settings"
)

// Mark says how bad it is.
type Mark string

// The marks of a Check.
const (
	Well Mark = "ok"   // it is there
	Note Mark = "note" // something works less well without it
	Ill  Mark = "bad"  // cordon up does not work
)

// Check is one thing that was looked at. Its texts may hold what files and programs
// say: a terminal gets them through wording.Printable.
type Check struct {
	Mark Mark   `json:"mark"`
	What string `json:"what"`
	Says string `json:"says"`
	// Remedy is what to do; "" when nothing is.
	Remedy string `json:"remedy,omitempty"`
}

// Port is a port that cordon up would take.
type Port struct {
	Number uint16
	// Remedy is what to do where another process holds it.
	Remedy string
}

// Config says what to look at.
type Config struct {
	// Dir is the app's folder.
	Dir string
	// Ports are those of this machine that have to be free.
	Ports []Port
	// Now is the time that is judged; zero: the clock's.
	Now time.Time
}

// Examine looks at everything, in an order that does not change. A program that says
// its version gets ten seconds for it, and so does the system for naming localhost.
func Examine(ctx context.Context, c Config) []Check {
	all := []Check{examineApp(c.Dir)}
	for _, tool := range []struct{ name, option, purpose, remedy string }{
		{"go", "version", "building cordon from source", "https://go.dev/dl"},
		{"node", "--version", "Cordova and the client library", "https://nodejs.org"},
		{"npm", "--version", "Cordova and the client library", "it comes with Node.js"},
		{"cordova", "--version", "building the app for devices", "npm install --global cordova"},
		{"git", "--version", "comparing with earlier versions (cordon diff)", "the system's package git"},
	} {
		all = append(all, examineTool(ctx, tool.name, tool.option, tool.purpose, tool.remedy))
	}
	all = append(all, examineBrowser())
	for _, p := range c.Ports {
		all = append(all, examinePort(ctx, p))
	}
	now := c.Now
	if now.IsZero() {
		now = time.Now()
	}
	return append(all, examineAuthority(c.Dir), examineLocalhost(ctx), examineClock(now))
}

func examineApp(dir string) Check {
	site, err := folder.OpenSite(dir, false)
	var pages *folder.NoPagesError
	switch {
	case errors.As(err, &pages):
		return Check{Ill, "app", err.Error() + " with --app-url http://localhost:5173", "cordon init " + dir}
	case err != nil:
		return Check{Ill, "app", err.Error(), "cordon init " + dir}
	}
	says := site.Name + " (" + site.Rules + ")"
	file := filepath.Join(dir, "cordon.yaml")
	if _, err := os.Stat(file); err != nil {
		return Check{Note, "app", says + "; no cordon.yaml: sign-in for development, no tables", ""}
	}
	if _, err := settings.Load(file); err != nil {
		return Check{Ill, "app", err.Error(), "cordon config check " + file + " says what is wrong"}
	}
	return Check{Well, "app", says, ""}
}

// toolTime is how long a program may take to say its version.
const toolTime = 10 * time.Second

func examineTool(ctx context.Context, name, option, purpose, remedy string) Check {
	path, err := exec.LookPath(name)
	if err != nil {
		return Check{Note, name, "not here; it is for " + purpose, remedy}
	}
	ctx, cancel := context.WithTimeout(ctx, toolTime)
	defer cancel()
	tool := exec.CommandContext(ctx, path, option)
	tool.WaitDelay = time.Second
	out, err := tool.Output()
	if err != nil {
		return Check{Note, name, path + " does not say its version", remedy}
	}
	text, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	major, _, _ := strings.Cut(strings.TrimPrefix(text, "v"), ".")
	if n, err := strconv.Atoi(major); name == "node" && err == nil && n < 20 {
		return Check{Note, name, text + ": Cordova wants 20 or newer", remedy}
	}
	return Check{Well, name, text, ""}
}

func examineBrowser() Check {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return Check{Well, "browser", path, ""}
		}
	}
	if runtime.GOOS != "linux" {
		return Check{Well, "browser", "any; Chromium takes the gateway as a flag", ""}
	}
	return Check{Note, "browser", "no Chromium, which takes the gateway as a flag", "the system's package chromium"}
}

func examinePort(ctx context.Context, p Port) Check {
	what := fmt.Sprintf("port %d", p.Number)
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(p.Number))))
	if err != nil {
		return Check{Note, what, "held by " + port.Holder(int(p.Number)), p.Remedy}
	}
	_ = l.Close() // it was only to see
	return Check{Well, what, "free", ""}
}

func examineAuthority(dir string) Check {
	folder := filepath.Join(dir, ".cordon", "ca")
	a, err := ca.Open(folder)
	switch {
	case errors.Is(err, ca.ErrNone):
		return Check{Well, "authority", "none yet; cordon up makes one in " + folder, ""}
	case err != nil:
		return Check{Ill, "authority", err.Error(), "remove " + folder + ", and cordon up makes a new one"}
	}
	until := a.Certificate().NotAfter.UTC().Format(time.DateOnly)
	return Check{Well, "authority", fmt.Sprintf("%s, until %s", a, until),
		"what trusting it takes: cordon ca trust --dir " + folder}
}

// examineLocalhost looks whether localhost is this machine.
func examineLocalhost(ctx context.Context) Check {
	ctx, cancel := context.WithTimeout(ctx, toolTime)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupIPAddr(ctx, "localhost")
	if err != nil || len(addresses) == 0 {
		return Check{Ill, "localhost", "does not resolve", "add the line 127.0.0.1 localhost to the hosts file"}
	}
	for _, a := range addresses {
		if !a.IP.IsLoopback() {
			return Check{Ill, "localhost", "resolves to " + a.String(),
				"localhost must be this machine, for sign-in and certificates: make it 127.0.0.1 in the hosts file"}
		}
	}
	return Check{Well, "localhost", addresses[0].String(), ""}
}

// examineClock finds clocks that no certificate is valid at.
func examineClock(now time.Time) Check {
	executable, err := os.Executable()
	if err == nil {
		if info, err := os.Stat(executable); err == nil && now.Before(info.ModTime().Add(-24*time.Hour)) {
			return Check{Ill, "clock", now.UTC().Format(time.RFC3339) + " is before this program was built",
				"set the clock: certificates depend on it"}
		}
	}
	return Check{Well, "clock", now.UTC().Format(time.RFC3339), ""}
}
