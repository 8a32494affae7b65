//go:build ignore

// This program writes docs/reference/rules.md from the table of rules.
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/cordon-sec/cordon/policy/lint/report"
)

func main() {
	var page bytes.Buffer
	err := report.WriteReference(&page)
	if err == nil {
		err = os.WriteFile("../../../docs/reference/rules.md", page.Bytes(), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}
