//go:build ignore

// This program writes rules.txt, or with an argument "-" standard output, from the Public Suffix List in the module
// golang.org/x/net that go.mod names.
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run() error {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/net").Output()
	if err != nil {
		return fmt.Errorf("find golang.org/x/net: %w", err)
	}
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "publicsuffix", "table_test.go"))
	if err != nil {
		return err
	}
	count := regexp.MustCompile(`const numICANNRules = (\d+)`).FindSubmatch(source)
	start := bytes.Index(source, []byte("var rules = "))
	if count == nil || start < 0 {
		return fmt.Errorf("the table of golang.org/x/net has another form than expected")
	}
	registry, err := strconv.Atoi(string(count[1]))
	if err != nil {
		return err
	}
	body := source[start:]
	body = body[:bytes.Index(body, []byte("\n}\n"))]
	var lines []string
	for i, m := range regexp.MustCompile(`(?m)^\t"([^"]+)",$`).FindAllSubmatch(body, -1) {
		part := "i"
		if i >= registry {
			part = "p"
		}
		lines = append(lines, string(m[1])+" "+part)
	}
	sort.Slice(lines, func(i, j int) bool { return rule(lines[i]) < rule(lines[j]) })
	if len(lines) < 5000 {
		return fmt.Errorf("only %d rules", len(lines))
	}
	table := []byte(strings.Join(lines, "\n") + "\n")
	if len(os.Args) > 1 && os.Args[1] == "-" {
		_, err := os.Stdout.Write(table)
		return err
	}
	return os.WriteFile("rules.txt", table, 0o644)
}

func rule(line string) string { return line[:len(line)-2] }
