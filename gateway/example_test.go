package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/cordon-sec/cordon/gateway"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/policy/enforced"
)

// A gateway for one app: what its list does not name gets no further.
func Example() {
	const text = `<widget><access origin="https://api.example.com" /></widget>`
	app := config.App{Name: "todo", Config: "config.xml"}
	list, err := enforced.Compile(app.Config, []byte(text), app.Options())
	if err != nil {
		fmt.Println(err)
		return
	}
	g, err := gateway.New(gateway.Options{Loaded: config.Loaded{
		Config: config.Config{Listen: "127.0.0.1:0", Log: "none", Apps: []config.App{app}},
		Apps:   []config.Contents{{List: list}},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := g.Listen(); err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- g.Serve(ctx) }()
	proxy := &url.URL{Scheme: "http", Host: g.Addr().String()}
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true}}
	response, err := client.Get("http://evil.example/")
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = response.Body.Close()
	fmt.Println(response.Status, response.Header.Get("Content-Type"))
	stop()
	fmt.Println("ended:", <-ended)
	// Output:
	// 403 Forbidden application/problem+json
	// ended: <nil>
}
