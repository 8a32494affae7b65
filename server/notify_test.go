package server

import (
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestNotify listens as a service manager does.
func TestNotify(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Skip("this system has no datagram sockets in the file system: " + err.Error())
	}
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	r := run(t, t.TempDir(), `{server: { listen: "127.0.0.1:0", tls: off }, telemetry: {log: none}}`, Options{})
	expect := func(want string) {
		t.Helper()
		if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		buffer := make([]byte, 100)
		n, err := conn.Read(buffer)
		if err != nil || string(buffer[:n]) != want {
			t.Errorf("notified %q, %v, want %q", buffer[:n], err, want)
		}
	}
	expect("READY=1")
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	expect("STOPPING=1")
}
