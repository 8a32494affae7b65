package lint

import (
	"strings"

	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/csp"
)

// replace returns the fix that writes a directive in another way.
func (p *pagePolicy) replace(m meta, d csp.Directive, text, summary string) option {
	edit := configxml.Edit{Start: m.value.ValueStart + d.Start, End: m.value.ValueStart + d.End, New: text}
	return func(f *Finding) {
		f.Fix = &Fix{File: p.page.Name, Edits: []configxml.Edit{edit}, Summary: summary}
	}
}

// remove returns the fix that removes a directive with its semicolon.
func (p *pagePolicy) remove(m meta, d csp.Directive, summary string) option {
	start, end := d.Start, d.End
	value := m.value.Value
	rest := value[end:]
	if trimmed := strings.TrimLeft(rest, " \t\r\n"); strings.HasPrefix(trimmed, ";") {
		end += len(rest) - len(trimmed) + 1
		end += len(value[end:]) - len(strings.TrimLeft(value[end:], " \t\r\n"))
	}
	edit := configxml.Edit{Start: m.value.ValueStart + start, End: m.value.ValueStart + end}
	return func(f *Finding) {
		f.Fix = &Fix{File: p.page.Name, Edits: []configxml.Edit{edit}, Summary: summary}
	}
}

func checkReportOnly(r *run) {
	for i := range r.project.Pages {
		page := &r.project.Pages[i]
		for _, m := range metasOf(page, "content-security-policy-report-only") {
			r.report(page.Place(m.tag.Start, m.tag.End), nil, "a report-only policy in a meta element is ignored")
		}
	}
}

func checkOutsideHead(r *run) {
	for i := range r.project.Pages {
		page := &r.project.Pages[i]
		for _, m := range metasOf(page, "content-security-policy") {
			if !m.tag.InHead && page.Whole {
				r.report(page.Place(m.tag.Start, m.tag.End), nil,
					"the policy is ignored, because it does not stand in the head")
			}
		}
	}
}

func checkAfterContent(r *run) {
	r.eachMeta(func(p *pagePolicy, m meta) {
		for i := range p.page.Tags {
			tag := &p.page.Tags[i]
			if tag.Start > m.tag.Start {
				return
			}
			what := ""
			switch {
			case tag.Name == "script":
				what = "script"
			case tag.Name == "style",
				tag.Name == "link" && strings.Contains(strings.ToLower(tag.Value("rel")), "stylesheet"):
				what = "style"
			}
			if what != "" {
				line := p.page.Place(tag.Start, tag.End).Line
				r.report(p.page.Place(m.tag.Start, m.tag.End), nil,
					"the %s in line %d comes before the policy and is not governed by it", what, line)
				return
			}
		}
	})
}

var headerOnly = map[string]bool{"frame-ancestors": true, "sandbox": true, "report-uri": true}

func checkIgnoredDirective(r *run) {
	r.eachDirective(func(p *pagePolicy, m meta, d csp.Directive) {
		if !headerOnly[d.Name] {
			return
		}
		var options []option
		if m.exact {
			options = append(options, p.remove(m, d, "remove "+d.Name))
		}
		r.report(p.place(m, d), options, "%s has no effect in a meta element", d.Name)
	})
}

func checkRepeatedDirective(r *run) {
	r.eachMeta(func(p *pagePolicy, m meta) {
		for _, d := range m.policy.Repeated {
			var options []option
			if m.exact {
				options = append(options, p.remove(m, d, "remove the second "+d.Name))
			}
			r.report(p.place(m, d), options, "the second %s is ignored", d.Name)
		}
	})
}

var knownDirectives = map[string]bool{
	"base-uri": true, "block-all-mixed-content": true, "form-action": true, "plugin-types": true,
	"prefetch-src": true, "referrer": true, "reflected-xss": true, "report-to": true, "require-sri-for": true,
	"require-trusted-types-for": true, "script-src-attr": true, "style-src-attr": true, "trusted-types": true,
	"upgrade-insecure-requests": true, "webrtc": true, "fenced-frame-src": true,
}

func checkUnknownDirective(r *run) {
	r.eachDirective(func(p *pagePolicy, m meta, d csp.Directive) {
		_, fetches := fetchKinds[d.Name]
		switch {
		case fetches || knownDirectives[d.Name] || headerOnly[d.Name]:
		case d.Name == "navigate-to":
			// A draft of Content Security Policy Level 3 had it until 2022.
			r.report(p.place(m, d), nil, "navigate-to is in no browser: links and scripts may lead anywhere; "+
				"allow-navigation in config.xml limits that")
		default:
			r.report(p.place(m, d), nil, "no browser knows the directive %s", quote(d.Name))
		}
	})
}

var cspKeywords = map[string]bool{"self": true, "none": true, "unsafe-inline": true, "unsafe-eval": true,
	"strict-dynamic": true, "unsafe-hashes": true, "wasm-unsafe-eval": true}

func checkUnquoted(r *run) {
	r.eachDirective(func(p *pagePolicy, m meta, d csp.Directive) {
		if _, fetches := fetchKinds[d.Name]; !fetches && d.Name != "base-uri" && d.Name != "form-action" {
			return
		}
		for _, token := range d.Sources {
			if cspKeywords[strings.ToLower(token)] {
				r.report(p.place(m, d), nil, "%s in %s is the name of a host without its quotes; write '%s'", token,
					d.Name, strings.ToLower(token))
				return
			}
		}
	})
}
