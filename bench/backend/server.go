package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/cordon-sec/cordon/server"

	"github.com/cordon-sec/cordon/settings"
	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"
)

// run is the server's process.
func run(kind, database string) error {
	var handler http.Handler
	var err error
	if kind == "cordon" {
		handler, err = cordon(database)
	} else {
		handler, err = minimal(database)
	}
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + listener.Addr().String())
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/used" {
			handler.ServeHTTP(w, r)
			return
		}
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			log.Print(err)
		}
		fmt.Fprint(w, (u.Utime.Sec+u.Stime.Sec)*1e6+int64(u.Utime.Usec+u.Stime.Usec))
	}))
}

// cordon is the whole backend, with sign-in, CORS and all.
func cordon(database string) (http.Handler, error) {
	dir, err := os.MkdirTemp("", "cordon-bench-")
	if err != nil {
		return nil, err
	}
	if err := os.Setenv("CORDON_BENCH_KEY", strings.Repeat("0123456789abcdef", 4)); err != nil {
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
	if strings.HasPrefix(database, "postgres") {
		db, err := sql.Open("pgx", database)
		if err == nil {
			_, _ = db.Exec("DROP TABLE IF EXISTS todoitem") // from an earlier run
			_, _ = db.Exec("DELETE FROM cordon_columns")
			err = db.Close()
		}
		if err != nil {
			return nil, err
		}
	}
	b, err := server.Open(context.Background(), s, server.Options{Stdout: io.Discard, Stderr: io.Discard})
	if err != nil {
		return nil, err
	}
	return b.Handler, nil
}

// item is a row as the minimal handler knows it.
type item struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	Version   string    `json:"version"`
	Text      string    `json:"text"`
	Complete  bool      `json:"complete"`
	Qty       float64   `json:"qty"`
	Due       string    `json:"due"`
}

// minimal is what one writes by hand for this one table: the standard library's
// router, pool and JSON, prepared statements.
func minimal(database string) (http.Handler, error) {
	driver, dsn, mark := "pgx", database, func(i int) string { return fmt.Sprintf("$%d", i) }
	types := []string{"timestamptz", "boolean", "float8"}
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		driver, dsn, mark = "sqlite", path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)", func(int) string { return "?" }
		types = []string{"INTEGER", "INTEGER", "REAL"}
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	marks := make([]any, 8)
	for i := range marks {
		marks[i] = mark(i + 1)
	}
	for _, text := range []string{
		"DROP TABLE IF EXISTS minimal",
		fmt.Sprintf("CREATE TABLE minimal (id TEXT PRIMARY KEY, createdAt %[1]s, updatedAt %[1]s, version TEXT, text TEXT, complete %[2]s, qty %[3]s, due TEXT)", types[0], types[1], types[2]),
		"CREATE INDEX minimal_qty ON minimal (qty)",
	} {
		if _, err := db.Exec(text); err != nil {
			return nil, err
		}
	}
	h := &handler{millis: driver == "sqlite"}
	const columns = "SELECT id,createdAt,updatedAt,version,text,complete,qty,due FROM minimal"
	for text, to := range map[string]**sql.Stmt{
		columns + " WHERE id=" + mark(1):                                                        &h.read,
		columns + " WHERE qty=" + mark(1) + " LIMIT 100":                                        &h.query,
		"INSERT INTO minimal VALUES (" + fmt.Sprintf("%s,%s,%s,%s,%s,%s,%s,%s", marks...) + ")": &h.insert,
	} {
		if *to, err = db.Prepare(text); err != nil {
			return nil, err
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /tables/todoitem/{id}", h.get)
	mux.HandleFunc("GET /tables/todoitem", h.list)
	mux.HandleFunc("POST /tables/todoitem", h.post)
	return mux, nil
}

type handler struct {
	read, query, insert *sql.Stmt
	millis              bool // times are integers
}

func (h *handler) scan(scan func(...any) error) (i item, err error) {
	if !h.millis {
		return i, scan(&i.ID, &i.CreatedAt, &i.UpdatedAt, &i.Version, &i.Text, &i.Complete, &i.Qty, &i.Due)
	}
	var created, updated int64
	err = scan(&i.ID, &created, &updated, &i.Version, &i.Text, &i.Complete, &i.Qty, &i.Due)
	i.CreatedAt, i.UpdatedAt = time.UnixMilli(created).UTC(), time.UnixMilli(updated).UTC()
	return i, err
}

func (h *handler) get(w http.ResponseWriter, r *http.Request) {
	i, err := h.scan(h.read.QueryRowContext(r.Context(), r.PathValue("id")).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		http.NotFound(w, r)
		return
	}
	answer(w, http.StatusOK, i, err)
}

func (h *handler) list(w http.ResponseWriter, r *http.Request) {
	var qty float64
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err == nil {
		_, err = fmt.Sscanf(query.Get("$filter"), "qty eq %g", &qty)
	}
	if err != nil {
		answer(w, 0, nil, err)
		return
	}
	rows, err := h.query.QueryContext(r.Context(), qty)
	if err != nil {
		answer(w, 0, nil, err)
		return
	}
	defer rows.Close()
	out := make([]item, 0, 100)
	for rows.Next() {
		i, err := h.scan(rows.Scan)
		if err != nil {
			answer(w, 0, nil, err)
			return
		}
		out = append(out, i)
	}
	answer(w, http.StatusOK, out, rows.Err())
}

func (h *handler) post(w http.ResponseWriter, r *http.Request) {
	var i item
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&i); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if i.ID == "" {
		i.ID = uuid.NewString()
	}
	i.CreatedAt, i.Version = time.Now().UTC().Truncate(time.Millisecond), uuid.NewString()[:8]
	i.UpdatedAt = i.CreatedAt
	var at any = i.CreatedAt
	if h.millis {
		at = i.CreatedAt.UnixMilli()
	}
	_, err := h.insert.ExecContext(r.Context(), i.ID, at, at, i.Version, i.Text, i.Complete, i.Qty, i.Due)
	answer(w, http.StatusCreated, i, err)
}

func answer(w http.ResponseWriter, status int, v any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}
