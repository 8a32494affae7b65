// Command gateway measures Cordon's gateway beside other forward proxies, in
// one run on one machine: processor time of the proxy for each thing that a
// proxy does, and throughput against a direct connection.
//
//	cd bench && go run ./gateway [-peers squid,tinyproxy,goproxy] [-seconds 2]
//
// Peers that are not installed are left out with a line that says so. The
// origin, the client and each proxy are processes of their own; processor time
// is read from /proc/PID/stat, so Linux is needed.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	role := flag.String("role", "bench", "bench, or one of the helpers that it starts: origin, goproxy")
	listen := flag.String("listen", "", "address for a helper")
	peers := flag.String("peers", "squid,tinyproxy,goproxy", "peers to measure beside cordon and direct")
	seconds := flag.Float64("seconds", 2, "how long each measurement takes")
	only := flag.String("only", "", "measure only what this names, such as \"tunnel\"")
	flag.Parse()
	var err error
	switch *role {
	case "origin":
		err = runOrigin(*listen)
	case "goproxy":
		err = runGoproxy(*listen)
	default:
		err = bench(strings.Split(*peers, ","), time.Duration(*seconds*float64(time.Second)), *only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/gateway:", err)
		os.Exit(1)
	}
}

// bench measures every proxy in turn and prints the table.
func bench(peers []string, each time.Duration, only string) error {
	dir, err := os.MkdirTemp("", "cordon-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	origin, err := startOrigin()
	if err != nil {
		return err
	}
	defer origin.stop()
	starters := append([]starter{{"direct", nil}, {"cordon", startCordon(10)}}, peerStarters(peers)...)
	if only == "" || strings.Contains("denied CONNECT", only) {
		starters = append(starters, starter{"cordon, 100,000 names", startCordon(100_000)})
	}
	results := map[string]map[string]string{}
	var names []string
	for _, s := range starters {
		var p *process
		if s.start != nil {
			if p, err = s.start(dir, origin.addr); err != nil {
				fmt.Fprintf(os.Stderr, "%s is left out: %v\n", s.name, err)
				continue
			}
		}
		results[s.name] = measureAll(p, origin.addr, each, only)
		names = append(names, s.name)
		if p != nil {
			p.stop()
		}
	}
	print(names, results, only)
	return nil
}

func print(names []string, results map[string]map[string]string, only string) {
	w := tabwriter.NewWriter(os.Stdout, 2, 8, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintf(w, "\t%s\n", strings.Join(names, "\t"))
	for _, m := range measurements {
		if !strings.Contains(m.name, only) {
			continue
		}
		fmt.Fprint(w, m.name)
		for _, name := range names {
			fmt.Fprint(w, "\t", results[name][m.name])
		}
		fmt.Fprintln(w)
	}
}
