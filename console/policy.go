package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/lint"
	"github.com/cordon-sec/cordon/policy/propose"
)

// Policy is the app whose policy is shown.
type Policy interface {
	// Project reads the app as it stands now.
	Project(ctx context.Context) (*app.App, error)
	// Save replaces the config.xml that was read as old. It returns ErrChanged
	// if the file is no longer that, and ErrReadOnly if it cannot be changed
	// from here.
	Save(ctx context.Context, old *configxml.Document, data []byte) error
}

// What Save refuses.
var (
	// ErrChanged: the file is not the one that was shown.
	ErrChanged = errors.New("the config.xml changed in the meantime")
	// ErrReadOnly: the file is not changed from the console.
	ErrReadOnly = errors.New("the config.xml is not changed from here")
)

func (c *console) policyRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /policy", c.policy)
	mux.HandleFunc("GET /policy/try", c.try)
	mux.HandleFunc("GET /policy/allow", c.proposeLine)
	mux.HandleFunc("POST /policy/allow", c.addLine)
}

// sourceLine is one line of the config.xml with its findings.
type sourceLine struct {
	Number   int
	Text     string
	Findings []lint.Finding
}

// severityCount is how many findings of one severity there are.
type severityCount struct {
	Severity lint.Severity
	Count    int
}

type policyPage struct {
	Name     string
	Lines    []sourceLine
	Counts   []severityCount
	Findings int
	// Elsewhere are the findings in other files.
	Elsewhere []lint.Finding
	Try       tryResult
}

// maxShown bounds the lines of a config.xml that one page shows.
const maxShown = 5000

func (c *console) policy(w http.ResponseWriter, r *http.Request) {
	app, err := c.config.Policy.Project(r.Context())
	if err != nil {
		c.fail(w, r, "read the app", err)
		return
	}
	report, err := lint.Check(app)
	if err != nil {
		c.fail(w, r, "check the app", err)
		return
	}
	page := policyPage{Counts: countSeverities(report.Findings), Findings: len(report.Findings)}
	if app.Config != nil {
		page.Name = app.Config.Name()
		lines := strings.Split(string(app.Config.Bytes()), "\n")
		for i, text := range lines[:min(len(lines), maxShown)] {
			page.Lines = append(page.Lines, sourceLine{Number: i + 1, Text: strings.TrimRight(text, "\r")})
		}
	}
	for _, f := range report.Findings {
		if n := f.Place.Line; f.Place.File == page.Name && n >= 1 && n <= len(page.Lines) {
			page.Lines[n-1].Findings = append(page.Lines[n-1].Findings, f)
		} else {
			page.Elsewhere = append(page.Elsewhere, f)
		}
	}
	page.Try = c.decideAll(app, r.URL.Query().Get("url"))
	c.render(w, r, "policy", "Policy", "", page)
}

// countSeverities counts findings, the worst first.
func countSeverities(findings []lint.Finding) []severityCount {
	var counts []severityCount
	for _, f := range findings {
		i := slices.IndexFunc(counts, func(c severityCount) bool { return c.Severity == f.Rule.Severity })
		if i < 0 {
			i = len(counts)
			counts = append(counts, severityCount{Severity: f.Rule.Severity})
		}
		counts[i].Count++
	}
	slices.SortFunc(counts, func(a, b severityCount) int { return int(b.Severity) - int(a.Severity) })
	return counts
}

// tryResult is the table of one URL: targets down, kinds across.
type tryResult struct {
	URL     string
	Kinds   []policy.Kind
	Rows    []tryRow
	Problem string
}

type tryRow struct {
	Target string
	Cells  []policy.Decision
}

var triedKinds = []policy.Kind{policy.Navigation, policy.XHR, policy.Image, policy.Media, policy.WebSocket,
	policy.Plugin, policy.Bridge, policy.BridgeFrame}

