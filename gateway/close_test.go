package gateway

import (
	"net"
	"testing"

	"github.com/cordon-sec/cordon/gateway/config"
)

// A gateway that listens and is not served leaves its ports free.
func TestClose(t *testing.T) {
	g, err := New(Options{Loaded: loadedOf(t, config.Config{Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Log: "none",
		Apps: []config.App{{Name: "a", Config: "config.xml"}}}, `<access origin="https://a.example"/>`)})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Listen(); err != nil {
		t.Fatal(err)
	}
	addresses := []string{g.Addr().String(), g.AdminAddr().String()}
	g.Close()
	for _, address := range addresses {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Errorf("the port is still held: %v", err)
			continue
		}
		_ = l.Close()
	}
	g.Close() // once more does nothing
}
