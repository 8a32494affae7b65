package lint

import (
	"strings"

	"github.com/cordon-sec/cordon/policy/configxml"
)

// suppression is a comment <!-- cordon:ignore RULE-ID reason -->. A colon
// after the rule is as good as none.
type suppression struct {
	comment configxml.Comment
	rule    string
	reason  string
	// element is what the comment is about, nil for the whole project.
	element *configxml.Element
	used    bool
}

const suppressMark = "cordon:ignore"

// suppress moves the findings that a comment answers out of the way, and
// reports comments that do not count or answer nothing.
func (r *run) suppress(report *Report) {
	comments := r.suppressions()
	for _, f := range r.findings {
		if s := answering(comments, r, &f); s != nil {
			s.used = true
			report.Suppressed = append(report.Suppressed, Suppressed{Finding: f, Reason: s.reason})
			continue
		}
		report.Findings = append(report.Findings, f)
	}
	r.findings = nil
	for _, s := range comments {
		r.judge(s)
	}
	report.Findings = append(report.Findings, r.findings...)
}

// judge reports a comment that does not count or answers nothing.
func (r *run) judge(s *suppression) {
	place := r.project.Config.Place(s.comment.Start, s.comment.End)
	_, known := RuleByID(s.rule)
	problem := ""
	switch {
	case s.rule == "":
		problem = "it names no rule"
	case !known:
		problem = "there is no rule " + quote(s.rule)
	case s.reason == "":
		problem = "it gives no reason"
	}
	if problem != "" {
		r.rule, _ = RuleByID("suppression-invalid")
		r.report(place, nil, "the comment suppresses nothing: %s", problem)
		return
	}
	if !s.used {
		r.rule, _ = RuleByID("suppression-unused")
		r.report(place, nil, "%s finds nothing here", s.rule)
	}
}

func answering(comments []*suppression, r *run, f *Finding) *suppression {
	for _, s := range comments {
		if s.rule != f.Rule.ID || s.reason == "" {
			continue
		}
		e := s.element
		if e == nil || f.Place.File == r.project.Config.Name() && e.Start <= f.Place.Start && f.Place.Start < e.End {
			return s
		}
	}
	return nil
}

// suppressions reads the comments of config.xml. A comment before the root
// element is about the whole project; another one is about the element that
// ends on the same line before it, or else about the next element.
func (r *run) suppressions() []*suppression {
	doc := r.project.Config
	if doc == nil {
		return nil
	}
	var list []*suppression
	for _, c := range doc.Comments() {
		text, ok := strings.CutPrefix(strings.TrimSpace(c.Text), suppressMark)
		if !ok || text != "" && !strings.ContainsAny(text[:1], " \t\r\n") {
			continue
		}
		s := &suppression{comment: c}
		if words := strings.Fields(text); len(words) > 0 {
			s.rule, s.reason = strings.TrimSuffix(words[0], ":"), strings.Join(words[1:], " ")
		}
		if c.Start > doc.Root().Start {
			s.element = subject(doc, c)
		}
		list = append(list, s)
	}
	return list
}

func subject(doc *configxml.Document, c configxml.Comment) *configxml.Element {
	var before, after *configxml.Element
	doc.Root().Walk(func(e *configxml.Element) bool {
		if e != doc.Root() && e.End <= c.Start {
			if before == nil || e.End > before.End {
				before = e
			}
		}
		if e.Start >= c.End && after == nil {
			after = e
			return false
		}
		return true
	})
	if before != nil && strings.TrimLeft(string(doc.Bytes()[before.End:c.Start]), " \t") == "" {
		return before
	}
	if after == nil {
		return &configxml.Element{} // the last thing in the file: about nothing
	}
	return after
}
