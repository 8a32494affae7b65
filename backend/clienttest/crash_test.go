package clienttest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cordon-sec/cordon/server"

	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/internal/proctest"
	"github.com/cordon-sec/cordon/settings"
)

// serveEnv makes the test binary a backend that serves this configuration, so
// that a test can kill it.
const serveEnv = "CORDON_TEST_SERVE"

// serveChild serves until it is killed. It prints its address.
func serveChild(config string) error {
	s, err := settings.Load(config)
	if err != nil {
		return err
	}
	b, err := server.Open(context.Background(), s, server.Options{Stdout: io.Discard, Stderr: os.Stderr})
	if err != nil {
		return err
	}
	fmt.Println("http://" + b.Addr().String())
	return b.Serve(context.Background())
}

// child is a backend in a process of its own.
type child struct {
	process *proctest.Process
	url     string
}

func startChild(t *testing.T, config string) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(self, "-test.run=^$")
	command.Env = append(os.Environ(), serveEnv+"="+config)
	c := &child{process: proctest.Start(t, command)}
	c.url = c.process.Line(anAddress)
	return c
}

func (c *child) kill() { c.process.Kill() }

// truth is what the server has acknowledged, and what it may have done besides:
// the request that was on its way when the server was killed.
type truth struct {
	version string
	n       float64
	// maybe says that a later value, the next n, may be there too.
	maybe bool
	// gone says that its deletion was acknowledged.
	gone bool
}

// TestKill kills the backend in the middle of concurrent writes, again and
// again (once, ten times in make real, 50 in make soak, or CORDON_CRASH_ROUNDS), and looks at what is left: every write
// that was acknowledged, nothing that was not asked for, no half of a change to
// several rows.
func TestKill(t *testing.T) {
	rounds := lane.Rounds(1, 10, 50)
	if n, err := strconv.Atoi(os.Getenv("CORDON_CRASH_ROUNDS")); err == nil {
		rounds = n
	}
	t.Setenv("CORDON_TEST_KEY", strings.Repeat("0123456789abcdef", 4))
	databases(t, func(t *testing.T, database string) {
		config := filepath.Join(t.TempDir(), "cordon.yaml")
		text := fmt.Sprintf(`server: { listen: "127.0.0.1:0", tls: off }
database: %q
identity: { signing_key: "env:CORDON_TEST_KEY" }
tables: { item: { columns: {n: number, batch: string}, soft_delete: true, max_top: 0 } }
`, database)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		known := map[string]truth{}
		for round := range rounds {
			c := startChild(t, config)
			verify(t, c.url, known)
			if t.Failed() {
				t.Fatalf("after %d kills", round)
			}
			writers := churnUntilKilled(c, round)
			for _, w := range writers {
				for id, v := range w {
					known[id] = v
				}
			}
		}
		c := startChild(t, config)
		verify(t, c.url, known)
		t.Logf("%d kills, %d rows", rounds, len(known))
		c.kill()
	})
}

// churnUntilKilled lets writers work, kills the backend in the middle of some
// write and returns what each writer knows.
func churnUntilKilled(c *child, round int) []map[string]truth {
	out := make([]map[string]truth, 8)
	enough := make(chan struct{})
	var acknowledged atomic.Int64
	last := 40 + rand.Int64N(200)
	acknowledge := func() {
		if acknowledged.Add(1) == last {
			close(enough)
		}
	}
	var group sync.WaitGroup
	for w := range out {
		out[w] = map[string]truth{}
		group.Go(func() { churn(c.url, fmt.Sprintf("r%dw%d", round, w), out[w], acknowledge) })
	}
	ended := make(chan struct{})
	go func() { group.Wait(); close(ended) }()
	select {
	case <-enough:
	case <-ended: // the backend has ended by itself, which verify will show
	}
	c.kill()
	<-ended
	return out
}

