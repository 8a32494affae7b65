package app

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/policy"
)

func TestReadCapacitor(t *testing.T) {
	for name, test := range map[string]struct {
		source string
		want   Capacitor
		err    string
	}{
		"all of it": {
			source: `{"appName":"A","webDir":"dist","server":{"url":"http://a",` + "\n" +
				`"allowNavigation":["a.example",null,"a.example"]}}`,
			want: Capacitor{AppName: "A", WebDir: "dist", ServerURL: "http://a", AllowNavigation: []CapacitorMask{
				{"a.example", policy.Place{File: "c.json", Line: 2, Column: 20, Start: 78, End: 89}},
				{"a.example", policy.Place{File: "c.json", Line: 2, Column: 37, Start: 95, End: 106}},
			}},
		},
		"absent and null": {source: `{"appName":null,"server":{"allowNavigation":null}}`},
		"other capitals":  {source: `{"appname":"A","Server":{"url":"a"},"server":{"allownavigation":["a.example"]}}`},
		"last one counts": {source: `{"appName":1,"appName":"B"}`, want: Capacitor{AppName: "B"}},
		"no JSON": {source: "{\n  appName: 1}",
			err: "c.json:2:3: it is not valid JSON: invalid character 'a' looking for beginning of object key string"},
		"more behind it": {source: "{}\n{}",
			err: "c.json:2:1: it is not valid JSON: invalid character '{' after top-level value"},
		"cut":      {source: "{", err: "c.json:1:1: it is not valid JSON: unexpected end of JSON input"},
		"a list":   {source: "[]", err: "c.json:1:1: a Capacitor configuration must be an object"},
		"a number": {source: `{"appName":1}`, err: "c.json:1:12: appName must be a text in quotes"},
		"one host": {source: `{"server":{"allowNavigation":"*"}}`,
			err: "c.json:1:30: server.allowNavigation must be a list of hosts"},
		"an object in it": {source: `{"server":{"allowNavigation":[{}]}}`,
			err: "c.json:1:31: an entry of server.allowNavigation must be a text in quotes"},
	} {
		got, err := ReadCapacitor(&File{Name: "c.json", Data: []byte(test.source)})
		if message := ""; err != nil {
			message = err.Error()
			if message != test.err {
				t.Errorf("%s: %v, want %s", name, message, test.err)
			}
		} else if diff := cmp.Diff(test.want, got); diff != "" || test.err != "" {
			t.Errorf("%s: want error %q (-want +got):\n%s", name, test.err, diff)
		}
	}
}
