package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/cordon-sec/cordon/internal/output"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/project"
	"github.com/spf13/cobra"
)

// explainOptions are the flags of cordon explain.
type explainOptions struct {
	config    string
	platforms []string
	kinds     []string
	format    string
	strict    bool
	failOn    []string
}

func newExplainCommand() *cobra.Command {
	var o explainOptions
	cmd := &cobra.Command{
		Use:   "explain [flags] URL... | -",
		Short: "Say what each platform does with a URL, and which line decides",
		Long: `Explain prints, for each URL, what each platform does with it and why: the
verdict for every kind of request, the rule that decided, and its line.

A platform is written platform[@version[/system]]: android@3.6.4/2.3 is Cordova
Android 3.6.4 on Android 2.3. Without a version it is the one that the project is
built for, and the latest, as assumed, where the project names none. Without
--platform the project's own platforms are taken, or else the common ones.
"cordon" is the strict reading.

A URL is taken exactly as written: nothing is trimmed or normalised. With "-"
URLs are read from standard input, one a line.

  block   refused
  allow   loads inside the app
  launch  handed to another app
  bypass  this platform never asks its list for this kind: it goes through,
          unless the web view itself refuses it (the note then says so)`,
		Example: `  cordon explain https://api.example.org/v1/users
  cordon explain --platform android@15,ios@8 --kind navigation tel:112
  cordon explain --platform cordon --kind xhr --format jsonl - < urls.txt`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("no URL given: name one or more, or - to read them from standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return explain(cmd, &o, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.config, "config", "",
		"the config.xml, or the project's folder (default: found as the platforms find it)")
	flags.StringSliceVarP(&o.platforms, "platform", "p", nil,
		"target to explain, platform[@version[/system]]; repeat or separate with commas")
	flags.StringSliceVarP(&o.kinds, "kind", "k", nil, "kind of request: "+kindList())
	flags.StringVarP(&o.format, "format", "f", "text", "text, json, or jsonl (one object a line)")
	flags.BoolVar(&o.strict, "strict", false, "say what the list says even where the platform never asks it")
	flags.StringSliceVar(&o.failOn, "fail-on", nil,
		"exit with 1 if a verdict is one of these: block, launch, bypass, allow")
	return cmd
}

func kindList() string {
	var names []string
	for _, kind := range policy.Kinds() {
		names = append(names, kind.String())
	}
	return strings.Join(names, ", ")
}

// commonTargets are explained where the project names no platform.
var commonTargets = []string{"cordon", "android", "ios"}

// usualKinds are explained where no kind is asked for: between them they show
// every difference that some platform makes.
var usualKinds = []policy.Kind{policy.Navigation, policy.XHR, policy.Image, policy.Media, policy.WebSocket,
	policy.Plugin, policy.Bridge, policy.BridgeFrame}

// explainer decides and writes.
type explainer struct {
	app      *app.App
	policies []*policy.Policy
	names    []string // of the targets, as they are printed
	origins  []dialect.AppOrigin
	assumed  []bool // whose version nothing names
	kinds    []policy.Kind
	asked    bool // kinds were named
	strict   bool
	failOn   [policy.Bypass + 1]bool
	failed   bool
}

func explain(cmd *cobra.Command, o *explainOptions, urls []string) error {
	// There is nothing to finish: a signal ends the command also while it
	// waits for its input.
	signal.Reset(os.Interrupt, syscall.SIGTERM)
	if err := refuseEmptyLists(cmd); err != nil {
		return err
	}
	if err := output.CheckFormat(o.format, "text", "json", "jsonl"); err != nil {
		return err
	}
	e, err := explainer{strict: o.strict}, error(nil)
	if err := e.parseVerdicts(o.failOn); err != nil {
		return err
	}
	if err := e.parseKinds(o.kinds); err != nil {
		return err
	}
	if e.app, err = openConfig(o.config); err != nil {
		return err
	}
	if err := e.compile(o.platforms); err != nil {
		return err
	}
	if err := e.write(cmd, o.format, urls); err != nil {
		return err
	}
	if e.failed {
		return found()
	}
	return nil
}

func (e *explainer) write(cmd *cobra.Command, format string, urls []string) error {
	w := newLineWriter(cmd.OutOrStdout(), format, e)
	for _, url := range urls {
		if url != "-" {
			w.decide(url)
			continue
		}
		if err := eachLine(cmd.InOrStdin(), w.decide); err != nil {
			return errors.Join(err, w.abandon())
		}
	}
	if err := w.close(); err != nil {
		return err
	}
	if format == "jsonl" { // whose lines are decisions alone
		for _, u := range e.unknown() {
			fmt.Fprintf(cmd.ErrOrStderr(), "cordon: not known: %s\n", sayUnknown(u))
		}
	}
	return nil
}

func (e *explainer) parseVerdicts(names []string) error {
	for _, name := range names {
		known := false
		for v := policy.Block; v <= policy.Bypass; v++ {
			if v.String() == name {
				e.failOn[v], known = true, true
			}
		}
		if !known {
			return fmt.Errorf("unknown verdict %q in --fail-on (known: block, allow, launch, bypass)", name)
		}
	}
	return nil
}

func (e *explainer) parseKinds(names []string) error {
	for _, name := range names {
		kind, err := policy.ParseKind(name)
		if err != nil {
			return err
		}
		e.kinds = append(e.kinds, kind)
	}
	if e.asked = len(e.kinds) > 0; !e.asked {
		e.kinds = usualKinds
	}
	return nil
}

// compile makes a policy for each target: the ones asked for, else the
// project's own, else the common ones.
func (e *explainer) compile(asked []string) error {
	if len(asked) == 0 && len(e.app.Targets) == 0 {
		asked = commonTargets
	}
	named, err := parseTargets(asked)
	if err != nil {
		return err
	}
	targets, assumed := project.Own(named, e.app.Targets, e.app.Assumed)
	for _, target := range targets {
		compiled, err := dialect.Compile(e.app.Ships(), target)
		if err != nil {
			return err
		}
		e.policies = append(e.policies, compiled)
		e.names = append(e.names, compiled.Target().String())
		e.origins = append(e.origins, dialect.OwnOrigin(e.app.Ships(), compiled.Target()))
		e.assumed = append(e.assumed, slices.Contains(assumed, target))
	}
	return nil
}

// unknown lists what could not be established about what ships on the targets.
func (e *explainer) unknown() []configxml.Unknown {
	var list []configxml.Unknown
	known := make(map[configxml.Unknown]bool)
	for _, p := range e.policies {
		for _, u := range dialect.Unknown(e.app.Ships(), p.Target().Platform) {
			if !known[u] {
				known[u] = true
				list = append(list, u)
			}
		}
	}
	return list
}

// decide asks one policy about one URL.
func (e *explainer) decide(p *policy.Policy, kind policy.Kind, url string) policy.Decision {
	d := p.Decide(policy.Request{URL: url, Kind: kind, Strict: e.strict})
	if e.failOn[d.Verdict] && (e.asked || !kind.IsBridge()) {
		e.failed = true // who may call native code is no request, and counts where it is asked for
	}
	return d
}

// mixed reports whether a request that no list stops is refused by the web view, as
// what an encrypted page of the app asks for in cleartext.
func (e *explainer) mixed(target int, kind policy.Kind, url string, d policy.Decision) bool {
	return d.Verdict != policy.Block && e.origins[target].RefusesRequest(url, kind)
}

// maxLine bounds one URL of standard input.
const maxLine = 1 << 20

// eachLine calls do with every line of r, without its line feed. Lines are
// handed out as parts of larger strings, so that a line costs no allocation.
func eachLine(r io.Reader, do func(string)) error {
	buffer := make([]byte, 256<<10)
	kept, lines := "", 0
	for {
		n, err := r.Read(buffer)
		block := kept + string(buffer[:n])
		for {
			end := strings.IndexByte(block, '\n')
			if end < 0 {
				break
			}
			do(block[:end])
			lines++
			block = block[end+1:]
		}
		kept = block
		if len(kept) > maxLine {
			return fmt.Errorf("standard input, line %d: longer than %d bytes; no URL is", lines+1, maxLine)
		}
		if errors.Is(err, io.EOF) {
			if kept != "" {
				do(kept)
			}
			return nil
		}
		if err != nil {
			return environment(fmt.Errorf("read standard input after line %d: %w", lines, err))
		}
	}
}
