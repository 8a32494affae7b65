package main

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
	"github.com/cordon-sec/cordon/internal/output"
	"github.com/cordon-sec/cordon/internal/port"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/spf13/cobra"
)

// The marks of a diagnosis.
const (
	wellMark = "ok"   // it is there
	noteMark = "note" // something works less well without it
	illMark  = "bad"  // cordon up does not work
)

// diagnosis is one thing that was looked at.
type diagnosis struct {
	Mark string `json:"mark"`
	What string `json:"what"`
	Says string `json:"says"`
	// Remedy is what to do; "" when nothing is.
	Remedy string `json:"remedy,omitempty"`
}

func newDoctorCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "doctor [DIR]",
		Short: "Check what this machine has for working on an app",
		Long: `Doctor looks at the app in DIR (the current folder by default) and at this
machine: the programs that the work needs, the ports that cordon up takes, the
development authority, the clock. It changes nothing and asks nothing of the
network.

"ok" is fine, "note" says what works less well, "bad" what keeps cordon up from
working; with a bad one the exit status is 1.`,
		Example: `  cordon doctor
  cordon doctor --format json examples/todo`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			return runDoctor(cmd, dir, format)
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "text", "text or json")
	return cmd
}

func runDoctor(cmd *cobra.Command, dir, format string) error {
	if err := output.CheckFormat(format, "text", "json"); err != nil {
		return err
	}
	all := examine(cmd.Context(), dir)
	out := cmd.OutOrStdout()
	if format == "json" {
		if err := output.JSON(out, 1, map[string]any{"diagnoses": all}); err != nil {
			return environment(err)
		}
	}
	bad := false
	for _, d := range all {
		bad = bad || d.Mark == illMark
		if format == "text" {
			fmt.Fprintf(out, "%-5s %-12s %s\n", d.Mark, d.What, wording.Printable(d.Says))
			if d.Remedy != "" {
				fmt.Fprintf(out, "%-18s %s\n", "", wording.Printable(d.Remedy))
			}
		}
	}
	if bad {
		return found()
	}
	return nil
}

func examine(ctx context.Context, dir string) []diagnosis {
	all := []diagnosis{examineApp(dir)}
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
	for _, port := range []struct {
		number int
		flag   string
	}{{8443, "--port"}, {3128, "--gateway-port"}, {9090, "--admin-port"}} {
		all = append(all, examinePort(ctx, port.number, port.flag))
	}
	return append(all, examineAuthority(dir), examineLocalhost(ctx), examineClock(time.Now()))
}

func examineApp(dir string) diagnosis {
	app, err := openAppFolder(dir, false)
	if err != nil {
		return diagnosis{illMark, "app", err.Error(), "cordon init " + dir}
	}
	says := app.Name + " (" + app.Rules + ")"
	if _, err := os.Stat(filepath.Join(dir, "cordon.yaml")); err != nil {
		return diagnosis{noteMark, "app", says + "; no cordon.yaml: sign-in for development, no tables", ""}
	}
	if _, err := loadSettings(filepath.Join(dir, "cordon.yaml")); err != nil {
		return diagnosis{illMark, "app", err.Error(), "cordon config check " + filepath.Join(dir, "cordon.yaml") + " says what is wrong"}
	}
	return diagnosis{wellMark, "app", says, ""}
}

// toolTime is how long a program may take to say its version.
const toolTime = 10 * time.Second

func examineTool(ctx context.Context, name, option, purpose, remedy string) diagnosis {
	path, err := exec.LookPath(name)
	if err != nil {
		return diagnosis{noteMark, name, "not here; it is for " + purpose, remedy}
	}
	ctx, cancel := context.WithTimeout(ctx, toolTime)
	defer cancel()
	tool := exec.CommandContext(ctx, path, option)
	tool.WaitDelay = time.Second
	out, err := tool.Output()
	if err != nil {
		return diagnosis{noteMark, name, path + " does not say its version", remedy}
	}
	text, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	major, _, _ := strings.Cut(strings.TrimPrefix(text, "v"), ".")
	if n, err := strconv.Atoi(major); name == "node" && err == nil && n < 20 {
		return diagnosis{noteMark, name, text + ": Cordova wants 20 or newer", remedy}
	}
	return diagnosis{wellMark, name, text, ""}
}

func examineBrowser() diagnosis {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return diagnosis{wellMark, "browser", path, ""}
		}
	}
	if runtime.GOOS != "linux" {
		return diagnosis{wellMark, "browser", "any; Chromium takes the gateway as a flag", ""}
	}
	return diagnosis{noteMark, "browser", "no Chromium, which takes the gateway as a flag", "the system's package chromium"}
}

func examinePort(ctx context.Context, number int, flag string) diagnosis {
	what := fmt.Sprintf("port %d", number)
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(number)))
	if err != nil {
		return diagnosis{noteMark, what, "held by " + port.Holder(number), "cordon up " + flag + " chooses another"}
	}
	_ = l.Close() // it was only to see
	return diagnosis{wellMark, what, "free", ""}
}

func examineAuthority(dir string) diagnosis {
	folder := filepath.Join(dir, ".cordon", "ca")
	a, err := ca.Open(folder)
	switch {
	case errors.Is(err, ca.ErrNone):
		return diagnosis{wellMark, "authority", "none yet; cordon up makes one in " + folder, ""}
	case err != nil:
		return diagnosis{illMark, "authority", err.Error(), "remove " + folder + ", and cordon up makes a new one"}
	}
	return diagnosis{wellMark, "authority", fmt.Sprintf("%s, until %s", a, a.Certificate().NotAfter.UTC().Format(time.DateOnly)),
		"what trusting it takes: cordon ca trust --dir " + folder}
}

// examineLocalhost looks whether localhost is this machine.
func examineLocalhost(ctx context.Context) diagnosis {
	ctx, cancel := context.WithTimeout(ctx, toolTime)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupIPAddr(ctx, "localhost")
	if err != nil || len(addresses) == 0 {
		return diagnosis{illMark, "localhost", "does not resolve", "add 127.0.0.1 localhost to the hosts file"}
	}
	for _, a := range addresses {
		if !a.IP.IsLoopback() {
			return diagnosis{illMark, "localhost", "resolves to " + a.String(), "localhost has to be 127.0.0.1 in the hosts file"}
		}
	}
	return diagnosis{wellMark, "localhost", addresses[0].String(), ""}
}

// examineClock finds clocks that no certificate is valid at.
func examineClock(now time.Time) diagnosis {
	executable, err := os.Executable()
	if err == nil {
		if info, err := os.Stat(executable); err == nil && now.Before(info.ModTime().Add(-24*time.Hour)) {
			return diagnosis{illMark, "clock", now.UTC().Format(time.RFC3339) + " is before this program was built", "set the clock: certificates depend on it"}
		}
	}
	return diagnosis{wellMark, "clock", now.UTC().Format(time.RFC3339), ""}
}
