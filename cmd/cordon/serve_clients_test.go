//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/internal/proctest"
)

// What the test holds the backend to: its memory, with so many clients that do it
// no good, in nine kinds.
const (
	badClients   = 2000
	mostResident = 200 << 20
)

// TestServeBadClients runs a backend whose pages and rows are long, and 2,000 clients
// that do not read (pages, rows, or the answers to what they change and delete), read
// slowly, send a head alone, send a body slowly, close their side, or reset. Its
// memory stays below 200 MiB, and who behaves is served.
func TestServeBadClients(t *testing.T) {
	lane.Real(t)
	dir := t.TempDir()
	command := filepath.Join(dir, "cordon")
	if out, err := exec.Command("go", "build", "-o", command, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	config := filepath.Join(dir, "cordon.yaml")
	text := `server: { listen: "127.0.0.1:0", tls: off }
tables:
  page: { columns: { text: string, n: number } }
  mine: { columns: { text: string }, access: authenticated }
`
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(command, "serve", "--config", config)
	cmd.Dir = dir
	process := proctest.Start(t, cmd)
	address := process.Line(func(line string) string {
		_, after, _ := strings.Cut(line, "listening on ")
		address, _, _ := strings.Cut(after, ",")
		return address
	})
	b := &badLoad{t: t, address: address}
	text = strings.Repeat("x", 1<<20-200)
	for i := range 250 {
		b.want(
			http.StatusCreated,
			http.MethodPost,
			"/tables/page",
			fmt.Sprintf(`{"id":"r%d","n":%[1]d,"text":"%s"}`, i, text),
		)
		if i < 3 {
			t.Logf("after %d rows: %d MiB", i+1, resident(t, cmd.Process.Pid)>>20)
		}
	}
	t.Logf("with its rows: %d MiB", resident(t, cmd.Process.Pid)>>20)
	b.attack()
	for range 20 {
		b.want(http.StatusOK, http.MethodGet, "/tables/page?$select=id&$top=5", "")
		b.want(http.StatusCreated, http.MethodPost, "/tables/page", `{"text":"good"}`)
	}
	most := resident(t, cmd.Process.Pid)
	t.Logf("at the most: %d MiB", most>>20)
	if most > mostResident {
		t.Errorf("%d MiB were resident, with %d bad clients", most>>20, badClients)
	}
	b.leave()
	lane.Until(t, "a long page is served again", func() bool {
		status, n := b.do(http.MethodGet, "/tables/page?$top=10", "")
		return status == http.StatusOK && n > 10<<20-4096
	})
}

// resident is the most memory that a process has had.
func resident(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// badLoad are the clients.
type badLoad struct {
	t       *testing.T
	address string
	client  http.Client

	conns []net.Conn
	done  chan struct{}
	slow  sync.WaitGroup
}

// do sends a request as somebody who behaves, and returns the status and how many
// bytes the answer had; 0 for one that did not come whole.
func (b *badLoad) do(method, path, body string) (status, n int) {
	r, err := http.NewRequestWithContext(b.t.Context(), method, "http://"+b.address+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("ZUMO-API-VERSION", "2.0.0")
	answer, err := b.client.Do(r)
	if err != nil {
		return 0, 0
	}
	defer answer.Body.Close()
	all, err := io.Copy(io.Discard, answer.Body)
	if err != nil {
		return 0, 0
	}
	return answer.StatusCode, int(all)
}

func (b *badLoad) want(status int, method, path, body string) {
	b.t.Helper()
	if got, _ := b.do(method, path, body); got != status {
		b.t.Fatalf("%s %s: %d, want %d", method, path, got, status)
	}
}

// attack connects all clients and lets each do its worst: as much as it can do
// before the server makes it wait.
func (b *badLoad) attack() {
	const head = " HTTP/1.1\r\nHost: localhost\r\nZUMO-API-VERSION: 2.0.0\r\n"
	const page, long = "GET /tables/page?$top=250" + head, "Content-Length: 1000000\r\n\r\n"
	half := strings.Repeat("y", 500_000)
	b.done = make(chan struct{})
	var sending sync.WaitGroup
	for i := range badClients {
		// A hundred clients of twenty connections each, none of which is the front's.
		from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, 0, byte(1+i%100))}}
		c, err := from.Dial("tcp", b.address)
		if err != nil {
			b.t.Fatal(err)
		}
		_ = c.(*net.TCPConn).SetReadBuffer(4096)
		b.conns = append(b.conns, c)
		table := []string{"page", "mine"}[i/9%2]
		row := i / 9 % 200
		send := []string{
			page + "\r\n",    // and reads nothing
			page + "\r\n",    // and reads slowly
			page + "X-Head:", // and no more of the head
			"POST /tables/" + table + head + long + `{"text":"` + half, // and no more of the body
			page + "\r\n", // and closes its side
			page + "\r\n", // and resets
			// And reads nothing of a row, of one that it changes, of some that it deletes.
			fmt.Sprintf("GET /tables/page/r%d%s\r\n", row, head),
			fmt.Sprintf("PATCH /tables/page/r%d%sContent-Length: 8\r\n\r\n{\"n\":%3d}", row, head, row),
			fmt.Sprintf("DELETE /tables/page?$filter=n%%20ge%%20%d%%20and%%20n%%20lt%%20%d", 200+row/4, 202+row/4) +
				head + "\r\n",
		}[i%9]
		sending.Go(func() {
			_ = c.SetWriteDeadline(time.Now().Add(20 * time.Second)) // a server need not take it all
			_, err := io.WriteString(c, send)
			if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				return // the server has refused it
			}
			switch i % 9 {
			case 1:
				b.slow.Go(func() { b.sip(c) })
			case 4:
				_ = c.(*net.TCPConn).CloseWrite()
			case 5:
				_, _ = bufio.NewReaderSize(c, 16).ReadByte()
				_ = c.(*net.TCPConn).SetLinger(0)
				_ = c.Close()
			}
		})
	}
	sending.Wait()
}

// sip reads a byte now and then.
func (b *badLoad) sip(c net.Conn) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for one := make([]byte, 1); ; {
		select {
		case <-b.done:
			return
		case <-tick.C:
			if _, err := c.Read(one); err != nil {
				return
			}
		}
	}
}

// leave ends all of them.
func (b *badLoad) leave() {
	close(b.done)
	for _, c := range b.conns {
		_ = c.Close()
	}
	b.slow.Wait()
}
