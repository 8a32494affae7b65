package transfer

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// Export writes all rows of a table, deleted ones too, in the order of their
// ids. After every thousand rows, and at the end, it calls progress with their
// number.
func Export(ctx context.Context, store tables.Store, s *tables.Shape, f Format, w io.Writer,
	progress func(rows int)) error {
	out := bufio.NewWriterSize(w, 1<<16)
	rows := 0
	each, finish, err := exporter(s, f, out)
	if err != nil {
		return err
	}
	order := []odata.Order{{By: odata.Column{Name: "id", Of: s.Columns[placeID].Type}}}
	err = store.Query(ctx, tables.Query{Shape: s, Columns: s.All(), Order: order, Top: -1},
		func(row []odata.Value) error {
			rows++
			if rows%1000 == 0 && progress != nil {
				progress(rows)
			}
			return each(rows, row)
		})
	if err == nil {
		err = finish(rows)
	}
	if err == nil {
		err = out.Flush()
	}
	if progress != nil {
		progress(rows)
	}
	return err
}

func exporter(s *tables.Shape, f Format, out *bufio.Writer) (each func(int, []odata.Value) error,
	finish func(int) error, err error) {
	var buf []byte
	switch f {
	case JSON:
		each = func(n int, row []odata.Value) error {
			buf = append(buf[:0], ",\n"...)
			if n == 1 {
				buf = append(buf[:0], "[\n"...)
			}
			buf = s.AppendRow(buf, s.All(), row)
			_, err := out.Write(buf)
			return err
		}
		finish = func(n int) error {
			end := "\n]\n"
			if n == 0 {
				end = "[]\n"
			}
			_, err := out.WriteString(end)
			return err
		}
	case JSONL:
		each = func(_ int, row []odata.Value) error {
			buf = append(s.AppendRow(buf[:0], s.All(), row), '\n')
			_, err := out.Write(buf)
			return err
		}
		finish = func(int) error { return nil }
	case CSV:
		return csvExporter(s, out)
	default:
		return nil, nil, fmt.Errorf("the format %q must be json, jsonl or csv", f)
	}
	return each, finish, nil
}

func csvExporter(s *tables.Shape, out *bufio.Writer) (func(int, []odata.Value) error, func(int) error, error) {
	var line []byte
	end := func() error {
		line[len(line)-1] = '\n'
		_, err := out.Write(line)
		line = line[:0]
		return err
	}
	for _, c := range s.Columns {
		line = appendCell(line, c.Name)
	}
	if err := end(); err != nil {
		return nil, nil, err
	}
	each := func(_ int, row []odata.Value) error {
		for i, v := range row {
			text := v.Plain()
			switch {
			case s.Columns[i].Type == odata.String && v.IsNull():
				line = append(line, ownWord+","...)
				continue
			case strings.HasPrefix(text, `\`):
				text = `\` + text
			}
			line = appendCell(line, text)
		}
		return end()
	}
	return each, func(int) error { return nil }, nil
}

// appendCell writes a cell and a comma. What other tools may take for null, and what
// they would trim, has quotes.
func appendCell(b []byte, text string) []byte {
	if text == "" || !strings.ContainsAny(text, "\",\r\n") && !strings.HasPrefix(text, " ") &&
		!strings.HasSuffix(text, " ") && !strings.EqualFold(text, "null") {
		return append(append(b, text...), ',')
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(text, `"`, `""`)...)
	return append(b, '"', ',')
}
