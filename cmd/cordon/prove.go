package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/cordon-sec/cordon/internal/output"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy/prove"
	"github.com/spf13/cobra"
)

// proveOptions are the flags of cordon prove.
type proveOptions struct {
	format         string
	export         string
	allowUndecided bool
}

func newProveCommand() *cobra.Command {
	var o proveOptions
	cmd := &cobra.Command{
		Use:   "prove [flags] ASSERTIONS FILE... | --export csp FILE...",
		Short: "Prove promises about a policy for every URL, or refute them with one",
		Long: `Prove reads a file of assertions and decides each of them for every URL there is:
it holds, it is refuted by a URL (with the rule that lets it happen, and its line),
or it could not be decided. FILE is a config.xml, a project's folder, or a file in
Git as REVISION:PATH; the current folder without one.

  never allow http://*                        # nothing in cleartext
  never launch intent:*
  always allow https://api.example.org/v1/*
  only navigate https://*.example.org/*
  never bypass websocket on android ios
  same navigation on android ios

Without a platform an assertion is about the strict reading ("cordon"), in a Capacitor
app about its Capacitor platforms; without a kind about xhr. A platform without a
version is the one that the project is built for; where that is a range, it must hold
on each version that the range allows.
docs/reference/assertions.md has the whole grammar.

--export csp proves instead that the exported Content-Security-Policy allows
nothing that the policy blocks.

Exit status: 0 if everything holds; 1 if an assertion is refuted, or not decided
(unless --allow-undecided); 2 if a file cannot be read or assertions contradict
one another.`,
		Example: `  cordon prove cordon.assertions config.xml
  cordon prove --format json promises.txt app-a/ app-b/
  cordon prove --export csp config.xml`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.format, "format", "f", "text", "text or json")
	flags.StringVar(&o.export, "export", "", "prove that an export (csp) never allows more than the policy")
	flags.BoolVar(&o.allowUndecided, "allow-undecided", false, "exit with 0 also if something was not decided")
	return cmd
}

func (o *proveOptions) run(cmd *cobra.Command, args []string) error {
	if err := output.CheckFormat(o.format, "text", "json"); err != nil {
		return err
	}
	write := map[string]func(io.Writer, []prove.Proof) error{"text": prove.WriteText, "json": prove.WriteJSON}[o.format]
	check, files, err := o.question(args)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		files = []string{"."}
	}
	var proofs []prove.Proof
	refuted, undecided := 0, 0
	for _, name := range files {
		file, err := openSide(cmd.Context(), name)
		if err != nil {
			return err
		}
		results, err := check(file)
		if err != nil {
			return err
		}
		proof := prove.Proof{File: name, Results: results}
		proofs = append(proofs, proof)
		no, unknown := proof.Count()
		refuted, undecided = refuted+no, undecided+unknown
	}
	if err := write(cmd.OutOrStdout(), proofs); err != nil {
		return environment(fmt.Errorf("write the proofs: %w", err))
	}
	if refuted > 0 || undecided > 0 && !o.allowUndecided {
		return found()
	}
	return nil
}

// question returns what is to be decided for each config.xml, and the files
// that the arguments name.
func (o *proveOptions) question(args []string) (check func(side) ([]prove.Result, error), files []string, err error) {
	if o.export != "" {
		return func(s side) ([]prove.Result, error) {
			return prove.CheckExport(o.export, s.doc, prove.Options{})
		}, args, nil
	}
	if len(args) == 0 {
		return nil, nil, errors.New("name a file of assertions, or --export csp")
	}
	assertions, err := readAssertions(args[0])
	if err != nil {
		return nil, nil, err
	}
	return func(s side) ([]prove.Result, error) {
		return assertions.Check(s.doc, prove.Options{Targets: s.app.Targets, Assumed: s.app.Assumed,
			Alternatives: s.app.Alternatives})
	}, args[1:], nil
}

func readAssertions(path string) (*prove.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, wording.FileError(path, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, prove.MaxSize+1))
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return nil, fmt.Errorf("%s: no file of assertions: %w", path, failed.Err)
	}
	if err != nil {
		return nil, wording.FileError(path, err)
	}
	return prove.Parse(path, data)
}
