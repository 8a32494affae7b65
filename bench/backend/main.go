// Command backend measures what a request costs the whole backend, sign-in and
// CORS included, beside what it could cost at the least and beside PocketBase:
// read by id, a filtered query of 100 rows, an insert.
//
//	cd bench && go run ./backend [-postgres own|URL] [-time 300ms] [-rounds 15] [-strict]
//
// The contenders are "limit", a handler that was written by hand for this one
// table and does as little as possible; "cordon"; and "pocketbase", on SQLite
// only. Each is a process of its own, so that the client's work does not count.
// First all of them must answer alike, then they take turns, and the median of the
// rounds is printed. The last lines hold each ratio to its bound. See README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cordon-sec/cordon/backend/store/storetest/pgtest"
)

// options are how to measure.
type options struct {
	postgres   string
	durability string
	span       time.Duration
	rounds     int
	clients    int
	check      bool
	profiles   string
	requests   []string
}

var errMissed = errors.New("a bound was missed")

func main() {
	log.SetFlags(0)
	var o options
	serve := flag.String("serve", "", "internal: be the server of this kind")
	database := flag.String("database", "", "internal: the server's database")
	strict := flag.Bool("strict", false, "exit with status 1 when a bound is missed")
	flag.StringVar(&o.postgres, "postgres", "", `measure on this PostgreSQL database too; "own" starts a server.
The tables todoitem and minimal are made anew`)
	flag.StringVar(&o.durability, "durability", "full", `of SQLite, for all contenders: "full" or "normal"`)
	flag.DurationVar(&o.span, "time", 300*time.Millisecond, "how long each measurement takes")
	flag.IntVar(&o.rounds, "rounds", 15, "how often everything is measured")
	flag.IntVar(&o.clients, "clients", 4, "connections at the same time")
	flag.BoolVar(&o.check, "check", false, "compare the answers and measure nothing")
	flag.StringVar(&o.profiles, "profiles", "", "a folder for a profile of each measurement of the last round")
	only := flag.String("only", strings.Join(requests, ","), "the requests to measure")
	flag.Parse()
	o.requests = strings.Split(*only, ",")
	if *serve != "" {
		log.Fatal(run(*serve, *database, o.durability))
	}
	err := measure(o)
	if err != nil && (*strict || !errors.Is(err, errMissed)) {
		log.Fatal(err)
	}
}

// measure runs all contenders on all databases.
func measure(o options) error {
	for _, request := range o.requests {
		if !slices.Contains(requests, request) {
			return fmt.Errorf("-only %q: the requests are %s", request, strings.Join(requests, ", "))
		}
	}
	if o.durability != "full" && o.durability != "normal" {
		return fmt.Errorf("-durability %q: it must be full or normal", o.durability)
	}
	dir, err := os.MkdirTemp("", "cordon-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var all report
	file := func(kind string) string { return "sqlite:" + filepath.Join(dir, kind+".db") }
	runs := []database{{name: "sqlite", kinds: []string{"limit", "cordon", "pocketbase"}, address: file}}
	address := o.postgres
	if address == "own" {
		server, err := pgtest.Start(true)
		if err == nil {
			defer server.Stop()
			address, err = server.Create()
		}
		if errors.Is(err, pgtest.ErrMissing) {
			fmt.Println("PostgreSQL is left out:", err)
			address = ""
		} else if err != nil {
			return err
		}
	}
	if address != "" {
		own := func(string) string { return address }
		runs = append(runs, database{name: "postgres", kinds: []string{"limit", "cordon"}, address: own})
	}
	for _, d := range runs {
		costs, err := d.compare(o)
		if err != nil {
			return err
		}
		all.add(d, o.requests, costs)
	}
	if o.check {
		return nil
	}
	all.print(o)
	return all.missed()
}

// requests are what is measured. Inserts come last: they make the table grow.
var requests = []string{"read", "query", "insert"}

// database is where contenders are compared.
type database struct {
	name    string
	kinds   []string
	address func(kind string) string
}

// compare starts the contenders, holds their answers against each other, and
// measures them in turns.
func (d database) compare(o options) (map[string][]cost, error) {
	servers := make([]*process, len(d.kinds))
	for i, kind := range d.kinds {
		s, err := start(kind, d.address(kind), o)
		if err != nil {
			return nil, fmt.Errorf("starting %s on %s: %w", kind, d.name, err)
		}
		defer s.stop()
		if err := s.fill(); err != nil {
			return nil, fmt.Errorf("filling %s on %s: %w", kind, d.name, err)
		}
		servers[i] = s
	}
	if d.name == "postgres" {
		if err := analyze(d.address("")); err != nil {
			return nil, err
		}
	}
	if err := agree(servers); err != nil {
		return nil, fmt.Errorf("on %s: %w", d.name, err)
	}
	fmt.Printf("%s: %v give the same answers\n", d.name, d.kinds)
	costs := map[string][]cost{}
	if o.check {
		return costs, nil
	}
	for _, request := range o.requests {
		for round := range o.rounds {
			for _, s := range servers {
				profile := ""
				if o.profiles != "" && round == o.rounds-1 {
					profile = filepath.Join(o.profiles, d.name+"-"+s.kind+"-"+request+".pprof")
				}
				c, err := s.measure(request, o, profile)
				if err != nil {
					return nil, fmt.Errorf("%s of %s on %s: %w", request, s.kind, d.name, err)
				}
				costs[s.kind+" "+request] = append(costs[s.kind+" "+request], c)
			}
		}
	}
	return costs, nil
}

// analyze brings the rows of both tables into the same order on their pages (who
// filled them with many connections has them spread), has PostgreSQL look at them
// now and not at some time in the middle of a measurement, for its plans depend on
// both, and says how durable it is.
func analyze(address string) error {
	ctx := context.Background()
	c, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	for _, text := range []string{
		"CLUSTER minimal USING minimal_pkey", "CLUSTER todoitem USING todoitem_pkey", "VACUUM ANALYZE",
	} {
		if _, err := c.Exec(ctx, text); err != nil {
			return err
		}
	}
	var version, fsync, commit string
	const settings = `SELECT current_setting('server_version'), current_setting('fsync'),
		current_setting('synchronous_commit')`
	err = c.QueryRow(ctx, settings).Scan(&version, &fsync, &commit)
	if err == nil {
		fmt.Printf("PostgreSQL %s: fsync %s, synchronous_commit %s\n", version, fsync, commit)
	}
	return err
}
