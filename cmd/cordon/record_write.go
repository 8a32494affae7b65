package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy/propose"
	"github.com/cordon-sec/cordon/project"
	"github.com/cordon-sec/cordon/record"
	"github.com/spf13/cobra"
)

// propose prints what was asked for and the patch, or writes it.
func (f *recordFlags) propose(cmd *cobra.Command, r *recordedApp, seen []propose.Observation) error {
	requests, pages := seen, (*record.Pages)(nil)
	if r.capacitor != nil {
		seen = r.leaveOut(cmd.ErrOrStderr(), seen)
		var err error
		if pages, err = record.PagesOf(seen, r.capacitor, f.keep); err != nil {
			return err
		}
		requests = slices.DeleteFunc(slices.Clone(seen), isPage)
	}
	list, clear := record.Proposals(requests, f.clear)
	if len(seen) == 0 || len(list) == 0 && (pages == nil || !pages.Changed() && len(pages.Refused) == 0) {
		fmt.Fprintln(cmd.ErrOrStderr(), "nothing was asked for: no list is proposed")
		return nil
	}
	var s strings.Builder
	var changes []project.Change
	if len(list) > 0 {
		change, err := f.listed(&s, r, list, clear)
		if err != nil {
			return err
		}
		changes = append(changes, change)
	}
	if pages != nil {
		describePages(&s, r, pages)
		change, err := r.opened(pages)
		if err != nil {
			return err
		}
		changes = append(changes, change...)
	}
	out := cmd.OutOrStdout()
	if _, err := io.WriteString(out, s.String()); err != nil {
		return environment(fmt.Errorf("write the proposal: %w", err))
	}
	return f.offer(cmd, r, changes)
}

// listed is config.xml with the lines that were proposed.
func (f *recordFlags) listed(w io.Writer, r *recordedApp, list []propose.Proposal,
	clear map[string]bool) (project.Change, error) {
	describeProposals(w, list, clear)
	if r.made {
		var lines strings.Builder
		for _, p := range list {
			fmt.Fprintf(&lines, "    %s\n", p.Line)
		}
		return project.Change{Name: r.doc.Name(), New: []byte(r.newConfig(lines.String()))}, nil
	}
	data, dropped, err := propose.Replace(r.doc, list, f.keep)
	if err != nil {
		return project.Change{}, fmt.Errorf("%s: %w", r.doc.Name(), err)
	}
	for _, d := range dropped {
		fmt.Fprintf(w, "# not asked for: line %d, %s\n", d.Number, wording.Printable(d.Line.String()))
	}
	return project.Change{Name: r.doc.Name(), Old: r.doc.Bytes(), New: data}, nil
}

// offer shows the changes, and writes them where that was asked for.
func (f *recordFlags) offer(cmd *cobra.Command, r *recordedApp, changes []project.Change) error {
	count, err := showChanges(cmd.OutOrStdout(), changes)
	if err != nil {
		return err
	}
	var names []string
	for _, c := range changes {
		if !c.Same() {
			names = append(names, filepath.Join(r.dir, filepath.FromSlash(c.Name)))
		}
	}
	switch {
	case count == 0 && len(changes) == 0: // what to write by hand was said
	case count == 0:
		fmt.Fprintf(cmd.ErrOrStderr(), "%s lists just that already\n", r.file())
	case !f.write:
		fmt.Fprintf(cmd.ErrOrStderr(), "nothing was written; --write writes it to %s\n", wording.Join(names))
	default:
		if err := writeChanges(r.dir, changes); err != nil {
			return err
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "wrote %s\n", wording.Join(names))
	}
	return nil
}

// describeProposals writes the list by site, each line with what asked for it,
// as comments that programs which apply patches pass over.
func describeProposals(w io.Writer, list []propose.Proposal, clear map[string]bool) {
	site := ""
	for _, p := range list {
		if p.Site != site {
			site = p.Site
			who := "most was asked of it"
			if p.Foreign {
				who = "a third party"
			}
			fmt.Fprintf(w, "# %s (%s)\n", wording.Printable(site), who)
		}
		fmt.Fprintf(w, "#   %s  %s\n", wording.Printable(p.Line.String()), askedBy(p))
		warnings := p.Warnings
		_, authority, _ := strings.Cut(p.Line.Origin, "://")
		if at, err := hostname.ParseAuthority(authority); err == nil && clear[at.Host.String()] {
			warnings = append(slices.Clone(warnings), "it was asked over http; the app has to ask over https")
		}
		for _, warning := range warnings {
			fmt.Fprintf(w, "#     think twice: %s\n", warning)
		}
	}
}

// askedBy says how often, for what, and where a line was asked for.
func askedBy(p propose.Proposal) string {
	requests := "1 request"
	if p.Count != 1 {
		requests = fmt.Sprintf("%d requests", p.Count)
	}
	if len(p.Kinds) > 0 {
		requests += ", " + strings.Join(p.Kinds, " ")
	}
	if len(p.Paths) > 0 {
		requests += ", " + wording.Printable(strings.Join(p.Paths, " "))
	}
	return requests
}
