package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/cordon-sec/cordon/gateway"
)

// A gateway for one app: what its list does not name gets no further.
func Example() {
	const list = `<widget><access origin="https://api.example.com" /></widget>`
	g, err := gateway.New(gateway.Options{Config: gateway.Config{
		Listen: "127.0.0.1:0", Log: "none",
		Apps: []gateway.AppConfig{{Name: "todo", Config: "config.xml", Data: []byte(list)}},
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
