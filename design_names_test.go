package cordon_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	flagName  = regexp.MustCompile(`--[a-z][a-z-]*`)
	dottedKey = regexp.MustCompile(`^([a-z_]+)\.([a-z_]+)(?:\.[a-z_]+)*$`)
	wordAlone = regexp.MustCompile(`^[a-z][a-z-]*$`)
)

// ruleVariables are what a condition asks for; their first word is a section's name
// too.
var ruleVariables = map[string]bool{"app.id": true, "app.version": true}

// The subcommands, flags and keys that the design and the reference name exist: the
// pages of commands and of cordon.yaml, which are made from the program, have them.
func TestDocumentsNameWhatExists(t *testing.T) {
	commands := pageSections(t, "docs/reference/commands.md")
	keys := pageSections(t, "docs/reference/cordon-yaml.md")
	files, err := filepath.Glob("docs/reference/*.md")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, file := range append(files, designFile) {
		if strings.HasSuffix(file, "commands.md") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, span := range codeSpan.FindAllStringSubmatch(string(data), -1) {
			if strings.HasPrefix(span[1], "cordon ") {
				count++
				checkNamedCommand(t, file, span[1], commands)
			}
			m := dottedKey.FindStringSubmatch(span[1])
			if m == nil || keys["`"+m[1]+"`"] == "" || ruleVariables[span[1]] {
				continue
			}
			count++
			if !strings.Contains(keys["`"+m[1]+"`"], "\n| `"+m[2]+"` |") {
				t.Errorf("%s: %q is no key of cordon.yaml", file, span[1])
			}
		}
	}
	if count < 25 {
		t.Errorf("only %d commands and keys were found in the documents", count)
	}
}

// checkNamedCommand looks for a command, its subcommands and its flags.
func checkNamedCommand(t *testing.T, file, text string, commands map[string]string) {
	t.Helper()
	words := strings.Fields(text)
	name := words[0]
	for _, word := range words[1:] {
		if !wordAlone.MatchString(word) || name != "cordon" && !hasSubcommands(name, commands) {
			break
		}
		name += " " + word
		if commands[name] == "" {
			t.Errorf("%s: there is no command %s", file, name)
			return
		}
	}
	for _, flag := range flagName.FindAllString(text, -1) {
		if !strings.Contains(commands[name], "`"+flag) && !strings.Contains(commands[name], ", "+flag) {
			t.Errorf("%s: %s has no flag %s", file, name, flag)
		}
	}
}

func hasSubcommands(name string, commands map[string]string) bool {
	for other := range commands {
		if strings.HasPrefix(other, name+" ") {
			return true
		}
	}
	return false
}

// pageSections returns the text below each heading of the second level.
func pageSections(t *testing.T, file string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, part := range strings.Split(string(data), "\n## ")[1:] {
		heading, body, _ := strings.Cut(part, "\n")
		all[heading] = body
	}
	return all
}
