package prove

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/csp"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/export"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// Exports are the names that CheckExport knows.
func Exports() []string { return []string{export.CSP} }

// cspKinds are the kinds of request that each directive governs.
var cspKinds = []struct {
	directive string
	kinds     []policy.Kind
}{
	{"connect-src", []policy.Kind{policy.XHR, policy.WebSocket, policy.EventSource}},
	{"img-src", []policy.Kind{policy.Image}},
	{"media-src", []policy.Kind{policy.Media}},
	{"font-src", []policy.Kind{policy.Font}},
	{"frame-src", []policy.Kind{policy.Frame}},
	{"script-src", []policy.Kind{policy.Script}},
	{"style-src", []policy.Kind{policy.Style}},
}

// appPage stands for a page of the app; no list can name its host.
const appPage = "https://app.invalid/"

// CheckExport decides whether an export of a config.xml allows a URL that the
// policy, in the strict reading, does not. What the app itself serves ('self')
// is not asked about. A refutation that the export announces as a loss of its
// format has a note that says so.
func CheckExport(name string, doc *configxml.Document, o Options) ([]Result, error) {
	if name != export.CSP {
		return nil, fmt.Errorf("unknown export %q (known: %s)", name, strings.Join(Exports(), ", "))
	}
	if o.Steps == 0 {
		o.Steps = 2 * pattern.DefaultSteps
	}
	strict := policy.Target{Platform: dialect.Strict}
	c := checker{doc: doc, steps: o.Steps, readings: map[policy.Target]*reading{}}
	r, err := c.reading(strict)
	if err != nil {
		return nil, err
	}
	made, losses := export.PagePolicy(export.NewSource(doc, nil), export.Page{})
	var results []Result
	for _, row := range cspKinds {
		directive, _ := made.Effective(row.directive)
		result := Result{Outcome: Holds, Assertion: &Assertion{
			Form: Never, Verdict: policy.Allow, Kinds: row.kinds, Targets: []policy.Target{strict},
			Text:  "csp " + row.directive + " allows nothing that the policy blocks",
			Place: policy.Place{File: doc.Name(), Line: 1, Column: 1},
		}}
		for _, kind := range row.kinds {
			found := c.search(cspQuestion(r, directive, kind))
			if found.Outcome == Holds {
				continue
			}
			found.Kind, found.Target = kind, strict
			result.Cases = append(result.Cases, found)
			if result.Outcome != Refuted {
				result.Outcome = found.Outcome
			}
		}
		if result.Outcome == Refuted {
			result.Note = announced(losses)
		}
		results = append(results, result)
	}
	return results, nil
}

func cspQuestion(r *reading, d csp.Directive, kind policy.Kind) question {
	sets := r.setsOf(kind)
	return question{
		broken: pattern.Covered(pattern.WebHosts, cspPatterns(d)).Minus(sets.Allow),
		exact:  true,
		breaks: func(url string) (Case, bool) {
			decision := r.decide(kind, url)
			return Case{Outcome: Refuted, URL: url, Decision: decision},
				decision.Verdict != policy.Allow && d.Allows(url, appPage)
		},
	}
}

// announced tells the losses in which an export says itself that it is wider.
func announced(losses []export.Loss) string {
	for _, loss := range losses {
		if loss.Widens {
			return fmt.Sprintf("cordon export csp announces it: %s: %s", wording.Printable(loss.Rule), loss.Message)
		}
	}
	return ""
}

// cspPatterns are the URLs that the sources of a directive cover, keywords left
// out, and a few more: the directive itself is asked about every one found.
func cspPatterns(d csp.Directive) []pattern.Pattern {
	var all []pattern.Pattern
	for _, token := range d.Sources {
		s, ok := csp.ParseSource(token)
		if !ok {
			continue
		}
		for _, scheme := range coveredSchemes(s.Scheme) {
			all = append(all, pattern.Pattern{
				Scheme: pattern.Exactly(scheme), Host: cspHost(s.Host), Port: cspPort(s), Path: cspPath(s.Path),
			})
		}
	}
	return all
}

// coveredSchemes are those that a source of a scheme covers, or may (CSP Level
// 3, scheme-part matching).
func coveredSchemes(scheme string) []string {
	switch scheme {
	case "":
		return []string{"https"}
	case "http":
		return []string{"http", "https"}
	case "ws":
		return []string{"ws", "wss", "http", "https"}
	case "wss":
		return []string{"wss", "https"}
	}
	return []string{scheme}
}

func cspHost(host string) pattern.Language {
	if host == "" || host == "*" {
		return pattern.Any()
	}
	if base, below := strings.CutPrefix(host, "*."); below {
		return pattern.Below(base).Fold()
	}
	return pattern.Exactly(host).Fold()
}

func cspPort(s csp.Source) pattern.Port {
	number, err := strconv.Atoi(s.Port)
	switch {
	case s.Port == "*" || s.Host == "":
		return pattern.AnyPort
	case err != nil, number == 80, number == 443:
		return pattern.NoPort
	}
	return pattern.Port(number)
}

func cspPath(path string) pattern.Language {
	switch {
	case path == "":
		return pattern.Any()
	case strings.HasSuffix(path, "/"):
		return pattern.Prefix(path)
	}
	return pattern.Exactly(path)
}
