package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"

	"github.com/cordon-sec/cordon/server"
	"github.com/cordon-sec/cordon/settings"
)

// run is a contender's process.
func run(kind, database, durability string) error {
	contenders := map[string]func(database, durability string) (http.Handler, error){
		"limit": limit, "cordon": cordon, "pocketbase": pocketbase,
	}
	open := contenders[kind]
	if open == nil {
		return fmt.Errorf("-serve %q: there is no such contender", kind)
	}
	handler, err := open(database, durability)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("listening on " + listener.Addr().String())
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/used":
			var u syscall.Rusage
			if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
				log.Print(err)
			}
			fmt.Fprint(w, (u.Utime.Sec+u.Stime.Sec)*1e6+int64(u.Utime.Usec+u.Stime.Usec))
		case "/profile":
			pprof.Profile(w, r)
		default:
			handler.ServeHTTP(w, r)
		}
	}))
}

// cordon is the whole backend as cordon serve has it, with sign-in, CORS and all.
func cordon(database, durability string) (http.Handler, error) {
	dir, err := os.MkdirTemp("", "cordon-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.Setenv("CORDON_BENCH_KEY", strings.Repeat("0123456789abcdef", 4)); err != nil {
		return nil, err
	}
	if strings.HasPrefix(database, "sqlite:") {
		database += "?durability=" + durability
	} else if err := forget(database, "todoitem"); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "cordon.yaml")
	text := fmt.Sprintf(`server: { listen: "127.0.0.1:0", tls: off }
database: %q
identity: { signing_key: "env:CORDON_BENCH_KEY" }
tables:
  todoitem: { columns: {text: string, complete: boolean, qty: number, due: date}, indexes: [qty], soft_delete: false }
`, database)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	s, err := settings.Load(file)
	if err != nil {
		return nil, err
	}
	b, err := server.Open(context.Background(), s, server.Options{Stdout: io.Discard, Stderr: io.Discard})
	if err != nil {
		return nil, err
	}
	return b.Handler, nil
}

// forget removes a table of an earlier run from PostgreSQL.
func forget(database, table string) error {
	ctx := context.Background()
	c, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, "DROP TABLE IF EXISTS "+table); err != nil {
		return err
	}
	var known bool
	if err := c.QueryRow(ctx, "SELECT to_regclass('cordon_columns') IS NOT NULL").Scan(&known); err != nil || !known {
		return err
	}
	_, err = c.Exec(ctx, "DELETE FROM cordon_columns WHERE tbl=$1", table)
	return err
}
