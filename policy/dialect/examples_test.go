package dialect_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestCorpus decides every question of the corpus. A question is a txtar file
// in ../testdata/corpus with the files
//
//	source      where the verdicts come from
//	config.xml  the document, which a Capacitor app may be without
//	capacitor.config.json  the Capacitor configuration, if there is one
//	verdicts    a line each: target, kind, url, verdict and, if it matters, the
//	            reason, with tabs between them
//
// A URL that begins with a double quote is a Go string literal. Lines of
// verdicts that are empty or begin with "#" are comments.
func TestCorpus(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../testdata/corpus/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			checkQuestion(t, file)
		})
	}
}

func checkQuestion(t *testing.T, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	for _, part := range txtar.Parse(data).Files {
		parts[part.Name] = string(part.Data)
	}
	if strings.TrimSpace(parts["source"]) == "" {
		t.Error("the question names no source")
	}
	doc, err := readDocument(parts)
	if err != nil {
		t.Fatal(err)
	}
	policies := map[string]*policy.Policy{}
	asked := 0
	for i, line := range strings.Split(parts["verdicts"], "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		asked++
		if err := checkVerdict(doc, policies, line); err != "" {
			t.Errorf("verdicts:%d: %s", i+1, err)
		}
	}
	if asked == 0 {
		t.Error("the question has no verdicts")
	}
}

// readDocument is the document of what the app of a question ships.
func readDocument(parts map[string]string) (doc *configxml.Document, err error) {
	if text, ok := parts["config.xml"]; ok {
		if doc, err = configxml.Parse("config.xml", []byte(text)); err != nil {
			return nil, err
		}
	}
	text, ok := parts["capacitor.config.json"]
	if !ok {
		return doc, err
	}
	config, err := capacitor.Read("capacitor.config.json", []byte(text))
	if err != nil {
		return nil, err
	}
	return configxml.Effective("capacitor.config.json", doc, configxml.Additions{Capacitor: config}), nil
}

// checkVerdict decides one line and returns what is wrong, or "".
func checkVerdict(doc *configxml.Document, policies map[string]*policy.Policy, line string) string {
	fields := strings.Split(line, "\t")
	if len(fields) < 4 || len(fields) > 5 {
		return "not 4 or 5 fields with tabs between them: " + line
	}
	target, url := fields[0], fields[2]
	compiled := policies[target]
	if compiled == nil {
		parsed, err := dialect.ParseTarget(target)
		if err != nil {
			return err.Error()
		}
		if compiled, err = dialect.Compile(doc, parsed); err != nil {
			return err.Error()
		}
		policies[target] = compiled
	}
	kind, err := policy.ParseKind(fields[1])
	if err != nil {
		return err.Error()
	}
	if strings.HasPrefix(url, `"`) {
		if url, err = strconv.Unquote(url); err != nil {
			return "url " + fields[2] + ": " + err.Error()
		}
	}
	got := compiled.Decide(policy.Request{URL: url, Kind: kind})
	if got.Verdict.String() != fields[3] || len(fields) == 5 && got.Reason.String() != fields[4] {
		return target + " " + fields[1] + " " + strconv.Quote(url) + ": " +
			got.Verdict.String() + " (" + got.Reason.String() + "), want " + strings.Join(fields[3:], " ")
	}
	return ""
}
