// Package explanation says what a config.xml says about one URL, in the words
// of cordon explain. It is apart from package answer so that an app can carry
// it without the rest.
package explanation

import (
	"encoding/json"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// Explanation is one decision in fields of cordon explain's JSON.
type Explanation struct {
	URL      string `json:"url"`
	Platform string `json:"platform"`
	Kind     string `json:"kind"`
	Verdict  string `json:"verdict"`
	Rule     string `json:"rule"`
	Line     int    `json:"line"`
	Reason   string `json:"reason"`
	// Text is the reason in a sentence.
	Text string `json:"text"`
}

// Of says what a config.xml says about one URL. An empty kind is "xhr",
// an empty platform the strict reading.
func Of(config []byte, url, kind, platform string) (Explanation, error) {
	if kind == "" {
		kind = policy.XHR.String()
	}
	if platform == "" {
		platform = dialect.Strict
	}
	k, err := policy.ParseKind(kind)
	if err != nil {
		return Explanation{}, err
	}
	target, err := dialect.ParseTarget(platform)
	if err != nil {
		return Explanation{}, err
	}
	doc, err := configxml.Parse("config.xml", config)
	if err != nil {
		return Explanation{}, err
	}
	compiled, err := dialect.Compile(doc, target)
	if err != nil {
		return Explanation{}, err
	}
	d := compiled.Decide(policy.Request{URL: url, Kind: k})
	out := Explanation{
		URL: url, Platform: compiled.Target().String(), Kind: kind,
		Verdict: d.Verdict.String(), Reason: d.Reason.String(), Text: d.Reason.Explain(),
	}
	if d.Rule != nil {
		out.Rule, out.Line = d.Rule.Text, d.Rule.Place.Line
	}
	return out, nil
}

// Encode writes an explanation, or {"error": …} in its place, as JSON.
func Encode(e Explanation, err error) []byte {
	var value any = e
	if err != nil {
		value = map[string]string{"error": err.Error()}
	}
	data, failed := json.Marshal(value)
	if failed != nil { // strings and a number always encode
		return []byte(`{"error":"the explanation cannot be written"}`)
	}
	return data
}
