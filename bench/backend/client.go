package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// process is a server in a process of its own.
type process struct {
	kind    string
	url     string
	command *exec.Cmd
	client  *http.Client
}

func start(kind string, database [2]string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &process{kind: kind, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	address := database[1]
	if database[0] == "sqlite" {
		address = "sqlite:" + address
	}
	s.command = exec.Command(self, "-serve", kind, "-database", address)
	s.command.Stderr = os.Stderr
	out, err := s.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	s.url = strings.TrimSpace(line)
	return s, err
}

func (s *process) stop() {
	_ = s.command.Process.Kill()
	_ = s.command.Wait() // it was killed; that is its end
}

// rows is how many rows the table has; a tenth of them match the filter.
const rows = 5000

// body is the row of an insert.
func body(i int, id bool) string {
	head := ""
	if id {
		head = fmt.Sprintf(`"id":"row-%06d",`, i)
	}
	return fmt.Sprintf(`{%s"text":"buy %d litres of milk, and some bread","complete":%v,"qty":%d.5,"due":"2026-11-21T10:00:00.000Z"}`, head, i, i%2 == 0, i%10)
}

func (s *process) fill() error {
	for i := range rows {
		if err := s.send("POST", "/tables/todoitem", body(i, true), http.StatusCreated); err != nil {
			return err
		}
	}
	return nil
}

func (s *process) send(method, path, body string, want int) error {
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("ZUMO-API-VERSION", "2.0.0")
	answer, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != want {
		return fmt.Errorf("%s %s: %d %s", method, path, answer.StatusCode, text)
	}
	if strings.Contains(path, "filter") && bytes.Count(text, []byte(`"id"`)) != 100 {
		return fmt.Errorf("the query gave %d rows", bytes.Count(text, []byte(`"id"`)))
	}
	return nil
}

// cost sends requests for a while and returns the server's processor time for
// each, in microseconds.
func (s *process) cost(name string, span time.Duration, clients int) (float64, error) {
	before, err := s.used()
	if err != nil {
		return 0, err
	}
	var count atomic.Int64
	var failed atomic.Value
	end := time.Now().Add(span)
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			for time.Now().Before(end) {
				n := int(count.Add(1))
				var err error
				switch name {
				case "read":
					err = s.send("GET", fmt.Sprintf("/tables/todoitem/row-%06d", n*7919%rows), "", http.StatusOK)
				case "query":
					err = s.send("GET", fmt.Sprintf("/tables/todoitem?$filter=qty%%20eq%%20%d.5&$top=100", n%10), "", http.StatusOK)
				case "insert":
					err = s.send("POST", "/tables/todoitem", body(n, false), http.StatusCreated)
				}
				if err != nil {
					failed.Store(err)
					return
				}
			}
		})
	}
	group.Wait()
	if err, ok := failed.Load().(error); ok {
		return 0, err
	}
	after, err := s.used()
	return float64(after-before) / float64(count.Load()), err
}

// used is the processor time of the server so far, in microseconds.
func (s *process) used() (int64, error) {
	answer, err := s.client.Get(s.url + "/used")
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	var n int64
	return n, json.NewDecoder(answer.Body).Decode(&n)
}
