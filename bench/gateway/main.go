// Command gateway measures Cordon's gateway beside other forward proxies, in
// one run on one machine and under the conditions of real use: names that are
// resolved over DNS, origins at public addresses on ports 80 and 443, a real
// ClientHello at the start of every tunnel.
//
//	cd bench && go run ./gateway [-names 10] [-ttl 60] [-peers squid,tinyproxy,goproxy] [-json FILE]
//
// It needs Linux and root, for it makes a network of its own that nothing leaves.
// Peers that are not installed are left out with a line that says so. The origin,
// the client and each proxy are processes of their own. See README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// options are how to measure.
type options struct {
	names  int
	ttl    int // seconds
	each   time.Duration
	rounds int
	peers  []string
	only   string
	json   string
	check  bool

	role, listen, list, dir string
}

func main() {
	o, err := readOptions()
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		err = o.act(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/gateway:", err)
		os.Exit(1)
	}
}

func readOptions() (options, error) {
	var o options
	flag.StringVar(&o.role, "role", "bench", "internal: what this process is")
	flag.StringVar(&o.listen, "listen", "", "internal: the address of a helper")
	flag.StringVar(&o.list, "list", "", "internal: the file of names of a helper")
	flag.StringVar(&o.dir, "dir", "", "internal: the run's temporary folder")
	peers := flag.String("peers", "squid,tinyproxy,goproxy", "peers to measure beside cordon and direct")
	seconds := flag.Float64("seconds", 0.5, "how long one turn of a measure takes")
	flag.IntVar(&o.rounds, "rounds", 3, "how many turns each proxy has at each measure; medians are printed")
	flag.StringVar(&o.only, "only", "", "measure only what this names, such as \"tunnel\"")
	flag.IntVar(&o.names, "names", 10, "how many names every proxy has on its list")
	flag.IntVar(&o.ttl, "ttl", 60, "for how many seconds DNS answers hold; 0 is the worst case")
	flag.StringVar(&o.json, "json", "", "write the figures and the conditions to this file as well")
	flag.BoolVar(&o.check, "check", false, "only see that every proxy does what is measured; the figures mean nothing")
	flag.Parse()
	o.peers = strings.FieldsFunc(*peers, func(r rune) bool { return r == ',' })
	o.each = time.Duration(*seconds * float64(time.Second))
	if o.check {
		o.each, o.rounds = 20*time.Millisecond, 1
	}
	switch {
	case o.names < 1 || o.names > 1_000_000:
		return o, fmt.Errorf("-names %d: it must be from 1 to 1000000", o.names)
	case o.ttl < 0:
		return o, fmt.Errorf("-ttl %d: it must not be negative", o.ttl)
	case o.each <= 0 || o.each > time.Minute:
		return o, fmt.Errorf("-seconds %v: it must be above 0 and at most 60", *seconds)
	case o.rounds < 1 || o.rounds > 100:
		return o, fmt.Errorf("-rounds %d: it must be from 1 to 100", o.rounds)
	}
	return o, nil
}

func (o options) act(ctx context.Context) error {
	switch o.role {
	case "origin":
		return runOrigin(o.listen)
	case "goproxy":
		return runGoproxy(o.listen, o.list)
	case "inside":
		return o.inside(ctx)
	}
	return o.outside(ctx)
}

// outside builds Cordon while there is a network, and runs this program again
// inside a network of its own.
func (o options) outside(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("nothing is measured: proxies resolve names through the system's files and port 53, " +
			"and a network of its own with both takes root; run this as root")
	}
	dir, err := os.MkdirTemp("", "cordon-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o777); err != nil { // squid writes its log as another user
		return err
	}
	if err := buildCordon(ctx, dir); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.limit())
	defer cancel()
	err = enclose(ctx, append([]string{"-role", "inside", "-dir", dir}, os.Args[1:]...))
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// limit is what the whole run may take: four times what is planned, and time to
// start.
func (o options) limit() time.Duration {
	turns := len(measures) * o.rounds * (len(o.peers) + 2)
	return 2*time.Minute + 4*time.Duration(turns)*o.each
}

func buildCordon(ctx context.Context, dir string) error {
	const module = "github.com/cordon-sec/cordon"
	folder, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return fmt.Errorf("run this inside the bench folder: %w", err)
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, "cordon"), "./cmd/cordon")
	build.Dir = strings.TrimSpace(string(folder))
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w: %s", err, out)
	}
	return nil
}

// inside measures: this process is the client and the name server.
func (o options) inside(ctx context.Context) error {
	if err := furnish(o.dir); err != nil {
		return fmt.Errorf("making a network of its own (root without the right to do so, as in many containers?): %w", err)
	}
	zone := &zone{names: o.names, ttl: o.ttl}
	server, err := zone.serve()
	if err != nil {
		return err
	}
	defer server.Close()
	origin, err := startOrigin(o.dir)
	if err != nil {
		return err
	}
	defer origin.stop()
	clients, err := o.start(zone)
	defer func() {
		for _, c := range clients {
			c.p.stop()
		}
	}()
	if err != nil {
		return err
	}
	r := newReport(o, clients)
	if err := r.measure(ctx, o, clients); err != nil {
		return err
	}
	r.print(os.Stdout)
	if o.json != "" {
		if err := r.write(o.json); err != nil {
			return err
		}
	}
	return r.failed()
}

// start starts all proxies; one that cannot be started is left out, but for
// Cordon.
func (o options) start(zone *zone) ([]*client, error) {
	if err := writeNames(o.dir, zone); err != nil {
		return nil, err
	}
	clients := []*client{newClient("direct", nil, zone)}
	for _, name := range append([]string{"cordon"}, o.peers...) {
		begin, ok := starters[name]
		if !ok {
			return clients, fmt.Errorf("-peers: %q is not known", name)
		}
		p, err := begin(o.dir, zone)
		if err != nil && name == "cordon" {
			return clients, err
		} else if err != nil {
			fmt.Fprintf(os.Stderr, "%s is left out: %v\n", name, err)
			continue
		}
		clients = append(clients, newClient(name, p, zone))
	}
	return clients, nil
}
