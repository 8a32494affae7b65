package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"time"
)

// scanner reads JSON without blanks and escapes, as clients write it nearly
// always, and fails at anything else.
type scanner struct {
	in     []byte
	pos    int
	failed bool
}

func (s *scanner) next(c byte) bool {
	if s.pos < len(s.in) && s.in[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) take(c byte) {
	if !s.next(c) {
		s.failed = true
	}
}

func (s *scanner) text() []byte {
	s.take('"')
	start := s.pos
	for s.pos < len(s.in) && s.in[s.pos] != '"' {
		if c := s.in[s.pos]; c < 0x20 || c == '\\' || c >= 0x80 {
			s.failed = true
		}
		s.pos++
	}
	end := s.pos
	s.take('"')
	return s.in[start:end]
}

func (s *scanner) date() int64 {
	t, err := time.Parse(time.RFC3339, string(s.text()))
	s.failed = s.failed || err != nil
	return t.UnixMilli()
}

func (s *scanner) number() float64 {
	start := s.pos
	for s.pos < len(s.in) && s.in[s.pos] != ',' && s.in[s.pos] != '}' {
		if c := s.in[s.pos]; c != '.' && (c < '0' || c > '9') {
			s.failed = true
		}
		s.pos++
	}
	f, err := strconv.ParseFloat(string(s.in[start:s.pos]), 64)
	s.failed = s.failed || err != nil
	return f
}

func (s *scanner) boolean() bool {
	rest := s.in[min(s.pos, len(s.in)):]
	switch {
	case bytes.HasPrefix(rest, []byte("true")):
		s.pos += len("true")
		return true
	case bytes.HasPrefix(rest, []byte("false")):
		s.pos += len("false")
		return false
	}
	s.failed = true
	return false
}

func appendText[T string | []byte](b []byte, s T) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x80 {
			quoted, _ := json.Marshal(string(s)) // a string always has a form
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

func appendVersion(b []byte, n int64) []byte {
	var raw [8]byte
	binary.BigEndian.PutUint64(raw[:], uint64(n))
	return append(base64.StdEncoding.AppendEncode(append(b, '"'), raw[:]), '"')
}

// appendTime appends milliseconds as 2006-01-02T15:04:05.000Z in quotes.
func appendTime(b []byte, ms int64) []byte {
	t := time.UnixMilli(ms).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b = append(b, '"', byte('0'+year/1000%10), byte('0'+year/100%10), byte('0'+year/10%10), byte('0'+year%10), '-')
	b = append(appendTwo(b, int(month)), '-')
	b = append(appendTwo(b, day), 'T')
	b = append(appendTwo(b, hour), ':')
	b = append(appendTwo(b, minute), ':')
	b = append(appendTwo(b, second), '.')
	milli := t.Nanosecond() / 1e6
	return append(b, byte('0'+milli/100), byte('0'+milli/10%10), byte('0'+milli%10), 'Z', '"')
}

func appendTwo(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }
