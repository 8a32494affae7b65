package gateway

import (
	"net"
	"testing"
)

// A gateway that listens and is not served leaves its ports free.
func TestClose(t *testing.T) {
	g, err := New(Options{Config: Config{Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Log: "none",
		Apps: []AppConfig{{Name: "a", Config: "config.xml",
			Data: []byte(`<widget><access origin="https://a.example"/></widget>`)}}}})
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
