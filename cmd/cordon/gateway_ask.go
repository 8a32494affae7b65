package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway"
	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/output"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/spf13/cobra"
)

func newGatewayTestCommand() *cobra.Command {
	var f gatewayFlags
	var app, format string
	cmd := &cobra.Command{
		Use:   "test --config FILE URL...",
		Short: "Say what the gateway would do with a URL, and why",
		Long: `Test says for each URL what the running gateway would do with it now: the verdict
and its reason, the rule that decides, and the host's addresses as they are judged.
Nothing is connected to.

The running gateway is asked on its admin listener (gateway.admin, or --admin), and
each answer names the list that it enforces. Without one, where nobody answers, or
with --platform, --private or --strict, FILE is judged as it is now, and the first
line says so.

Exit status: 0 if every URL would go through, 1 if one would not, 2 if something
cannot be read.`,
		Example: `  cordon gateway test --config cordon.yaml https://api.example.org/v1
  cordon gateway test --config cordon.yaml --app kiosk --format json wss://live.example.org
  cordon gateway test --config config.xml --platform android@15 http://10.0.0.1/`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, urls []string) error { return runGatewayTest(cmd, &f, app, format, urls) },
	}
	f.add(cmd)
	cmd.Flags().StringVar(&app, "app", "", "the app that asks, where there are several")
	cmd.Flags().StringVarP(&format, "format", "f", "text", "text or json")
	return cmd
}

// gatewayTest is the JSON of cordon gateway test.
type gatewayTest struct {
	// Running says whether a running gateway answered, and not the file alone.
	Running bool             `json:"running"`
	Why     string           `json:"why,omitempty"` // why none did
	Answers []gateway.Answer `json:"answers"`
}

func runGatewayTest(cmd *cobra.Command, f *gatewayFlags, app, format string, urls []string) error {
	if err := output.CheckFormat(format, "text", "json"); err != nil {
		return err
	}
	for _, text := range urls {
		if err := checkAsked(text); err != nil {
			return err
		}
	}
	result, err := askGateway(cmd, f, app, urls)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if format == "json" {
		err = output.JSON(out, gateway.OperatorVersion, result)
	} else {
		err = writeGatewayTest(out, f.config, result)
	}
	if err != nil {
		return environment(err)
	}
	for _, a := range result.Answers {
		if a.Verdict != event.Allowed && a.Verdict != event.Reported {
			return &exitError{status: exitFindings}
		}
	}
	return nil
}

// checkAsked returns an error unless a text is a URL that the gateway can be asked
// about; what it says of the rest of one is the answer.
func checkAsked(text string) error {
	scheme, rest, _ := strings.Cut(text, "://")
	if i := strings.IndexAny(rest, "/?#\\"); i >= 0 {
		rest = rest[:i]
	}
	_, err := hostname.ParseAuthority(rest)
	switch {
	case hostname.DefaultPort(strings.ToLower(scheme)) == 0:
		err = errors.New("the scheme is missing or another one")
	case err == nil:
		return nil
	}
	return fmt.Errorf("%q: it must be a URL with http, https, ws or wss and a host, as in "+
		"https://api.example.org/v1: %w", text, err)
}

// errOwnReading says why a running gateway is not asked.
var errOwnReading = errors.New("--platform, --private and --strict say how the file is to be read")

// askGateway asks the running gateway, or else one that is made of the file.
func askGateway(cmd *cobra.Command, f *gatewayFlags, app string, urls []string) (gatewayTest, error) {
	c, err := f.read()
	if err != nil {
		return gatewayTest{}, err
	}
	result := gatewayTest{Running: true, Answers: []gateway.Answer{}}
	var unanswered *unansweredError
	o, err := newOperator(f, c)
	if f.platform != "" || f.strict || len(f.private) > 0 {
		err = errOwnReading
	}
	for _, text := range urls {
		if err != nil {
			break
		}
		var a gateway.Answer
		err = o.ask(cmd.Context(), "GET", gateway.TestPath, url.Values{"app": {app}, "url": {text}}, &a)
		result.Answers = append(result.Answers, a)
	}
	if err == nil {
		return result, nil
	}
	if !errors.As(err, &unanswered) && !errors.Is(err, errNoAdmin) &&
		!errors.Is(err, errOwnReading) {
		return gatewayTest{}, err
	}
	result = gatewayTest{Why: err.Error(), Answers: []gateway.Answer{}}
	loaded, err := f.source().Load()
	if err != nil {
		return gatewayTest{}, err
	}
	g, err := gateway.New(gateway.Options{Loaded: loaded})
	if err != nil {
		return gatewayTest{}, fmt.Errorf("%s: %w", f.config, err)
	}
	defer g.Close()
	for _, text := range urls {
		a, err := g.Ask(cmd.Context(), gateway.Question{App: app, URL: text})
		if err != nil {
			return gatewayTest{}, err
		}
		result.Answers = append(result.Answers, a)
	}
	return result, nil
}

func writeGatewayTest(w io.Writer, file string, result gatewayTest) error {
	var b strings.Builder
	if !result.Running {
		fmt.Fprintf(&b, "no running gateway was asked, %s is judged as it is now (%s)\n", file, result.Why)
	}
	for _, a := range result.Answers {
		fmt.Fprintf(&b, "%s: %s (%s)\n", a.URL, a.Verdict, a.Reason)
		fmt.Fprintf(&b, "  app      %s  %s\n", wording.Printable(a.App), wording.Printable(a.Config))
		if a.Rule != "" {
			fmt.Fprintf(&b, "  rule     %s", a.Rule)
			if a.Place != "" {
				fmt.Fprintf(&b, "  %s", a.Place)
			}
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "  way      %s\n", gatewayWays[a.Way])
		for _, address := range a.Addresses {
			fmt.Fprintf(&b, "  address  %s", address.Address)
			if address.Refused != "" {
				fmt.Fprintf(&b, "  refused: %s", address.Refused)
			}
			if address.Range != "" {
				fmt.Fprintf(&b, " (%s)", address.Range)
			}
			b.WriteByte('\n')
		}
		for _, note := range a.Notes {
			fmt.Fprintf(&b, "  note     %s\n", note)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// gatewayWays say how a request comes to the gateway.
var gatewayWays = map[string]string{
	"connect": "a tunnel (CONNECT)", "inspect": "a tunnel that is decrypted", "forward": "a forwarded request",
}
