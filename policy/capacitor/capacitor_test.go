package capacitor

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/policy"
)

func TestRead(t *testing.T) {
	at := func(line, column, start, end int) policy.Place {
		return policy.Place{File: "c.json", Line: line, Column: column, Start: start, End: end}
	}
	for name, test := range map[string]struct {
		source string
		want   Config
		err    string
	}{
		"where it may go": {
			source: `{"appName":"A","webDir":"dist","server":{"url":"http://a",` + "\n" +
				`"allowNavigation":["a.example",null,"a.example"]}}`,
			want: Config{
				AppName: Text{"A", at(1, 12, 11, 14)}, WebDir: Text{"dist", at(1, 25, 24, 30)},
				Server: Server{URL: Text{"http://a", at(1, 48, 47, 57)}, AllowNavigation: []Text{
					{"a.example", at(2, 20, 78, 89)}, {"a.example", at(2, 37, 95, 106)},
				}},
			},
		},
		"a section before the top": {
			source: `{"loggingBehavior":"none","allowMixedContent":true,"android":{"loggingBehavior":"debug"}}`,
			want: Config{
				Android: Android{
					LoggingBehavior:   Text{"debug", at(1, 81, 80, 87)},
					AllowMixedContent: Flag{true, Boolean, at(1, 47, 46, 50)},
				},
				IOS: IOS{LoggingBehavior: Text{"none", at(1, 20, 19, 25)}},
			},
		},
		"cordova": {
			source: `{"cordova":{"accessOrigins":[],"preferences":{"a":"1","b":true,"a":"2"}}}`,
			want: Config{Cordova: Cordova{
				AccessOrigins: &List{Items: []Text{}, Place: at(1, 29, 28, 30)},
				Preferences:   []Preference{{"a", Text{"2", at(1, 68, 67, 70)}}},
			}},
		},
		"absent and null": {
			source: `{"appName":null,"server":{"allowNavigation":null},"android":{"captureInput":null}}`,
		},
		"other capitals": {source: `{"appname":"A","Server":{"url":"a"},"server":{"allownavigation":["a.example"]}}`},
		"last one counts": {source: `{"appName":1,"appName":"B"}`,
			want: Config{AppName: Text{"B", at(1, 24, 23, 26)}}},
		"no JSON": {source: "{\n  appName: 1}",
			err: "c.json:2:3: it is not valid JSON: invalid character 'a' looking for beginning of object key string"},
		"more behind it": {source: "{}\n{}",
			err: "c.json:2:1: it is not valid JSON: invalid character '{' after top-level value"},
		"cut":      {source: "{", err: "c.json:1:1: it is not valid JSON: unexpected end of JSON input"},
		"a list":   {source: "[]", err: "c.json:1:1: a Capacitor configuration must be an object"},
		"a number": {source: `{"appName":1}`, err: "c.json:1:12: appName must be a text in quotes"},
		"two mistakes": {source: `{"server":{"url":[]},"appName":1}`,
			err: "c.json:1:18: server.url must be a text in quotes"},
		"one host": {source: `{"server":{"allowNavigation":"*"}}`,
			err: "c.json:1:30: server.allowNavigation must be a list of texts"},
		"an object in it": {source: `{"server":{"allowNavigation":[{}]}}`,
			err: "c.json:1:31: an entry of server.allowNavigation must be a text in quotes"},
	} {
		got, err := Read("c.json", []byte(test.source))
		if err != nil {
			if message := err.Error(); message != test.err {
				t.Errorf("%s: %v, want %s", name, message, test.err)
			}
			continue
		}
		test.want.File = "c.json"
		if diff := cmp.Diff(&test.want, got); diff != "" || test.err != "" {
			t.Errorf("%s: want error %q (-want +got):\n%s", name, test.err, diff)
		}
	}
}

// A flag that is written in another form than a boolean counts on one platform.
func TestFlags(t *testing.T) {
	for written, want := range map[string]struct {
		form         Form
		android, ios bool // with the other value as the default
	}{
		`true`:    {Boolean, true, true},
		`"True"`:  {Quoted, true, false},
		`"yes"`:   {Unread, false, false},
		`1`:       {Number, false, true},
		`2`:       {Unread, false, false},
		`{}`:      {Unread, false, false},
		`null`:    {NotWritten, false, false},
		`"FALSE"`: {Quoted, false, false},
	} {
		c, err := Read("c.json", []byte(`{"android":{"useLegacyBridge":`+written+`}}`))
		if err != nil {
			t.Fatal(err)
		}
		f := c.Android.UseLegacyBridge
		if f.Form != want.form || f.OnAndroid(false) != want.android || f.OnIOS(false) != want.ios {
			t.Errorf("%s is read as %+v", written, f)
		}
	}
	var off Flag
	if !off.OnAndroid(true) || !off.OnIOS(true) || off.Written() {
		t.Error("what is not written is not the default")
	}
}
