package main

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
)

// agree compares the answers of all contenders: those of one protocol byte for
// byte, once what must differ is masked; the others field for field.
func agree(servers []*process) error {
	texts := map[string]map[string]string{} // by question and protocol
	values := map[string]string{}           // by question
	for _, s := range servers {
		got, err := s.interview()
		if err != nil {
			return fmt.Errorf("%s: %w", s.kind, err)
		}
		for _, g := range got {
			if first, ok := values[g.question]; !ok {
				values[g.question] = g.value
			} else if first != g.value {
				return fmt.Errorf("%s answers %s differently: %s", s.kind, g.question, difference(g.value, first))
			}
			protocol := fmt.Sprintf("%T", s.api)
			if texts[protocol] == nil {
				texts[protocol] = map[string]string{}
			}
			if first, ok := texts[protocol][g.question]; !ok {
				texts[protocol][g.question] = g.text
			} else if first != g.text {
				return fmt.Errorf("%s answers %s differently: %s", s.kind, g.question, difference(g.text, first))
			}
		}
	}
	return nil
}

// difference shows where two texts part.
func difference(got, want string) string {
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	around := func(s string) string { return s[max(0, at-40):min(len(s), at+40)] }
	return fmt.Sprintf("%q and not %q", around(got), around(want))
}

// said is an answer: its bytes, masked, and what it means.
type said struct{ question, text, value string }

// interview asks a contender for every kind of answer that is measured, and for
// those of rows that are not there.
func (s *process) interview() ([]said, error) {
	c, err := s.connect()
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	var out []said
	for _, i := range []int{0, 1, 77, rows - 1} {
		got, err := c.want(http.StatusOK, s.api.read(rowID(i)))
		if err != nil {
			return nil, err
		}
		r, err := s.api.decode(got.body)
		if err != nil {
			return nil, err
		}
		out = append(out, said{"read " + rowID(i), masked(got), fmt.Sprint(r)})
	}
	for qty := range filters {
		got, err := c.want(http.StatusOK, s.api.query(qty))
		if err != nil {
			return nil, err
		}
		list, err := s.api.decodeList(got.body)
		if err != nil {
			return nil, err
		}
		if len(list) != top {
			return nil, fmt.Errorf("the query gave %d rows of %d", len(list), top)
		}
		out = append(out, said{fmt.Sprint("query ", qty), masked(got), fmt.Sprint(list)})
	}
	inserted, err := s.insertAndRead(c)
	if err != nil {
		return nil, err
	}
	_, err = c.want(http.StatusNotFound, s.api.read("row-that-is-not-there"))
	return append(out, inserted), err
}

// insertAndRead inserts a row that gets its id from the server, and reads it back.
func (s *process) insertAndRead(c *connection) (said, error) {
	got, err := c.want(s.api.created(), s.api.insert(rows, false))
	if err != nil {
		return said{}, err
	}
	written := bytes.Clone(got.body)
	r, err := s.api.decode(written)
	if err != nil {
		return said{}, err
	}
	out := said{question: "insert", text: masked(got)}
	back, err := c.want(http.StatusOK, s.api.read(r.ID))
	if err != nil {
		return said{}, err
	}
	if !bytes.Equal(bytes.TrimSpace(written), bytes.TrimSpace(back.body)) {
		difference := difference(string(back.body), string(written))
		return said{}, fmt.Errorf("the row that was written reads otherwise: %s", difference)
	}
	if r.ID == "" {
		return said{}, fmt.Errorf("the row that was written has no id: %s", written)
	}
	r.ID = ""
	out.value = fmt.Sprint(r)
	return out, nil
}

// differing is what must differ, and the form that it must have: the id that a
// server makes, times and versions.
var differing = []struct {
	form *regexp.Regexp
	mask string
}{
	{regexp.MustCompile(`"id":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"`), `"id":GUID`},
	{regexp.MustCompile(`"(createdAt|updatedAt)":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"`), `"$1":TIME`},
	{regexp.MustCompile(`"version":"[A-Za-z0-9+/]{11}="`), `"version":VERSION`},
}

// masked is an answer's type and text without what must differ.
func masked(a answer) string {
	text := a.body
	for _, d := range differing {
		text = d.form.ReplaceAll(text, []byte(d.mask))
	}
	return a.header.Get("Content-Type") + "\n" + string(text)
}
