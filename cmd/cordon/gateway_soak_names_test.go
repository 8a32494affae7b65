package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/cordon-sec/cordon/internal/watch"
)

// nameServer is the command of answerNames, which the test's own binary is under
// that name.
const nameServer = "soak-names"

// The orders of a name server, a line each.
const (
	orderLose   = "lose"
	orderAnswer = "answer"
)

// answerNames is a name server as a process: it prints its address, takes orders
// from its standard input until that ends, and prints a line whenever it has
// answered itself too late although no answers were to be lost.
func answerNames() int {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(conn.LocalAddr())
	var lost atomic.Bool
	ctx, cancel := context.WithCancel(context.Background())
	var served sync.WaitGroup
	served.Go(func() { answerAll(conn, &lost) })
	served.Go(func() {
		watch.Every(ctx, 100*time.Millisecond, func() {
			if !answersInTime(conn.LocalAddr().String()) && !lost.Load() {
				fmt.Println("late")
			}
		})
	})
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); {
		lost.Store(orders.Text() == orderLose)
	}
	cancel()
	conn.Close()
	served.Wait()
	return 0
}

func answerAll(conn net.PacketConn, lost *atomic.Bool) {
	buffer := make([]byte, 1500)
	for {
		size, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		if answer, err := answerName(buffer[:size]); err == nil && !lost.Load() {
			_, _ = conn.WriteTo(answer, from)
		}
	}
}

// answersInTime asks a name server as the gateway does.
func answersInTime(address string) bool {
	query := dnsmessage.Message{Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("plain.test."),
		Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}}
	packed, _ := query.Pack()
	conn, err := net.Dial("udp", address)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(500 * time.Millisecond))
	if _, err = conn.Write(packed); err != nil {
		return false
	}
	_, err = conn.Read(make([]byte, 1500))
	return err == nil
}

func answerName(query []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || len(m.Questions) != 1 {
		return nil, fmt.Errorf("no question: %v", err)
	}
	q := m.Questions[0]
	m = dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true},
		Questions: m.Questions}
	if q.Type == dnsmessage.TypeA {
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1},
			Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
		}}
	}
	return m.Pack()
}
