package up_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/cordon-sec/cordon/up"
)

// An app with one page: opened, asked, and stopped.
func Example() {
	dir, err := os.MkdirTemp("", "example-up-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{
		"config.xml":     `<widget><name>Notes</name><access origin="https://api.example.com" /></widget>`,
		"cordon.yaml":    "server: { listen: \"127.0.0.1:0\" }\ntables: { note: { access: anonymous } }\n",
		"www/index.html": "<title>Notes</title>",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			fmt.Println(err)
			return
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			fmt.Println(err)
			return
		}
	}
	app, err := up.Open(context.Background(), up.Config{Dir: dir})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- app.Serve(ctx) }()
	summary := app.Summary()
	fmt.Println(summary.Name, "reaches", summary.Reaches)
	response, err := http.Get(summary.Page.String() + "/")
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	fmt.Println(response.Status, string(page), err)
	stop()
	fmt.Println("ended:", <-ended)
	// Output:
	// Notes reaches [api.example.com]
	// 200 OK <title>Notes</title> <nil>
	// ended: <nil>
}
