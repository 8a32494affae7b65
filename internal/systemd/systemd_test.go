package systemd

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func TestIsSocket(t *testing.T) {
	for address, want := range map[string]bool{
		"systemd": true, "systemd:shop": true, "systemd:": true,
		"systemd.example:80": false, "systemdx": false, "127.0.0.1:80": false, "": false,
	} {
		if IsSocket(address) != want {
			t.Errorf("%q: %v", address, !want)
		}
	}
	if _, err := Listen("systemd.example:80"); err == nil {
		t.Error("a host name was taken for a socket")
	}
}

func TestFind(t *testing.T) {
	t.Setenv("LISTEN_PID", "1")
	t.Setenv("LISTEN_FDS", "2")
	t.Setenv("LISTEN_FDNAMES", "shop:news:more")
	if _, err := find(""); err == nil {
		t.Error("sockets for another process were taken")
	}
	t.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
	for name, want := range map[string]int{"": 3, "shop": 3, "news": 4} {
		if fd, err := find(name); err != nil || fd != want {
			t.Errorf("%q: descriptor %d, %v, want %d", name, fd, err, want)
		}
	}
	for _, name := range []string{"other", "more"} {
		if _, err := find(name); err == nil {
			t.Errorf("%q: a socket that was not passed was found", name)
		}
	}
	for _, n := range []string{"", "0", "-1", "many"} {
		t.Setenv("LISTEN_FDS", n)
		if _, err := find(""); err == nil {
			t.Errorf("LISTEN_FDS=%q: a socket was found", n)
		}
	}
}

// manager listens as a service manager does.
func manager(t *testing.T) (*net.UnixConn, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Skip("this system has no datagram sockets in the file system: " + err.Error())
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn, path
}

func TestNotify(t *testing.T) {
	conn, path := manager(t)
	t.Setenv("NOTIFY_SOCKET", path)
	Notify("READY=1")
	buffer := make([]byte, 64)
	if n, err := conn.Read(buffer); err != nil || string(buffer[:n]) != "READY=1" {
		t.Errorf("%q %v", buffer[:n], err)
	}
	for _, path := range []string{"", filepath.Join(t.TempDir(), "none"), "@cordon-nobody-listens"} {
		t.Setenv("NOTIFY_SOCKET", path)
		Notify("READY=1") // must not fail, nor wait
	}
}

// A manager whose queue is full does not keep the process from serving.
func TestNotifyDoesNotWaitForEver(t *testing.T) {
	conn, path := manager(t)
	t.Setenv("NOTIFY_SOCKET", path)
	fill, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer fill.Close()
	for {
		if err := fill.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := fill.Write([]byte("x")); err != nil {
			break // it is full
		}
	}
	done := make(chan struct{})
	go func() { Notify("READY=1"); close(done) }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Error("it waits for a manager that does not read")
		conn.Close()
		<-done
	}
}