func (c *console) try(w http.ResponseWriter, r *http.Request) {
	app, err := c.config.Policy.Project(r.Context())
	if err != nil {
		c.fail(w, r, "read the app", err)
		return
	}
	if r.Header.Get("HX-Request") != "true" {
		http.Redirect(w, r, c.config.Base+"/policy?"+r.URL.RawQuery, http.StatusSeeOther)
		return
	}
	c.render(w, r, "policy", "Policy", "try", policyPage{Try: c.decideAll(app, r.URL.Query().Get("url"))})
}

func (c *console) decideAll(app *app.App, url string) tryResult {
	result := tryResult{URL: url, Kinds: triedKinds}
	if url == "" || app.Config == nil {
		return result
	}
	targets := append([]policy.Target{{Platform: dialect.Strict}}, app.Targets...)
	for _, target := range targets {
		compiled, err := dialect.Compile(app.Ships(), target)
		if err != nil {
			result.Problem = err.Error()
			return result
		}
		row := tryRow{Target: compiled.Target().String()}
		for _, kind := range triedKinds {
			row.Cells = append(row.Cells, compiled.Decide(policy.Request{URL: url, Kind: kind}))
		}
		result.Rows = append(result.Rows, row)
	}
	return result
}

// allowPage shows the line that would let a refused request through.
type allowPage struct {
	Scheme, Host, Port string
	Line               propose.Line
	Warnings           []string
	Problem            string
	Already            bool
	ReadOnly           bool
}

// proposedLine reads the origin of a refused request from the query: scheme,
// host and port.
func proposedLine(r *http.Request) (propose.Line, error) {
	port, err := strconv.Atoi(r.FormValue("port"))
	if err != nil || port < 0 || port > 65535 {
		port = 0
	}
	name, hostErr := hostname.ParsePlain(r.FormValue("host"))
	if hostErr != nil {
		name, hostErr = hostname.Parse(r.FormValue("host")) // an address of IPv6 in brackets
	}
	observed := propose.Observation{Scheme: r.FormValue("scheme"), Host: name.String(), Port: port}
	switch {
	case observed.Scheme == "" && port == 80, observed.Scheme == "http", observed.Scheme == "ws":
		observed.Scheme = "http"
	default:
		observed.Scheme = "https"
	}
	list := propose.List([]propose.Observation{observed})
	line := list[0].Line
	if hostErr != nil {
		return line, errors.New("there is no host to list")
	}
	return line, nil
}

func (c *console) proposeLine(w http.ResponseWriter, r *http.Request) {
	line, err := proposedLine(r)
	page := allowPage{
		Scheme: r.FormValue("scheme"), Host: r.FormValue("host"), Port: r.FormValue("port"),
		Line: line, Warnings: propose.Warnings(line.Origin), ReadOnly: c.config.ReadOnly,
	}
	if err != nil {
		page.Problem = err.Error()
	}
	if app, err := c.config.Policy.Project(r.Context()); err != nil {
		page.Problem = err.Error()
	} else if app.Config == nil {
		page.Problem = "the app has no config.xml"
	} else if _, ok := propose.Insert(app.Config, line); !ok {
		page.Already = true
	}
	c.render(w, r, "allow", "Policy", "", page)
}

func (c *console) addLine(w http.ResponseWriter, r *http.Request) {
	if c.config.ReadOnly {
		http.Error(w, ErrReadOnly.Error(), http.StatusForbidden)
		return
	}
	line, err := proposedLine(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	app, err := c.config.Policy.Project(r.Context())
	if err != nil || app.Config == nil {
		http.Error(w, "The app's config.xml cannot be read.", http.StatusConflict)
		return
	}
	edit, ok := propose.Insert(app.Config, line)
	if !ok {
		c.back(w, r, "/policy", "The line was there already.")
		return
	}
	data, err := app.Config.Apply(edit)
	if err == nil {
		err = c.config.Policy.Save(r.Context(), app.Config, data)
	}
	switch {
	case errors.Is(err, ErrChanged), errors.Is(err, ErrReadOnly):
		http.Error(w, err.Error(), http.StatusConflict)
	case err != nil:
		c.fail(w, r, "write the config.xml", err)
	default:
		c.back(w, r, "/policy", "Added "+line.String())
	}
}
