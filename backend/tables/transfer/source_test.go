package transfer

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// read reads all records of a file, each as its cells between bars, and the error
// that ended it.
func read(o Options, file string) (rows []string, err error) {
	if o, err = o.check(); err != nil {
		return nil, err
	}
	in, err := o.open(iotest.OneByteReader(strings.NewReader(file)))
	if err != nil {
		return nil, err
	}
	var r record
	for err = in.next(&r); err == nil; err = in.next(&r) {
		text := fmt.Sprintf("%d:", r.line)
		for i, c := range r.cells {
			name := ""
			if o.Format != CSV {
				name = r.names[i] + "="
			}
			text += fmt.Sprintf("%s%s/%d|", name, c.text, c.kind)
		}
		if r.bad != nil {
			text += "bad"
		}
		rows = append(rows, text)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return rows, err
}

func TestSources(t *testing.T) {
	for _, c := range []struct {
		o    Options
		file string
		want []string
	}{
		{Options{Format: CSV}, "a,b\r\n1,2\r\n\r\n\"x\r\ny\",\"\"\n3,",
			[]string{"2:1/0|2/0|", "4:x\r\ny/1|/1|", "6:3/0|/0|"}},
		{Options{Format: CSV}, "a\n\n1\n", []string{"2:/0|", "3:1/0|"}},
		{Options{Format: CSV}, "a,b\n1\n1,2,3\n5\" pipe,\"a \"\"b\"\"\"", []string{"2:1/0|bad", "3:1/0|2/0|3/0|bad",
			`4:5" pipe/0|a "b"/1|`}},
		{Options{Format: CSV, Separator: '\t'}, "a\tb\n1,5\t\"2\"\n", []string{"2:1,5/0|2/1|"}},
		{Options{Format: CSV, Columns: []string{"a", "b"}}, "1,2", []string{"1:1/0|2/0|"}},
		{Options{Format: BCP, Columns: []string{"a", "b"}}, "1\t2\r\n\t\x00\nl1\nl2\t\n", []string{"1:a=1/1|b=2/1|",
			"2:a=/4|b=/1|", "3:a=l1\nl2/1|b=/4|"}},
		{Options{Format: BCP, Columns: []string{"a", "b"}, CellEnd: "|~|", RowEnd: "\x00\n"}, "1\r\n|~|2||~\r\x00\n",
			[]string{"1:a=1\r\n/1|b=2||~\r/1|"}},
		{Options{Format: BCP, Columns: []string{"a"}}, "1\t2\n", []string{"1:a=1\t2/1|bad"}},
		{Options{Format: JSON}, `[{"a":1,` + "\n" + `"b":"x\ud83d\ude00"},` + "\n" +
			`{"a":12345678901234567890.50,"b":{"c":[]}},{}]`,
			[]string{"1:a=1/2|b=x😀/1|", "3:a=12345678901234567890.50/2|b=/5|", "3:"}},
		{Options{Format: JSONL}, "{\"a\":null}\n\n{\"a\":true} {\"a\":\"\\\\u00e9\\u00e9\"}",
			[]string{"1:a=/4|", "3:a=true/3|",
				`3:a=\u00e9é/1|`}},
		{Options{Format: JSON}, "[]", nil}, {Options{Format: JSONL}, "", nil}, {Options{Format: CSV}, "a,b", nil},
		{Options{Format: BCP, Columns: []string{"a"}}, "", nil},
	} {
		got, err := read(c.o, c.file)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s %q:\n got %q, %v\nwant %q", c.o.Format, c.file, got, err, c.want)
		}
	}
}

func TestBrokenFiles(t *testing.T) {
	word := "NULL"
	for _, c := range []struct {
		o          Options
		file, want string
	}{
		{Options{Format: CSV}, "", "the file is empty"},
		{Options{Format: CSV}, "a;b\n1;2\n", "--separator"},
		{Options{Format: CSV}, "a,\n1,2\n", "column 2 has no name"},
		{Options{Format: CSV}, "a,b\n1,\"x\n", "the quote that begins on line 2 is not closed"},
		{Options{Format: CSV}, "a,b\n\"x\" y,1\n", "written twice"},
		{Options{Format: CSV}, "a,b\n\"x\"\ry,1\n", "carriage return"},
		{Options{Format: CSV}, "a,b\nx,h\xe9\n", "byte 8 of the file (0xE9) is not UTF-8"},
		{Options{Format: CSV}, "\xef\xbb\xbfa,b\nx,\xed\xa0\x80\n", "byte 10 of the file (0xED) is not UTF-8"},
		{Options{Format: CSV}, "a,b\nx,y\xc3", "byte 8 of the file (0xC3) is not UTF-8"},
		{Options{Format: CSV}, "\xff\xfea\x00\n\x00\x00\xd8x\x00",
			"byte 7 of the file (half of the pair 0xD800) is not UTF-16"},
		{Options{Format: CSV}, "\xff\xfea\x00\n\x00b", "byte 7 of the file (half of a character) is not UTF-16"},
		{Options{Format: CSV}, "a\x00,\x00b\x00", "--encoding utf-16le"},
		{Options{Format: CSV}, "\x00a\x00,\x00b", "--encoding utf-16be"},
		{Options{Format: CSV}, "\xff\xfe\x00\x00", "in UTF-32"},
		{Options{Format: CSV}, "PK\x03\x04", "import a BACPAC into a SQL Server"},
		{Options{Format: CSV}, "\x1f\x8b", "gunzip"},
		{Options{Format: CSV, Encoding: "utf-16le"}, "\xef\xbb\xbfa", "says utf-8, not utf-16le"},
		{Options{Format: CSV, Encoding: "windows-1252"}, "a", `the encoding "windows-1252" must be utf-8`},
		{Options{Format: CSV, Encoding: "cp850"}, "a", "iconv -f CP850"},
		{Options{Format: JSON}, `{"a":1}`, "--format jsonl"},
		{Options{Format: JSON}, `[{"a":1}`, "the array does not end"},
		{Options{Format: JSON}, `[{"a":1},`, "unexpected EOF"},
		{Options{Format: JSON}, `[{"a":1}] x`, "invalid character 'x'"},
		{Options{Format: JSON}, `[{"a":1}] []`, "followed by ["},
		{Options{Format: JSON}, `[1]`, "must be a JSON object, not 1"},
		{Options{Format: JSONL}, `{"a":1}]`, "invalid character ']'"},
		{Options{Format: JSONL}, `{"a":"\ude00"}`, "stands alone"},
		{Options{Format: JSONL}, `{"a":"\ud83d\n"}`, "stands alone"},
		{Options{Format: JSONL}, `{"a":"\ud83d`, "unexpected EOF"},
		{Options{Format: BCP}, "x", "--columns"},
		{Options{Format: BCP, Columns: []string{"a", "b"}}, "1\t2", "the file ends inside of the row: cell 2 of 2"},
		{Options{Format: BCP, Columns: []string{"a", "A"}}, "1", "once"},
		{Options{Format: BCP, Columns: []string{"a"}, CellEnd: "\n"}, "1", "must differ"},
		{Options{Format: JSON, Null: &word}, "[]", "are for CSV"},
		{Options{Format: CSV, CellEnd: "x"}, "a", "for the format bcp"},
		{Options{Format: "xml"}, "", "must be json, jsonl, csv or bcp"},
	} {
		if _, err := read(c.o, c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q: %v, want %q", c.o.Format, c.file, err, c.want)
		}
	}
}

