// Command backend measures what a request costs the backend in processor time,
// beside a minimal handler on the same driver and the same kind of file: read by
// id, a filtered query of 100 rows, an insert.
//
//	cd bench && go run ./backend [-postgres URL] [-time 3s] [-rounds 3]
//
// Each server is a process of its own, so that the client's work does not count.
// The two take turns, and the median of the rounds is printed.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"time"
)

func main() {
	serve := flag.String("serve", "", "internal: be the server of this kind")
	database := flag.String("database", "", "internal: the server's database")
	postgres := flag.String("postgres", "", "measure on this PostgreSQL database too; its tables todoitem and minimal are made anew")
	span := flag.Duration("time", 3*time.Second, "how long each measurement takes")
	rounds := flag.Int("rounds", 3, "how often everything is measured")
	clients := flag.Int("clients", 4, "connections at the same time")
	flag.Parse()
	if *serve != "" {
		log.Fatal(run(*serve, *database))
	}
	if err := measure(*postgres, *span, *rounds, *clients); err != nil {
		log.Fatal(err)
	}
}

// bound is how many times the minimal handler's time the backend may take.
var bound = map[string]float64{"read": 2, "query": 1.5, "insert": 2}

func measure(postgres string, span time.Duration, rounds, clients int) error {
	dir, err := os.MkdirTemp("", "cordon-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Printf("%-10s %-8s %12s %12s %7s %7s\n", "database", "request", "minimal µs", "cordon µs", "ratio", "bound")
	databases := [][2]string{{"sqlite", filepath.Join(dir, "minimal.db")}, {"sqlite", filepath.Join(dir, "cordon.db")}}
	if err := compare(databases, span, rounds, clients); err != nil || postgres == "" {
		return err
	}
	return compare([][2]string{{"postgres", postgres}, {"postgres", postgres}}, span, rounds, clients)
}

// compare measures both servers, in turns.
func compare(databases [][2]string, span time.Duration, rounds, clients int) error {
	kinds := []string{"minimal", "cordon"}
	results := map[string][]float64{}
	servers := make([]*process, len(kinds))
	for i, kind := range kinds {
		s, err := start(kind, databases[i])
		if err != nil {
			return fmt.Errorf("starting %s: %w", kind, err)
		}
		defer s.stop()
		if err := s.fill(); err != nil {
			return fmt.Errorf("filling %s: %w", kind, err)
		}
		servers[i] = s
	}
	for range rounds {
		for _, name := range []string{"read", "query", "insert"} {
			for i, kind := range kinds {
				cost, err := servers[i].cost(name, span, clients)
				if err != nil {
					return fmt.Errorf("%s of %s: %w", name, kind, err)
				}
				results[kind+name] = append(results[kind+name], cost)
			}
		}
	}
	for _, name := range []string{"read", "query", "insert"} {
		small, ours := median(results["minimal"+name]), median(results["cordon"+name])
		fmt.Printf("%-10s %-8s %12.1f %12.1f %7.2f %7.1f\n", databases[0][0], name, small, ours, ours/small, bound[name])
	}
	return nil
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
