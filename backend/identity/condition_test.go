package identity

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestCondition(t *testing.T) {
	ann := &Principal{
		User: User{ID: "sid:1", Provider: "aad", Name: "ann@example.org", Claims: []Claim{
			{"groups", "staff"}, {"groups", "admins"}, {"amr", "mfa"}, {ClaimMail, "ann@example.org"}}},
		Device: Device{ID: "d1", Enrolled: true, Platform: "android", OS: "14"},
		Risk:   Risk{Level: 20},
	}
	row := map[string]any{"ownerId": "sid:1", "qty": 3.0, "complete": false, "text": nil,
		"due": time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}
	request := Request{Method: "PATCH", Operation: "update", Path: "/tables/todoitem/1",
		Address: netip.MustParseAddr("192.0.2.7"), Time: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	cases := []struct {
		source string
		holds  bool
		failed bool
	}{
		{`user.id == row.ownerId`, true, false},
		{`user.id != row.ownerId`, false, false},
		{`"admins" in user.claims["groups"]`, true, false},
		{`"boss" in user.claims["groups"]`, false, false},
		{`user.claims.email[0] == "ann@example.org" && "ann@example.org" in user.claims.emailaddress`, true, false},
		{`"ann@example.org" in user.claims["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"]`, true,
			false},
		{`operation == "update"`, true, false},
		{`user.claims["nothing"].size() > 0`, false, true},
		{`"roles" in user.claims && "x" in user.claims["roles"]`, false, false},
		{`row.qty >= 3 && row.qty < 4`, true, false},
		{`row.text == null`, true, false},
		{`row.nothing == 1`, false, true},
		{`!has(row.nothing)`, true, false},
		{`row.due < request.time`, true, false},
		{`request.operation == "update" && request.method != "GET"`, true, false},
		{`request.address.startsWith("192.0.2.")`, true, false},
		{`device.enrolled && !device.attested && risk.level < 50`, true, false},
		{`row.qty < "x"`, false, true},
		{`row.complete`, false, false},
		{`row.ownerId`, false, true},
		{`row.all(k, row.all(j, row[k] == row[k]))`, true, false},
	}
	for _, c := range cases {
		condition, err := CompileCondition(c.source)
		if err != nil {
			t.Errorf("%s: %v", c.source, err)
			continue
		}
		holds, err := condition.Holds(context.Background(), Facts{ann, row, request})
		if holds != c.holds || (err != nil) != c.failed {
			t.Errorf("%s: got %v, %v", c.source, holds, err)
		}
	}
}

func TestConditionWithoutFacts(t *testing.T) {
	condition, err := CompileCondition(`user.id == "" && row.size() == 0 && request.address == ""`)
	if err != nil {
		t.Fatal(err)
	}
	if holds, err := condition.Holds(context.Background(), Facts{}); !holds || err != nil {
		t.Errorf("got %v, %v", holds, err)
	}
}

func TestConditionErrors(t *testing.T) {
	for source, want := range map[string]string{
		`usr.id == "x"`:                 "undeclared reference",
		`user.idd == "x"`:               "undeclared reference",
		`user.id`:                       "true or false",
		`user.id == 3`:                  "no matching overload",
		`user.id ==`:                    "Syntax error",
		`user.id.matches("(")`:          "invalid",
		strings.Repeat("true && ", 600): "at most 4096 bytes",
	} {
		if _, err := CompileCondition(source); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: got %v, want %q in it", source, err, want)
		}
	}
}

func TestConditionCostIsBounded(t *testing.T) {
	condition, err := CompileCondition(`row.list.all(a, row.list.all(b, a + b != 7.5))`)
	if err != nil {
		t.Fatal(err)
	}
	list := make([]any, 1000)
	for i := range list {
		list[i] = float64(i)
	}
	holds, err := condition.Holds(context.Background(), Facts{Row: map[string]any{"list": list}})
	if holds || err == nil || !strings.Contains(err.Error(), "cost limit") {
		t.Errorf("got %v, %v", holds, err)
	}
}

func TestConditionUsesRow(t *testing.T) {
	for source, want := range map[string]bool{`user.id == "x"`: false, `user.id == row.a`: true,
		`"row" == user.id`: false} {
		condition, err := CompileCondition(source)
		if err != nil {
			t.Fatal(err)
		}
		if condition.UsesRow() != want {
			t.Errorf("%s: UsesRow is %v", source, !want)
		}
	}
}

func BenchmarkCondition(b *testing.B) {
	condition, err := CompileCondition(`user.id == row.ownerId`)
	if err != nil {
		b.Fatal(err)
	}
	f := Facts{Principal: &Principal{User: User{ID: "sid:1"}}, Row: map[string]any{"ownerId": "sid:1"}}
	for b.Loop() {
		condition.Holds(context.Background(), f)
	}
}