func TestTerminators(t *testing.T) {
	for text, want := range map[string]string{`\t`: "\t", `\r\n`: "\r\n", `|~|`: "|~|", `\0\\`: "\x00\\"} {
		if got, err := Terminator(text); got != want || err != nil {
			t.Errorf("%s is %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", `\x`, `a\`} {
		if got, err := Terminator(text); err == nil {
			t.Errorf("%q was taken for %q", text, got)
		}
	}
}

func TestBatchNames(t *testing.T) {
	for file, want := range map[string]string{"/x/todo item.csv": "todo-item.csv", "-": "import", "": "import",
		"--x.csv": "x.csv", "é.csv": "-.csv"[1:], "..": "import", strings.Repeat("a", 99): strings.Repeat("a", 60)} {
		if got := batchName(file); got != want || checkName(got) != nil {
			t.Errorf("%q is %q, %v", file, got, checkName(got))
		}
	}
	for _, name := range []string{"", "-x", "a b", "a\x00", strings.Repeat("a", 65), "\xff"} {
		if checkName(name) == nil {
			t.Errorf("%q was taken", name)
		}
	}
}

// FuzzCSV: what encoding/csv reads is read alike, but for line ends inside of
// quotes, which stay.
func FuzzCSV(f *testing.F) {
	f.Add("a,b\n1,2\n")
	f.Add("a,b\r\n\"1\r\n\",\"\"\"\"\r\n")
	f.Fuzz(func(t *testing.T, file string) {
		r := csv.NewReader(strings.NewReader(file))
		r.FieldsPerRecord = -1
		want, wantErr := r.ReadAll()
		c := &csvSource{sep: ',', line: 1, r: bufioReader(file)}
		var rec record
		var got [][]string
		err := c.next(&rec)
		for ; err == nil; err = c.next(&rec) {
			var cells []string
			for _, cell := range rec.cells {
				cells = append(cells, strings.ReplaceAll(cell.text, "\r\n", "\n"))
			}
			got = append(got, cells)
		}
		// encoding/csv drops a carriage return at the very end, and refuses quotes
		// inside of a cell without them.
		if wantErr != nil || strings.HasSuffix(file, "\r") {
			return
		}
		if !errors.Is(err, io.EOF) || !slices.EqualFunc(got, want, slices.Equal[[]string]) {
			t.Errorf("%q: %q, %v, want %q", file, got, err, want)
		}
	})
}

// FuzzDecode: valid text passes unchanged, and nothing else does.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("h\xe9llo"))
	f.Add([]byte("\xff\xfeh\x00"))
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := decode(bytes.NewReader(file), "utf-8")
		if err != nil {
			return
		}
		got, err := io.ReadAll(r)
		if !bytes.HasPrefix(bytes.TrimPrefix(file, []byte("\xef\xbb\xbf")), got) {
			t.Errorf("%q became %q", file, got)
		}
		if valid := string(got) == strings.ToValidUTF8(string(got), "?"); !valid {
			t.Errorf("%q became %q, which is not valid", file, got)
		}
		if whole := len(got) == len(bytes.TrimPrefix(file, []byte("\xef\xbb\xbf"))); whole != (err == nil) {
			t.Errorf("%q: %d bytes, %v", file, len(got), err)
		}
	})
}

// FuzzJSON: no file makes the reader panic or hang.
func FuzzJSON(f *testing.F) {
	f.Add(`[{"a":1},{"b":{"c":["\ud83d\ude00"]}}]`)
	f.Fuzz(func(_ *testing.T, file string) {
		for _, format := range []Format{JSON, JSONL} {
			_, _ = read(Options{Format: format}, file)
		}
	})
}

func bufioReader(s string) *bufio.Reader { return bufio.NewReader(strings.NewReader(s)) }
