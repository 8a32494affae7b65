package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/cordon-sec/cordon/server"
	"github.com/cordon-sec/cordon/settings"
)

// A backend out of four lines: opened, asked, and stopped.
func Example() {
	dir, err := os.MkdirTemp("", "example-server-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	s, err := settings.Parse(filepath.Join(dir, "cordon.yaml"), []byte(`server: { listen: "127.0.0.1:0", tls: off }
identity: { providers: { development: { type: development } } }
tables: { note: { access: anonymous } }
telemetry: { log: none }
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := server.Open(context.Background(), s, server.Options{Stdout: io.Discard, Stderr: io.Discard})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- b.Serve(ctx) }()
	response, err := http.Get(b.URL.String() + "/tables/note?zumo-api-version=2.0.0")
	if err != nil {
		fmt.Println(err)
		return
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	fmt.Println(response.Status, string(body), err)
	stop()
	fmt.Println("ended:", <-ended)
	// Output:
	// 200 OK [] <nil>
	// ended: <nil>
}
