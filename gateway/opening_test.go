package gateway

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// serverHello builds a ServerHello with that random.
func serverHello(random []byte) []byte {
	body := append([]byte{3, 3}, random...)
	body = append(body, vector(1, make([]byte, 32))...)
	body = append(body, 0x13, 0x01, 0)
	var list []byte
	for _, e := range []extension{{43, []byte{3, 4}}, {51, []byte{0, 23}}} {
		list = binary.BigEndian.AppendUint16(list, e.kind)
		list = append(list, vector(2, e.body)...)
	}
	body = append(body, vector(2, list)...)
	return append([]byte{messageServerHello}, vector(3, body)...)
}

// record wraps one body.
func record(kind byte, body ...byte) []byte {
	return append([]byte{kind, 3, 3}, vector(2, body)...)
}

func joined(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

var (
	retry      = records(serverHello(retryRandom), maxRecord)
	answer1    = records(serverHello(make([]byte, 32)), maxRecord)
	nearly     = records(serverHello(append(bytes.Clone(retryRandom[:31]), 0)), maxRecord)
	change     = record(recordChange, 1)
	early      = record(recordData, make([]byte, 700)...)
	warning    = record(21, 1, 112)
	heartbeat  = record(24, 1, 0, 0)
	sameHello  = records(message(keyShare, named), maxRecord)
	upperHello = records(message(extension{extServerName, serverName("RAW.test")}), maxRecord)
	otherHello = records(message(extension{extServerName, serverName("evil.test")}), maxRecord)
	bareHello  = records(message(keyShare), maxRecord)
	kelvin     = records(message(extension{extServerName, serverName("raw.test\u212a")}), maxRecord)
	finished   = records(append([]byte{16, 0, 0, 2}, 1, 2), maxRecord) // TLS 1.2: ClientKeyExchange
)

// exchangeCase is what both sides send after the first ClientHello, in its order.
type exchangeCase struct {
	name  string
	steps []exchangeStep
	// passed is what of the client's has come through after each step, in bytes
	// that count from the beginning; -1: the tunnel is cut.
	passed []int
}

type exchangeStep struct {
	origin bool
	data   []byte
}

func up(parts ...[]byte) exchangeStep   { return exchangeStep{false, joined(parts...)} }
func down(parts ...[]byte) exchangeStep { return exchangeStep{true, joined(parts...)} }

func exchangeCases() []exchangeCase {
	steps := func(all ...exchangeStep) []exchangeStep { return all }
	n := len(sameHello)
	return []exchangeCase{
		{"TLS 1.3", steps(down(answer1, change, early), up(change, early)), []int{0, 6 + len(early)}},
		{"TLS 1.2", steps(down(answer1), up(finished, change)), []int{0, len(finished) + len(change)}},
		{"nearly a retry", steps(down(nearly), up(otherHello)), []int{0, len(otherHello)}},
		{"retry", steps(down(retry, change), up(change, sameHello), down(answer1), up(early)),
			[]int{0, 6 + n, 6 + n, 6 + n + len(early)}},
		{"retry, then early data that was on its way", steps(up(early), down(retry), up(early, change, sameHello)),
			[]int{len(early), len(early), 2*len(early) + 6 + n}},
		{"retry, the same name in upper case", steps(down(retry), up(upperHello)), []int{0, len(upperHello)}},
		{"retry, fragments", steps(down(retry), up(records(message(keyShare, named), 100))),
			[]int{0, len(records(message(keyShare, named), 100))}},
		{"retry, another name", steps(down(retry), up(otherHello)), []int{0, -1}},
		{"retry, another name in fragments", steps(down(retry), up(records(message(keyShare,
			extension{extServerName, serverName("evil.test")}), 300))), []int{0, -1}},
		{"retry, another name behind change_cipher_spec and early data",
			steps(down(retry), up(change, early, otherHello)), []int{0, -1}},
		{"retry, no name", steps(down(retry), up(bareHello)), []int{0, -1}},
		{"retry, KELVIN SIGN", steps(down(retry), up(kelvin)), []int{0, -1}},
		{"retry, another message", steps(down(retry), up(finished)), []int{0, -1}},
		{"retry, fragments with something between", steps(down(retry), up(sameHello[:5+100], change)), []int{0, 0}},
		{"retry, a broken hello", steps(down(retry), up(records(message(named)[:60], maxRecord),
			records(make([]byte, 40), maxRecord))), []int{0, -1}},
		{"retry twice", steps(down(retry), up(sameHello), down(retry), up(sameHello), down(answer1), up(early)),
			[]int{0, n, n, 2 * n, 2 * n, 2*n + len(early)}},
		{"retry twice, another name then", steps(down(retry), up(sameHello), down(retry), up(otherHello)),
			[]int{0, n, n, -1}},
		{"hello and another one behind it", steps(down(retry), up(sameHello, otherHello), down(answer1)),
			[]int{0, n, n + len(otherHello)}}, // it is not the hello that counts: TLS 1.3 ends there
		{"before the retry", steps(up(sameHello), down(retry)), []int{0, n}},
		{"before the retry, another name", steps(up(otherHello), down(retry)), []int{0, -1}},
		{"before the retry, behind early data", steps(up(early, otherHello, early), down(retry)),
			[]int{len(early), -1}},
		{"before the answer", steps(up(early, otherHello, early), down(answer1)),
			[]int{len(early), len(joined(early, otherHello, early))}},
		{"a beginning before the retry", steps(up(otherHello[:3]), down(retry), up(otherHello[3:])), []int{0, 0, -1}},
		{"too much before the answer", steps(up(bytes.Repeat(record(22, make([]byte, 1000)...), 40))), []int{-1}},
		{"warning before the retry", steps(down(warning, change, retry), up(otherHello)), []int{0, -1}},
		{"HelloRequest before the retry", steps(down(records([]byte{0, 0, 0, 0}, 4), retry), up(otherHello)),
			[]int{0, -1}},
		{"unknown record before the retry", steps(down(heartbeat, retry), up(heartbeat, otherHello)), []int{0, -1}},
		{"retry in fragments", steps(down(records(serverHello(retryRandom), 7)), up(otherHello)), []int{0, -1}},
		{"retry in fragments with alerts between", steps(down(retry[:5+1]), down(nil), up(otherHello)), []int{0, 0, 0}},
		{"retry with another record version", steps(down(joined([]byte{22, 3, 1}, retry[3:])), up(otherHello)),
			[]int{0, -1}},
		{"retry with a version that is none", steps(down(joined([]byte{22, 9, 9}, retry[3:])), up(otherHello)),
			[]int{0, -1}},
		{"a hello with a version that is none", steps(down(retry), up(joined([]byte{22, 9, 9}, otherHello[3:]))),
			[]int{0, -1}},
		{"retry and more in its record", steps(down(records(joined(serverHello(retryRandom),
			serverHello(make([]byte, 32))), maxRecord)), up(otherHello)), []int{0, -1}},
		{"retry and another answer at once", steps(down(retry, answer1), up(otherHello)), []int{0, -1}},
		{"an origin without TLS", steps(down([]byte("HTTP/1.0 400 No\r\n\r\n")), up(otherHello)),
			[]int{0, len(otherHello)}},
		{"an origin that says one byte", steps(down([]byte("!")), up(otherHello)), []int{0, len(otherHello)}},
		{"a client without TLS", steps(up([]byte("hello\x16\x03\x01"))), []int{8}},
		{"an echo", steps(down(sameHello), up(otherHello)), []int{0, len(otherHello)}},
		{"an empty ServerHello", steps(down(records([]byte{2, 0, 0, 0}, 4)), up(otherHello)),
			[]int{0, len(otherHello)}},
	}
}

// follow plays an exchange, with each step cut into pieces, and returns what of
// the client's has passed after each step.
func (each exchangeCase) follow(cut func(left int) int) (passed []int, through, sent []byte) {
	judge := &connecting{to: authority{host: "raw.test", port: 443}, tls: decision{ok: true}}
	watch := &opening{check: judge.checkName}
	for _, step := range each.steps {
		for rest := step.data; len(rest) > 0; {
			n := cut(len(rest))
			piece := bytes.Clone(rest[:n])
			rest = rest[n:]
			var err error
			if step.origin {
				if err = watch.fromOrigin(piece); err == nil {
					through = append(through, watch.take()...)
				}
			} else {
				sent = append(sent, piece...)
				piece, err = watch.fromClient(piece)
				through = append(through, piece...)
			}
			if err != nil {
				if !errors.Is(err, errSecondHello) {
					panic(err)
				}
				return append(passed, -1), through, sent
			}
		}
		passed = append(passed, len(through))
	}
	return passed, through, sent
}

func TestSecondHello(t *testing.T) {
	for _, each := range exchangeCases() {
		got, _, _ := each.follow(func(left int) int { return left })
		if fmt.Sprint(got) != fmt.Sprint(each.passed) {
			t.Errorf("%s: passed %v, want %v", each.name, got, each.passed)
		}
	}
}

// TestSecondHelloInPieces checks that it does not matter how what is sent is cut
// into pieces, and that what passes is what was sent, in its order.
func TestSecondHelloInPieces(t *testing.T) {
	cases := exchangeCases()
	rapid.Check(t, func(t *rapid.T) {
		each := rapid.SampledFrom(cases).Draw(t, "case")
		most := rapid.SampledFrom([]int{1, 2, 7, 100, 5000}).Draw(t, "most")
		got, through, sent := each.follow(func(left int) int {
			return min(left, rapid.IntRange(1, most).Draw(t, "piece"))
		})
		if !bytes.HasPrefix(sent, through) {
			t.Fatalf("%s: %d bytes passed that are not the first of the %d sent", each.name, len(through), len(sent))
		}
		if fmt.Sprint(got) != fmt.Sprint(each.passed) {
			t.Fatalf("%s: passed %v, want %v", each.name, got, each.passed)
		}
	})
}

// FuzzSecondHello sends anything from both sides: while a retry is not answered
// by a hello of the first one's name, no handshake record passes.
func FuzzSecondHello(f *testing.F) {
	for _, each := range exchangeCases() {
		var client, origin []byte
		for _, step := range each.steps {
			if step.origin {
				origin = append(origin, step.data...)
			} else {
				client = append(client, step.data...)
			}
		}
		f.Add(client, origin, uint8(7), true)
		f.Add(client, origin, uint8(255), false)
	}
	f.Fuzz(func(t *testing.T, client, origin []byte, piece uint8, originFirst bool) {
		judge := &connecting{to: authority{host: "raw.test", port: 443}, tls: decision{ok: true}}
		watch := &opening{check: judge.checkName}
		var through, sent []byte
		size := int(piece) + 1
		for len(client)+len(origin) > 0 {
			if n := min(size, len(origin)); n > 0 && (originFirst || len(client) == 0) {
				if watch.fromOrigin(origin[:n]) != nil {
					return
				}
				origin = origin[n:]
				continue
			}
			n := min(size, len(client))
			sent = append(sent, client[:n]...)
			out, err := watch.fromClient(client[:n])
			if err != nil {
				return
			}
			client = client[n:]
			if through = append(through, out...); !bytes.HasPrefix(sent, through) {
				t.Fatalf("passed %x of %x", through, sent)
			}
		}
		if through = append(through, watch.take()...); !bytes.HasPrefix(sent, through) {
			t.Fatalf("passed %x of %x", through, sent)
		}
		if len(watch.held) > maxOpening {
			t.Fatalf("%d bytes are held", len(watch.held))
		}
		if watch.state == settled && len(through) != len(sent) {
			t.Fatalf("%d of %d bytes have passed when nothing holds them", len(through), len(sent))
		}
	})
}

func BenchmarkOpening(b *testing.B) {
	judge := &connecting{to: authority{host: "raw.test", port: 443}, tls: decision{ok: true}}
	reply := joined(answer1, change, record(recordData, make([]byte, 3000)...))
	b.ReportAllocs()
	for b.Loop() {
		watch := &opening{check: judge.checkName}
		if watch.fromOrigin(reply) != nil || !watch.over() {
			b.Fatal("it is not over")
		}
	}
}