// churn inserts rows, changes them and deletes a batch of them at once, until
// the server is gone.
func churn(url, prefix string, known map[string]truth, acknowledge func()) {
	for i := 0; ; i++ {
		id, batch := fmt.Sprintf("%s-%d", prefix, i), fmt.Sprintf("%s-%d", prefix, i/4)
		known[id] = truth{n: -1, maybe: true}
		row, ok := send("POST", url+"/tables/item", fmt.Sprintf(`{"id":%q,"batch":%q,"n":0}`, id, batch))
		if !ok {
			return
		}
		acknowledge()
		known[id] = truth{version: row.Version, n: 0, maybe: true}
		if row, ok = send("PATCH", url+"/tables/item/"+id, `{"n":1}`); !ok {
			return
		}
		acknowledge()
		known[id] = truth{version: row.Version, n: 1}
		if i%8 == 7 {
			if _, ok := send("DELETE", url+"/tables/item?$filter=batch%20eq%20'"+batch+"'", ""); !ok {
				return
			}
			for j := i - 3; j <= i; j++ {
				id := fmt.Sprintf("%s-%d", prefix, j)
				k := known[id]
				k.gone = true
				known[id] = k
			}
		}
	}
}

type row struct {
	ID, Batch, Version string
	N                  float64
	Deleted            bool
}

var errStatus = errors.New("an unexpected status")

func send(method, address, body string) (row, bool) {
	var out row
	r, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		return out, false
	}
	r.Header.Set("ZUMO-API-VERSION", "2.0.0")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return out, false
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		return out, false
	}
	_ = json.Unmarshal(text, &out) // several rows are no row, and not looked at
	return out, true
}

// verify reads all rows and compares them with what is known.
func verify(t *testing.T, base string, known map[string]truth) {
	t.Helper()
	rows, err := readAll(base)
	if err != nil {
		t.Fatal(err)
	}
	deleted := map[string][2]int{}
	versions := map[string]bool{}
	for id, r := range rows {
		k, asked := known[id]
		switch {
		case !asked:
			t.Errorf("nobody wrote row %s", id)
		case k.gone && !r.Deleted:
			t.Errorf("row %s is back, its deletion was acknowledged", id)
		case r.N != k.n && (!k.maybe || r.N != k.n+1):
			t.Errorf("row %s has n %v, acknowledged was %v", id, r.N, k.n)
		case r.N == k.n && !r.Deleted && k.version != "" && r.Version != k.version:
			t.Errorf("row %s has version %s, acknowledged was %s", id, r.Version, k.version)
		}
		if versions[id+r.Version] || len(r.Version) != 12 {
			t.Errorf("row %s has version %q", id, r.Version)
		}
		d := deleted[r.Batch]
		if r.Deleted {
			d[0]++
		} else {
			d[1]++
		}
		deleted[r.Batch] = d
	}
	for id, k := range known {
		if _, there := rows[id]; !there && k.n >= 0 {
			t.Errorf("the acknowledged row %s is lost", id)
		}
	}
	for batch, d := range deleted {
		if d[0] != 0 && d[1] != 0 {
			t.Errorf("of batch %s %d rows were deleted and %d were not", batch, d[0], d[1])
		}
	}
}

func readAll(base string) (map[string]row, error) {
	rows := map[string]row{}
	for {
		query := url.Values{"$orderby": {"id"}, "$top": {"5000"}, "$skip": {strconv.Itoa(len(rows))},
			"__includeDeleted": {"true"}}
		r, err := http.NewRequest(http.MethodGet, base+"/tables/item?"+query.Encode(), nil)
		if err != nil {
			return nil, err
		}
		r.Header.Set("ZUMO-API-VERSION", "2.0.0")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return nil, err
		}
		var page []row
		err = json.NewDecoder(answer.Body).Decode(&page)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%w: %d %w", errStatus, answer.StatusCode, err)
		}
		for _, r := range page {
			rows[r.ID] = r
		}
		if len(page) == 0 {
			return rows, nil
		}
	}
}
