package event

import (
	"fmt"
	"testing"
)

func TestPage(t *testing.T) {
	r := NewRing(5)
	for i := 1; i <= 8; i++ {
		r.Record(&Event{ID: fmt.Sprint(i)})
	}
	odd := func(e *Event) bool { return (e.ID[0]-'0')%2 == 1 }
	all := func(*Event) bool { return true }
	tests := []struct {
		before uint64
		limit  int
		keep   func(*Event) bool
		want   string
		next   uint64
	}{
		{0, 3, all, "8 7 6 ", 6},
		{6, 3, all, "5 4 ", 0},
		{0, 9, all, "8 7 6 5 4 ", 0},
		{0, 1, odd, "7 ", 6},
		{6, 1, odd, "5 ", 0},
		{3, 9, all, "", 0}, // no longer kept
		{99, 1, all, "8 ", 8},
	}
	for _, test := range tests {
		page, next := r.Page(test.before, test.limit, test.keep)
		got := ""
		for _, e := range page {
			got += e.ID + " "
		}
		if got != test.want || next != test.next {
			t.Errorf("page before %d of %d: %q, next %d; want %q, next %d", test.before, test.limit, got, next,
				test.want, test.next)
		}
	}
	if page, next := NewRing(3).Page(0, 3, all); page != nil || next != 0 {
		t.Errorf("an empty ring has the page %v, next %d", page, next)
	}
}
