package cordon_test

import (
	"fmt"
	"go/doc"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/golden"
)

const designFile = "docs/design.md"

// The folders and the import table of docs/design.md are made from the packages'
// own comments and from the table that TestImportDirections holds the tree to.
// With -update they are written anew.
func TestDesignShowsTheTree(t *testing.T) {
	data, err := os.ReadFile(designFile)
	if err != nil {
		t.Fatal(err)
	}
	made := string(data)
	for name, text := range map[string]string{"folders": folders(t), "imports": importTable()} {
		begin, end := "<!-- "+name+": made by make update -->\n", "<!-- end of "+name+" -->\n"
		before, rest, ok := strings.Cut(made, begin)
		_, after, closed := strings.Cut(rest, end)
		if !ok || !closed {
			t.Fatalf("%s has no place for the %s: %q … %q", designFile, name, begin, end)
		}
		made = before + begin + text + end + after
	}
	golden.Compare(t, designFile, []byte(made))
}

// folders is a table of all packages with the first sentence of their comments.
func folders(t *testing.T) string {
	t.Helper()
	synopses := map[string]string{}
	for _, s := range sources(t) {
		generator := s.ast.Name.Name == "main" && strings.Contains(firstLine(t, s.file), "//go:build ignore")
		if s.test() || s.dir == "." || generator {
			continue
		}
		if text := s.ast.Doc.Text(); synopses[s.dir] == "" {
			synopses[s.dir] = new(doc.Package).Synopsis(text)
		}
	}
	var dirs []string
	for dir := range synopses {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	var b strings.Builder
	b.WriteString("\n| folder | what it is |\n|---|---|\n")
	for _, dir := range dirs {
		text := strings.TrimRight(synopses[dir], ".:")
		for _, lead := range []string{"Package " + path.Base(dir) + " ", "Command " + path.Base(dir) + " "} {
			text = strings.TrimPrefix(text, lead)
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", dir, strings.ReplaceAll(text, "|", `\|`))
	}
	b.WriteString("\n")
	return b.String()
}

func firstLine(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return line
}

// importTable is the table of who may import whom.
func importTable() string {
	var keys []string
	for key := range mayImport {
		if key != "." {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	var b strings.Builder
	b.WriteString("\n| package | may import of ours |\n|---|---|\n")
	for _, key := range keys {
		allowed := slices.Sorted(slices.Values(mayImport[key]))
		text := "nothing"
		if len(allowed) > 0 {
			text = "`" + strings.Join(allowed, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", key, text)
	}
	b.WriteString("\n")
	return b.String()
}

// The import table has no row, and no entry in one, that covers no package.
func TestImportTableHasNoGhosts(t *testing.T) {
	var dirs []string
	for _, s := range sources(t) {
		dirs = append(dirs, s.dir)
	}
	for key, allowed := range mayImport {
		for _, pattern := range append([]string{key}, allowed...) {
			if !slices.ContainsFunc(dirs, func(dir string) bool { return covers(pattern, dir) }) {
				t.Errorf("the row of %s names %s, which is no package", key, pattern)
			}
		}
	}
}

var (
	codeSpan     = regexp.MustCompile("`([^`\n]+)`")
	commandWords = regexp.MustCompile(`^cordon ([a-z][a-z-]*)`)
	pathLike     = regexp.MustCompile(`^[a-z][a-zA-Z0-9_.-]*(/[a-zA-Z0-9_.*-]+)+/?$`)
	settingsTag  = regexp.MustCompile("(?s)type Settings struct \\{(.*?)\n\\}")
	yamlTag      = regexp.MustCompile("`yaml:\"([a-z_]+)\"")
)

// docs/design.md names no command, path or key that does not exist.
func TestDesignNamesWhatExists(t *testing.T) {
	design, err := os.ReadFile(designFile)
	if err != nil {
		t.Fatal(err)
	}
	commands, err := os.ReadFile("docs/reference/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	top, _, _ := strings.Cut(string(design), "<!-- folders")
	_, rest, _ := strings.Cut(string(design), "<!-- end of imports -->")
	for _, span := range codeSpan.FindAllStringSubmatch(top+rest, -1) {
		text := span[1]
		if m := commandWords.FindStringSubmatch(text); m != nil &&
			!strings.Contains(string(commands), "\n## cordon "+m[1]+"\n") {
			t.Errorf("%s: there is no command cordon %s", designFile, m[1])
		}
		first, _, _ := strings.Cut(text, "/")
		if pathLike.MatchString(text) && exists(first) && !exists(text) {
			t.Errorf("%s: there is no %s", designFile, text)
		}
	}
	source, err := os.ReadFile("settings/settings.go")
	if err != nil {
		t.Fatal(err)
	}
	body := settingsTag.FindStringSubmatch(string(source))
	if body == nil {
		t.Fatal("settings/settings.go has no type Settings")
	}
	var want []string
	for _, tag := range yamlTag.FindAllStringSubmatch(body[1], -1) {
		want = append(want, "`"+tag[1]+"`")
	}
	line := "Top-level keys: " + strings.Join(want, ", ") + "."
	if !strings.Contains(string(design), line) {
		t.Errorf("%s must say %q", designFile, line)
	}
}

// exists reports whether a path of the repository is there, as a file, a folder
// or, without its ending, a Go file; "*" stands for any part.
func exists(name string) bool {
	name = strings.TrimSuffix(name, "/")
	if strings.Contains(name, "*") {
		name = strings.TrimSuffix(strings.TrimSuffix(name, "/**"), "/*")
	}
	for _, each := range []string{name, name + ".go"} {
		if _, err := os.Stat(each); err == nil {
			return true
		}
	}
	return false
}

// topics are what the decision records are about, by the first number of each.
var topics = []struct {
	from  int
	title string
}{
	{1, "How a list decides"}, {10, "Patterns and their index"}, {20, "How the platforms read"},
	{30, "config.xml, rules and fixes"}, {40, "What goes out: names, addresses, pins, certificates"},
	{50, "The gateway"}, {60, "Who asks: sign-in, tokens, services"}, {70, "Tables, stores and protocols"},
	{80, "The plugin and the exports"}, {100, "Comparing, proving, migrating"},
	{110, "Development, console, documentation"},
	{120, "Speed, measured"},
}

var recordName = regexp.MustCompile(`^(\d{4})-[a-z0-9.-]+\.md$`)

// The index of the decision records is made from their headings.
func TestDecisionsIndexIsInDesign(t *testing.T) {
	entries, err := os.ReadDir("docs/decisions")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("# Decisions\n\nWhat was chosen where something else was possible: the context, the choice, what " +
		"was given up. " +
		"What code does is said in the packages' own comments.\nMade by make update.\n")
	next := 0
	for _, entry := range entries {
		m := recordName.FindStringSubmatch(entry.Name())
		if m == nil {
			continue
		}
		number, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		for next < len(topics) && number >= topics[next].from {
			fmt.Fprintf(&b, "\n## %s\n\n", topics[next].title)
			next++
		}
		heading, ok := strings.CutPrefix(firstLine(t, "docs/decisions/"+entry.Name()), "# ")
		if !ok {
			t.Errorf("docs/decisions/%s must begin with a heading", entry.Name())
		}
		_, title, _ := strings.Cut(heading, ". ")
		fmt.Fprintf(&b, "- [%s](%s)\n", title, entry.Name())
	}
	golden.Compare(t, "docs/decisions/README.md", []byte(b.String()))
}
