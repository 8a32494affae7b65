package transfer

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"time"
)

// Format is how rows are written in a file.
type Format string

// The formats: one JSON array, one JSON object a line, CSV with a header, or what
// bcp writes in its character modes.
//
// In CSV as Export writes it a null is an empty cell, in a text column \N; a text
// that begins with a backslash gets another one before it.
const (
	JSON  Format = "json"
	JSONL Format = "jsonl"
	CSV   Format = "csv"
	BCP   Format = "bcp"
)

// Options say how a file is read and what becomes of its rows.
type Options struct {
	// Format is the file's; File is its name, for messages and as the batch's name.
	Format Format
	File   string
	// Encoding is utf-8, utf-16le or utf-16be; "" goes by the byte order mark.
	Encoding string
	// Separator stands between the cells of CSV; 0 is a comma.
	Separator byte
	// Columns are the names of the columns where the file has none.
	Columns []string
	// CellEnd and RowEnd are bcp's terminators, "" for its own.
	CellEnd, RowEnd string
	// Null is the word that stands for null in CSV, where it has no quotes. Nil means
	// the rules of Export, and refuses what would be ambiguous.
	Null *string
	// Omit are columns of the file that are left out, GUIDs columns whose values are
	// GUIDs, to be written in lower case without braces.
	Omit, GUIDs []string
	// SkipDeleted leaves deleted rows out.
	SkipDeleted bool
	// Replace overwrites rows whose id is there already; otherwise those are left as
	// they are.
	Replace bool
	// Batch is the name of the batch; "" makes one of File.
	Batch string
	// Now is the clock for versions, default time.Now.
	Now func() time.Time
	// Progress is called with the number of rows read so far, now and then.
	Progress func(read int)
}

func (o Options) check() (Options, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Progress == nil {
		o.Progress = func(int) {}
	}
	if !slices.Contains([]Format{JSON, JSONL, CSV, BCP}, o.Format) {
		return o, fmt.Errorf("the format %q must be json, jsonl, csv or bcp", o.Format)
	}
	if o.Format != CSV && (o.Null != nil || o.Separator != 0) {
		return o, fmt.Errorf("--null and --separator are for CSV; %s says itself what is null", o.Format)
	}
	if o.Format != BCP && o.CellEnd+o.RowEnd != "" {
		return o, fmt.Errorf("--cell-end and --row-end are for the format bcp, not for %s", o.Format)
	}
	if (o.Format == JSON || o.Format == JSONL) && len(o.Columns) > 0 {
		return o, fmt.Errorf("--columns are for files without names: %s has them", o.Format)
	}
	switch o.Separator {
	case 0:
		o.Separator = ','
	case '"', '\n', '\r', '\\':
		return o, fmt.Errorf("--separator %q: it must be a character that cells do not begin or end with", o.Separator)
	}
	seen := map[string]bool{}
	for _, name := range o.Columns {
		if name == "" || seen[strings.ToLower(name)] {
			return o, fmt.Errorf("--columns: each must be named, and once: %q", name)
		}
		seen[strings.ToLower(name)] = true
	}
	return o, nil
}

// hash is the hash of what an import has read, which begins with how it reads: one
// that goes on reads as the one did that was broken off.
func (o Options) hash() hash.Hash {
	h := sha256.New()
	null := "-"
	if o.Null != nil {
		null = "+" + *o.Null
	}
	_, _ = fmt.Fprintf(h, "%q %q %d %q %q %q %q %q %q %t %t\n", o.Format, o.Encoding, o.Separator, o.Columns, o.CellEnd,
		o.RowEnd, null, slices.Sorted(slices.Values(o.Omit)), slices.Sorted(slices.Values(o.GUIDs)), o.SkipDeleted,
		o.Replace) // a hash takes all
	return h
}

// open reads the beginning of a file.
func (o Options) open(r io.Reader) (source, error) {
	encoding, err := encodingOf(o.Encoding)
	if err != nil {
		return nil, err
	}
	text, err := decode(r, encoding)
	if err != nil {
		return nil, err
	}
	switch o.Format {
	case BCP:
		return newBCP(text, o)
	case CSV:
		return newCSV(text, o.Separator, o.Columns)
	}
	return newJSON(text, o.Format == JSON)
}
