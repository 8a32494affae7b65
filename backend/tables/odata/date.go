package odata

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"
)

// The dates that a row can hold: the years 0001 to 9999.
var (
	minDate = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	maxDate = time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC).UnixMilli()
)

// AppendDate appends the date as the wire has it, with exactly three decimals
// and Z: 2016-09-01T10:11:12.131Z.
func AppendDate(b []byte, ms int64) []byte {
	days := floorDiv(ms, 86400000)
	rest := uint32(ms - days*86400000)
	y, m, d := civil(days)
	if y < 0 || y > 9999 {
		b = appendDigits(b, y, 4)
	} else {
		b = append(b, digit(uint32(y)/1000), digit(uint32(y)/100%10), digit(uint32(y)/10%10), digit(uint32(y)%10))
	}
	hour, minute, second, milli := rest/3600000, rest/60000%60, rest/1000%60, rest%1000
	// An answer has several dates in each row: all of it is one append.
	return append(
		b,
		'-',
		digit(uint32(m)/10),
		digit(uint32(m)%10),
		'-',
		digit(uint32(d)/10),
		digit(uint32(d)%10),
		'T',
		digit(hour/10),
		digit(hour%10),
		':',
		digit(minute/10),
		digit(minute%10),
		':',
		digit(second/10),
		digit(second%10),
		'.',
		digit(milli/100),
		digit(milli/10%10),
		digit(milli%10),
		'Z',
	)
}

func digit(n uint32) byte { return byte('0' + n) }

func appendDigits(b []byte, n int64, width int) []byte {
	var buf [20]byte
	i := len(buf)
	for ; width > 0 || n > 0; width-- {
		i--
		buf[i] = byte('0' + n%10)
		n /= 10
	}
	return append(b, buf[i:]...)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// civil is the proleptic Gregorian date of a day counted from 1970-01-01, by
// the era method: 400 years are always 146097 days, and a year that begins in
// March has its leap day at the end.
func civil(days int64) (year, month, day int64) {
	days += 719468
	era := floorDiv(days, 146097)
	doe := uint32(days - era*146097)
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = int64(doy - (153*mp+2)/5 + 1)
	month = int64(mp + 3)
	if month > 12 {
		month -= 12
	}
	year = int64(yoe) + era*400
	if month <= 2 {
		year++
	}
	return year, month, day
}

var dateLayouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04",
	"2006-01-02",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999",
}

// ParseDate reads an ISO-8601 date and returns its milliseconds. Zone offsets
// are applied; without one the date is UTC; finer fractions are cut to the
// millisecond. Years outside 0001 to 9999 are refused.
func ParseDate(s string) (int64, bool) {
	if len(s) < 10 || len(s) > 40 || s[4] != '-' {
		return 0, false
	}
	upper := strings.ToUpper(s)
	for _, layout := range dateLayouts {
		t, err := time.Parse(layout, upper)
		if err != nil {
			continue
		}
		ms := t.UnixMilli()
		return ms, ms >= minDate && ms <= maxDate
	}
	return 0, false
}

// strictDate reads what the literal datetime'…' may hold: seconds, an optional
// fraction and Z (azure-odata-sql 0.1.0, utilities/strings.js parseISODate;
// fractions of other lengths than three are taken too, since .NET clients
// write seven).
func strictDate(s string) (int64, bool) {
	if len(s) < 20 || s[len(s)-1] != 'Z' || s[10] != 'T' {
		return 0, false
	}
	return ParseDate(s)
}

// FormatVersion is a version as the wire has it: base64 of eight bytes, as SQL
// Server's rowversion.
func FormatVersion(n int64) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	return base64.StdEncoding.EncodeToString(b[:])
}

// AppendVersion appends what FormatVersion returns.
func AppendVersion(dst []byte, n int64) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	return base64.StdEncoding.AppendEncode(dst, b[:])
}

// ParseVersion reads a version from the wire. What no server of ours has
// written is not an error but false: it equals no row's version.
func ParseVersion(s string) (int64, bool) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b) != 8 {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(b)), true
}
