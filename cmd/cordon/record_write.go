package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/propose"
	"github.com/cordon-sec/cordon/project"
	"github.com/cordon-sec/cordon/record"
	"github.com/spf13/cobra"
)

// propose prints what was asked for and the patch, or writes it.
func (f *recordFlags) propose(cmd *cobra.Command, doc *configxml.Document, dir string,
	seen []propose.Observation) error {
	list, clear := record.Proposals(seen, f.clear)
	if len(list) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "nothing was asked for: no list is proposed")
		return nil
	}
	data, dropped, err := propose.Replace(doc, list, f.keep)
	if err != nil {
		return fmt.Errorf("%s: %w", doc.Name(), err)
	}
	var s strings.Builder
	describeProposals(&s, list, clear)
	for _, d := range dropped {
		fmt.Fprintf(&s, "# not asked for: line %d, %s\n", d.Number, wording.Printable(d.Line.String()))
	}
	out := cmd.OutOrStdout()
	if _, err := io.WriteString(out, s.String()); err != nil {
		return environment(fmt.Errorf("write the proposal: %w", err))
	}
	change := project.Change{Name: doc.Name(), Old: doc.Bytes(), New: data}
	count, err := showChanges(out, []project.Change{change})
	if err != nil {
		return err
	}
	name := filepath.Join(dir, filepath.FromSlash(doc.Name()))
	switch {
	case count == 0:
		fmt.Fprintf(cmd.ErrOrStderr(), "%s lists just that already\n", name)
	case !f.write:
		fmt.Fprintf(cmd.ErrOrStderr(), "nothing was written; --write writes it to %s\n", name)
	default:
		if err := writeChanges(dir, []project.Change{change}); err != nil {
			return err
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "wrote %s\n", name)
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
