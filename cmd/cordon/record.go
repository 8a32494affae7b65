package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/ca"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/port"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy/propose"
	"github.com/cordon-sec/cordon/record"
	"github.com/spf13/cobra"
)

// recordFlags are the flags of cordon record.
type recordFlags struct {
	config  string
	listen  string
	har     []string
	with    []string
	private []string
	ignore  []string
	inspect bool
	caDir   string
	clear   bool
	keep    bool
	write   bool
}

func newRecordCommand() *cobra.Command {
	var f recordFlags
	cmd := &cobra.Command{
		Use:   "record [--config FILE] [--har FILE] [-- COMMAND]",
		Short: "Watch an app and propose the smallest list that it needs",
		Long: `Record is a gateway that lets an app ask for anything and takes notes. When
COMMAND ends, or at Ctrl-C without one, it prints what was asked for, by site,
and a patch that makes config.xml list that and nothing else: exact hosts, https
only. Nothing is written without --write.

COMMAND gets the gateway's address in HTTPS_PROXY, HTTP_PROXY and ALL_PROXY;
browsers and emulators take it as a flag. In a tunnel only the host is seen. With
--inspect, on devices that trust the development authority, and from a HAR file
(--har, as browsers' developer tools save it) paths and kinds are known too.

In a Capacitor or Ionic project pages that opened inside the app become entries of
server.allowNavigation, and what pages ask for becomes lines of a config.xml, which
is made if it is missing: Capacitor asks its own list about pages alone. This
machine and the app's own address are left out.

Private addresses stay refused, and so do ports that no line names: --private
and --with name what is to be let through all the same.`,
		Example: `  cordon record -- npm test
  cordon record --config app/config.xml --listen 127.0.0.1:3128
  cordon record --har session.har --write`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return runRecord(cmd, &f, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "the config.xml, or the app's folder (default: the current folder)")
	flags.StringVar(&f.listen, "listen",
		"", "address of the gateway; port 0 takes a free one (default "+config.DefaultListen+
			", and a free port for a COMMAND)")
	flags.StringArrayVar(&f.har, "har", nil,
		"read requests from this HAR file instead of running a gateway; may be repeated")
	flags.StringArrayVar(&f.with, "with", nil,
		"let an origin with a port of its own through, as in https://localhost:8443; may be repeated")
	flags.StringArrayVar(&f.private, "private", nil,
		"let HOST resolve into RANGE, as in *.corp.example=10.0.0.0/8; may be repeated")
	flags.StringSliceVar(&f.ignore, "ignore", nil, "a host, or *.host, to leave out; repeat or separate with commas")
	flags.BoolVar(&f.inspect, "inspect", false, "decrypt what is asked with the development authority (see cordon ca)")
	flags.StringVar(&f.caDir, "ca", "", "the development authority's folder, for --inspect")
	flags.BoolVar(&f.clear, "cleartext", false, "list http where http was asked for; otherwise https is proposed")
	flags.BoolVar(&f.keep, "keep", false, "keep lines for single hosts that were not asked for")
	flags.BoolVarP(&f.write, "write", "w", false,
		"write the new list to config.xml, and to a Capacitor configuration")
	return cmd
}

func runRecord(cmd *cobra.Command, f *recordFlags, command []string) error {
	if f.listen == "" && len(command) > 0 {
		f.listen = "127.0.0.1:0"
	}
	r, err := openRecorded(f.config)
	if err != nil {
		return err
	}
	var seen []propose.Observation
	var failed error
	if len(f.har) > 0 {
		for _, name := range f.har {
			requests, err := readHAR(name)
			if err != nil {
				return err
			}
			seen = append(seen, requests...)
		}
	} else if seen, failed, err = f.watch(cmd, r, command); err != nil {
		return err
	}
	seen = slices.DeleteFunc(seen, func(o propose.Observation) bool { return f.ignored(o.Host) })
	if err := f.propose(cmd, r, seen); err != nil {
		return err
	}
	return failed
}

func (f *recordFlags) ignored(host string) bool {
	return slices.ContainsFunc(f.ignore, func(pattern string) bool {
		name, below := strings.CutPrefix(pattern, "*.")
		return strings.EqualFold(host, name) ||
			below && strings.HasSuffix(strings.ToLower(host), "."+strings.ToLower(name))
	})
}

// watch runs the gateway while the command runs, or until the context ends.
// failed is how the command ended.
func (f *recordFlags) watch(cmd *cobra.Command, app *recordedApp,
	command []string) (seen []propose.Observation, failed, err error) {
	o := record.Options{Config: app.doc, Listen: f.listen, With: f.with}
	if o.Private, err = parsePrivate(f.private); err != nil {
		return nil, nil, err
	}
	certificate := ""
	if f.inspect {
		if o.Authority, certificate, err = f.authority(); err != nil {
			return nil, nil, err
		}
	}
	r, err := record.New(o)
	if err != nil {
		return nil, nil, err
	}
	if err := r.Listen(); err != nil {
		var taken *port.TakenError
		if err = port.Explain(err); errors.As(err, &taken) {
			err = anotherPort(err, "--listen")
		}
		return nil, nil, environment(err)
	}
	proxy := "http://" + r.Addr().String()
	fmt.Fprintf(cmd.ErrOrStderr(), "recording for %s through %s\n", app.file(), proxy)
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- r.Serve(ctx) }()
	if len(command) > 0 {
		failed = runBehind(cmd, command, proxy, certificate)
		cancel()
	} else {
		fmt.Fprintln(cmd.ErrOrStderr(), "use the app, then press Ctrl-C")
	}
	if err := <-served; err != nil {
		return nil, nil, environment(err)
	}
	for _, refused := range r.Refused() {
		fmt.Fprintf(cmd.ErrOrStderr(), "note: %s was refused while recording (%s) and is not in the list\n",
			wording.Printable(refused.Host), refused.Reason)
	}
	return r.Seen(), failed, nil
}

// authority is the development authority, which --inspect decrypts with.
func (f *recordFlags) authority() (a *ca.Authority, file string, err error) {
	dir := f.caDir
	if dir == "" {
		if dir, err = authorityDir(); err != nil {
			return nil, "", err
		}
	}
	if a, err = ca.Open(dir); err != nil {
		return nil, "", caError(err)
	}
	return a, filepath.Join(dir, ca.CertificateFile), nil
}

// readHAR reads the requests of a HAR file.
func readHAR(name string) ([]propose.Observation, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, wording.FileError(name, err)
	}
	defer file.Close()
	seen, err := record.ReadHAR(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return seen, nil
}

// runBehind runs a command that finds the gateway in its environment.
func runBehind(cmd *cobra.Command, command []string, proxy, authority string) error {
	child := exec.CommandContext(cmd.Context(), command[0], command[1:]...)
	child.Stdin, child.Stdout, child.Stderr = cmd.InOrStdin(), cmd.ErrOrStderr(), cmd.ErrOrStderr()
	child.WaitDelay = 5 * time.Second
	child.Env = os.Environ()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		child.Env = append(child.Env, name+"="+proxy, strings.ToLower(name)+"="+proxy)
	}
	child.Env = append(child.Env, "NO_PROXY=", "no_proxy=")
	if authority != "" {
		child.Env = append(child.Env, "NODE_EXTRA_CA_CERTS="+authority, "SSL_CERT_FILE="+authority,
			"CURL_CA_BUNDLE="+authority)
	}
	err := child.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit):
		return &exitError{status: exitFindings,
			err: fmt.Errorf("%s ended with %s; the list may lack what it had yet to ask for", command[0], exit)}
	}
	return environment(err)
}
