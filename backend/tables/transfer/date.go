package transfer

import (
	"errors"
	"time"
)

// The bounds of dates, as in package odata: the years 0001 to 9999.
var (
	minDate = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	maxDate = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli() - 1
)

var (
	errDateForm = errors.New(
		"a date must be as SQL Server writes it (2016-09-01 10:11:12.1310000 +00:00) or ISO 8601 " +
			"(2016-09-01T10:11:12.131Z); in a query CONVERT(nvarchar(33), x, 126) makes it so",
	)
	errDateRange = errors.New("there is no such date, or not in the years 0001 to 9999")
)

// dateReader reads a date from left to right.
type dateReader struct {
	s  string
	at int
	ok bool
}

// digits reads a number of exactly n digits.
func (d *dateReader) digits(n int) (v int) {
	if d.at+n > len(d.s) {
		d.ok = false
		return 0
	}
	for range n {
		c := d.s[d.at]
		d.ok = d.ok && c >= '0' && c <= '9'
		v = 10*v + int(c-'0')
		d.at++
	}
	return v
}

// take reads one of the characters, and returns it, or 0.
func (d *dateReader) take(any string) byte {
	if d.at < len(d.s) {
		for i := range len(any) {
			if d.s[d.at] == any[i] {
				d.at++
				return any[i]
			}
		}
	}
	return 0
}

func (d *dateReader) must(c string) { d.ok = d.take(c) != 0 && d.ok }

// parseDate reads date, datetime, datetime2, smalldatetime and datetimeoffset as
// SQL Server and its tools write them, and ISO 8601. Without an offset it is UTC.
func parseDate(s string) (ms int64, change Change, err error) {
	d := dateReader{s: s, ok: true}
	year := d.digits(4)
	d.must("-")
	month := d.digits(2)
	d.must("-")
	day := d.digits(2)
	var hour, minute, second, fraction int
	cut := false
	if d.ok && d.at < len(s) {
		d.must("Tt ")
		hour = d.digits(2)
		d.must(":")
		minute = d.digits(2)
		if d.take(":") != 0 {
			second = d.digits(2)
			if d.take(".") != 0 {
				fraction, cut = d.fraction()
			}
		}
	}
	offset, zoned := d.zone()
	if !d.ok || d.at != len(s) {
		return 0, Unchanged, errDateForm
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, fraction, time.UTC)
	if t.Year() != year || int(t.Month()) != month || t.Day() != day || t.Hour() != hour || t.Minute() != minute ||
		t.Second() != second {
		return 0, Unchanged, errDateRange
	}
	if ms = t.UnixMilli() - int64(offset)*60000; ms < minDate || ms > maxDate {
		return 0, Unchanged, errDateRange
	}
	switch {
	case cut:
		change = Cut
	case !zoned:
		change = AsUTC
	}
	return ms, change, nil
}

// fraction reads up to nine digits as nanoseconds of whole milliseconds, and
// reports whether there were finer ones.
func (d *dateReader) fraction() (nanoseconds int, cut bool) {
	unit, seen := 100000000, 0
	for d.at < len(d.s) && d.s[d.at] >= '0' && d.s[d.at] <= '9' && seen < 9 {
		digit := int(d.s[d.at] - '0')
		if unit >= 1000000 {
			nanoseconds += digit * unit
		} else {
			cut = cut || digit != 0
		}
		unit /= 10
		seen++
		d.at++
	}
	d.ok = d.ok && seen > 0
	return nanoseconds, cut
}

// zone reads Z or an offset in minutes, with or without a blank before it.
func (d *dateReader) zone() (minutes int, zoned bool) {
	if !d.ok || d.at == len(d.s) {
		return 0, false
	}
	d.take(" ")
	switch d.take("Zz+-") {
	case 'Z', 'z':
		return 0, true
	case '+':
		minutes = 1
	case '-':
		minutes = -1
	default:
		d.ok = false
		return 0, false
	}
	hours := d.digits(2)
	d.must(":")
	rest := d.digits(2)
	d.ok = d.ok && rest < 60 && 60*hours+rest <= 14*60
	return minutes * (60*hours + rest), true
}
