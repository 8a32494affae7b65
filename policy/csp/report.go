package csp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Violation is one thing that a page's policy refused, as a browser reports it
// (Content Security Policy Level 3, sections 2.4 and 5.3). All of it is what a
// client says: texts are bounded and hold no control characters, and URLs hold
// no user, query or fragment.
type Violation struct {
	// Document is the URL of the page.
	Document string
	// Blocked is the URL that was refused, or a word: "inline", "eval",
	// "wasm-eval", or the scheme alone, such as "data" and "blob".
	Blocked string
	// Directive is the effective directive, such as "img-src".
	Directive string
	// Source, Line and Column are the script that asked, where the browser says
	// so; "" and 0 otherwise.
	Source       string
	Line, Column int
	// Enforced says that it was refused, and not only reported.
	Enforced bool
}

// Limits on what is read of a report.
const (
	maxViolations = 100
	maxReportText = 1024
)

// ReportError says why a body is not a report.
type ReportError struct{ Why string }

// Error says why.
func (e *ReportError) Error() string { return "it is not a report of a policy: " + e.Why }

// ParseReports reads what browsers send for report-uri (application/csp-report,
// one violation) and for report-to (application/reports+json, the batch of the
// Reporting API, of which other types of reports are passed over). At most 100
// violations are returned. A body that is neither is a *ReportError.
func ParseReports(contentType string, body []byte) ([]Violation, error) {
	kind, _, _ := strings.Cut(contentType, ";")
	switch kind = strings.ToLower(strings.TrimSpace(kind)); kind {
	case "":
		return nil, &ReportError{"it has no content type"}
	case "application/csp-report":
		return parseOne(body)
	case "application/reports+json":
		return parseBatch(body)
	}
	return nil,
		&ReportError{fmt.Sprintf("the content type must be application/csp-report or application/reports+json, not %q",
			clean(kind))}
}

// oneReport is the body of report-uri (section 5.3 "report-uri", with the
// serialization of section 2.4.1, "Deprecated serialization").
type oneReport struct {
	Report *struct {
		Document    string `json:"document-uri"`
		Violated    string `json:"violated-directive"`
		Effective   string `json:"effective-directive"`
		Blocked     string `json:"blocked-uri"`
		Source      string `json:"source-file"`
		Line        int    `json:"line-number"`
		Column      int    `json:"column-number"`
		Disposition string `json:"disposition"`
	} `json:"csp-report"`
}

func parseOne(body []byte) ([]Violation, error) {
	var read oneReport
	if err := decodeReport(body, &read); err != nil {
		return nil, err
	}
	r := read.Report
	if r == nil {
		return nil, &ReportError{`there is no "csp-report" in it`}
	}
	// Browsers of Level 2 send the whole directive, or none of the new names.
	directive, _, _ := strings.Cut(strings.TrimSpace(r.Violated), " ")
	if r.Effective != "" {
		directive = r.Effective
	}
	v := Violation{Document: r.Document, Blocked: r.Blocked, Directive: directive, Source: r.Source,
		Line: r.Line, Column: r.Column, Enforced: r.Disposition != "report"}
	if err := v.settle(); err != nil {
		return nil, err
	}
	return []Violation{v}, nil
}

// batchReport is one report of the Reporting API (section 5.3, CSPViolationReportBody).
type batchReport struct {
	Type string `json:"type"`
	Body struct {
		Document    string `json:"documentURL"`
		Effective   string `json:"effectiveDirective"`
		Blocked     string `json:"blockedURL"`
		Source      string `json:"sourceFile"`
		Line        int    `json:"lineNumber"`
		Column      int    `json:"columnNumber"`
		Disposition string `json:"disposition"`
	} `json:"body"`
}

func parseBatch(body []byte) ([]Violation, error) {
	var raw []json.RawMessage
	if err := decodeReport(body, &raw); err != nil {
		return nil, err
	}
	var all []Violation
	for _, text := range raw {
		var kind struct {
			Type string `json:"type"`
		}
		if err := decodeReport(text, &kind); err != nil {
			return nil, err
		}
		if kind.Type != "csp-violation" {
			continue
		}
		if len(all) == maxViolations {
			break
		}
		var r batchReport
		if err := decodeReport(text, &r); err != nil {
			return nil, err
		}
		v := Violation{Document: r.Body.Document, Blocked: r.Body.Blocked, Directive: r.Body.Effective,
			Source: r.Body.Source, Line: r.Body.Line, Column: r.Body.Column, Enforced: r.Body.Disposition != "report"}
		if err := v.settle(); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// decodeReport decodes JSON and nothing after it. encoding/json bounds the
// nesting by itself.
func decodeReport(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(into); err != nil {
		var kind *json.UnmarshalTypeError
		if errors.As(err, &kind) {
			return &ReportError{fmt.Sprintf("%q must not be a JSON %s", clean(kind.Field), kind.Value)}
		}
		return &ReportError{"it is not valid JSON"}
	}
	if decoder.More() {
		return &ReportError{"something follows the JSON"}
	}
	return nil
}

// settle brings a violation into the one form that callers see.
func (v *Violation) settle() error {
	v.Directive = strings.ToLower(clean(v.Directive))
	if !isDirectiveName(v.Directive) {
		return &ReportError{fmt.Sprintf("the directive must be a name such as img-src, not %q", v.Directive)}
	}
	v.Document, v.Source, v.Blocked = bareURL(v.Document), bareURL(v.Source), bareURL(v.Blocked)
	// Browsers of Level 2 say "self" for inline code, and nothing for eval.
	switch v.Blocked {
	case "self":
		v.Blocked = "inline"
	case "":
		v.Blocked = "eval"
	}
	v.Line, v.Column = max(v.Line, 0), max(v.Column, 0)
	return nil
}

func isDirectiveName(name string) bool {
	if name == "" || len(name) > 40 {
		return false
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && c != '-' {
			return false
		}
	}
	return true
}

// bareURL is a URL without user, query and fragment; a word stays as it is, and
// of a URL without a host only the scheme is left.
func bareURL(text string) string {
	text = clean(text)
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "" // what cannot be read may hold anything
	case u.Scheme == "":
		u = &url.URL{Path: u.Path}
		return u.EscapedPath()
	case u.Host == "":
		return strings.ToLower(u.Scheme)
	}
	bare := url.URL{Scheme: strings.ToLower(u.Scheme), Host: strings.ToLower(u.Host), Path: u.Path, RawPath: u.RawPath}
	return bare.String()
}

// clean bounds a text and takes control characters out of it.
func clean(text string) string {
	if len(text) > maxReportText {
		text = text[:maxReportText]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\ufffd' || r >= 0x80 && r < 0xa0 {
			return -1
		}
		return r
	}, text)
}

// Kind names the kind of request that the directive binds, as package policy
// writes it: "xhr" for connect-src, "script" for script-src and its parts; a
// WebSocket by its scheme; "other" for the rest.
func (v *Violation) Kind() string {
	name := v.Directive
	for _, part := range []string{"-elem", "-attr"} {
		name = strings.TrimSuffix(name, part)
	}
	switch name {
	case "connect-src":
		if strings.HasPrefix(v.Blocked, "ws://") || strings.HasPrefix(v.Blocked, "wss://") {
			return "websocket"
		}
		return "xhr"
	case "script-src", "worker-src":
		return "script"
	case "style-src", "img-src", "font-src", "media-src", "frame-src":
		kind := strings.TrimSuffix(name, "-src")
		if kind == "img" {
			kind = "image"
		}
		return kind
	case "child-src", "frame-ancestors":
		return "frame"
	case "form-action":
		return "navigation"
	}
	return "other"
}
