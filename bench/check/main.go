// Check measures cordon check on a project with a long list: the whole command, its
// start included.
//
//	cd bench && go run ./check
//
// Each kind of list is checked some times in turn. The printed times are those of the
// run that took the least processor time: what else the machine does adds to it and
// never takes away.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	rules := flag.Int("rules", 100_000, "how many entries the list has")
	runs := flag.Int("runs", 5, "how often each list is checked")
	binary := flag.String("cordon", "", "the command to measure, instead of the one of this tree")
	flag.Parse()
	if err := run(*rules, *runs, *binary); err != nil {
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(1)
	}
}

// lists are the kinds of lists, by their n-th entry.
var lists = []struct {
	name  string
	entry func(n int) string
}{
	{"exact hosts", exact},
	{"mixed", func(n int) string {
		switch n % 10 {
		case 0:
			return fmt.Sprintf(`<access origin="https://*.host%d.example.org" />`, n)
		case 1:
			return fmt.Sprintf(`<access origin="http://host%d.example%d.org:8080/api/*" />`, n, n%1000)
		case 2:
			return fmt.Sprintf(`<allow-navigation href="https://host%d.example%d.org/*" />`, n, n)
		case 3:
			return fmt.Sprintf(`<allow-intent href="https://host%d.example.org/*" />`, n)
		case 4: // below the wildcard of the first case
			return fmt.Sprintf(`<access origin="https://www.host%d.example.org" />`, n-4)
		}
		return exact(n)
	}},
	{"and one for all", func(n int) string {
		if n == 0 {
			return `<access origin="*" />`
		}
		return exact(n)
	}},
}

func exact(n int) string {
	return fmt.Sprintf(`<access origin="https://host%d.example%d.org" />`, n, n)
}

func run(rules, runs int, binary string) error {
	dir, err := os.MkdirTemp("", "cordon-check-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if binary == "" {
		binary = filepath.Join(dir, "cordon")
		build := exec.Command("go", "build", "-o", binary, "./cmd/cordon")
		build.Dir, build.Stderr = "..", os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("build cordon: %w", err)
		}
	}
	fmt.Printf("%d entries\n%-16s %8s %8s %8s %8s\n", rules, "", "time", "user", "system", "memory")
	for _, list := range lists {
		project := filepath.Join(dir, list.name)
		if err := write(project, rules, list.entry); err != nil {
			return err
		}
		best, err := measure(binary, project, runs)
		if err != nil {
			return fmt.Errorf("%s: %w", list.name, err)
		}
		fmt.Printf("%-16s %6.2f s %6.2f s %6.2f s %4d MiB\n", list.name, best.wall.Seconds(), best.user.Seconds(),
			best.system.Seconds(), best.memory>>10)
	}
	return nil
}

// write makes a project with a list.
func write(dir string, rules int, entry func(n int) string) error {
	var b strings.Builder
	b.WriteString("<?xml version='1.0' encoding='utf-8'?>\n<widget id=\"org.example.long\" version=\"1.0.0\" " +
		"xmlns=\"http://www.w3.org/ns/widgets\">\n    <name>Long</name>\n    <content src=\"index.html\" />\n")
	for n := range rules {
		b.WriteString("    " + entry(n) + "\n")
	}
	b.WriteString("</widget>\n")
	if err := os.MkdirAll(filepath.Join(dir, "www"), 0o755); err != nil {
		return err
	}
	page := "<!doctype html>\n<title>Long</title>\n"
	if err := os.WriteFile(filepath.Join(dir, "www", "index.html"), []byte(page), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config.xml"), []byte(b.String()), 0o600)
}

// cost is what one run took; memory is in KiB.
type cost struct {
	wall, user, system time.Duration
	memory             int64
}

// measure returns the cost of the run that took the least processor time.
func measure(binary, project string, runs int) (best cost, err error) {
	for range max(runs, 1) {
		cmd := exec.Command(binary, "check", "--fail-on", "never", project)
		cmd.Stderr = os.Stderr
		began := time.Now()
		err := cmd.Run()
		c := cost{wall: time.Since(began)}
		if err != nil {
			return cost{}, err
		}
		used, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		if !ok {
			return cost{}, errors.New("this system does not say what a process used")
		}
		c.user, c.system, c.memory = cmd.ProcessState.UserTime(), cmd.ProcessState.SystemTime(), used.Maxrss
		if best == (cost{}) || c.user+c.system < best.user+best.system {
			best = c
		}
	}
	return best, nil
}
