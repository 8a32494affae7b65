package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// rows is how many rows the table has; a tenth of them match each filter, of which
// the query asks for top.
const (
	rows    = 5000
	filters = 10
	top     = 100
)

func rowID(i int) string { return fmt.Sprintf("row-%06d", i) }

// body is the row of an insert.
func body(i int, id bool) string {
	head := ""
	if id {
		head = `"id":"` + rowID(i) + `",`
	}
	text := fmt.Sprintf("buy %d litres of milk, and some bread", i)
	const rest = `"text":%q,"complete":%v,"qty":%d.5,"due":"2026-11-21T10:00:00.000Z"}`
	return "{" + head + fmt.Sprintf(rest, text, i%2 == 0, i%filters)
}

// api is how a contender is asked.
type api interface {
	read(id string) request
	query(qty int) request
	insert(i int, id bool) request
	// created is the status of an insert.
	created() int
	// decode reads one row, or the rows of a list.
	decode(body []byte) (row, error)
	decodeList(body []byte) ([]row, error)
}

// row is what every contender must say about a row.
type row struct {
	ID       string    `json:"id"`
	Text     string    `json:"text"`
	Complete bool      `json:"complete"`
	Qty      float64   `json:"qty"`
	Due      time.Time `json:"due"`
}

// zumo is the protocol of Azure Mobile Apps, which the limit speaks as well.
type zumo struct{}

func (zumo) read(id string) request { return request{method: "GET", target: "/tables/todoitem/" + id} }

func (zumo) query(qty int) request {
	return request{method: "GET", target: fmt.Sprintf("/tables/todoitem?$filter=qty%%20eq%%20%d.5&$top=%d", qty, top)}
}

func (zumo) insert(i int, id bool) request {
	return request{method: "POST", target: "/tables/todoitem", body: body(i, id)}
}

func (zumo) created() int { return http.StatusCreated }

func (zumo) decode(body []byte) (r row, err error) { return r, json.Unmarshal(body, &r) }

func (zumo) decodeList(body []byte) (rows []row, err error) { return rows, json.Unmarshal(body, &rows) }

// records is PocketBase's API.
type records struct{}

const recordsPath = "/api/collections/todoitem/records"

func (records) read(id string) request { return request{method: "GET", target: recordsPath + "/" + id} }

// query leaves out the count of all matches, which the others do not send either.
func (records) query(qty int) request {
	filter := url.QueryEscape(fmt.Sprintf("qty=%d.5", qty))
	target := fmt.Sprintf("%s?filter=%s&perPage=%d&skipTotal=1&sort=@rowid", recordsPath, filter, top)
	return request{method: "GET", target: target}
}

func (records) insert(i int, id bool) request {
	return request{method: "POST", target: recordsPath, body: body(i, id)}
}

func (records) created() int { return http.StatusOK }

// record is a row as PocketBase writes it: with a blank in its dates.
type record struct {
	row
	Due string `json:"due"`
}

func (r record) plain() (row, error) {
	due, err := time.Parse("2006-01-02 15:04:05.000Z", r.Due)
	r.row.Due = due
	return r.row, err
}

func (records) decode(body []byte) (row, error) {
	var r record
	if err := json.Unmarshal(body, &r); err != nil {
		return row{}, err
	}
	return r.plain()
}

func (records) decodeList(body []byte) ([]row, error) {
	var list struct{ Items []record }
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, err
	}
	out := make([]row, len(list.Items))
	for i, r := range list.Items {
		var err error
		if out[i], err = r.plain(); err != nil {
			return nil, err
		}
	}
	return out, nil
}
