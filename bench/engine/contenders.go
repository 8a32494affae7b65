package main

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"

	"github.com/AdguardTeam/urlfilter"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// contenders are the rows; the first is the yardstick.
var contenders = []contender{
	{name: "host in a Go map", prepare: prepareMap},
	{name: "cordon, a request", prepare: prepareCordon(policy.Request{Kind: policy.XHR})},
	{name: "cordon, kind unknown", prepare: prepareCordon(policy.Request{})},
	{name: "cordon, a navigation", prepare: prepareCordon(policy.Request{Kind: policy.Navigation})},
	{name: "net/url.Parse alone", prepare: prepareParse},
	{name: "AdGuard urlfilter", prepare: prepareAdGuard},
	{name: "one by one", most: 10_000, prepare: prepareOneByOne},
}

func prepareMap(w *workload) (func(int) bool, error) {
	hosts := make(map[string]int, w.rules)
	for i := range w.rules {
		hosts[host(i)] = i
	}
	separator := []byte("://")
	return func(i int) bool {
		u := w.urls[i]
		start := bytes.Index(u, separator) + len(separator)
		end := bytes.IndexAny(u[start:], ":/?#")
		if end < 0 {
			end = len(u) - start
		}
		_, found := hosts[string(u[start:start+end])]
		return found
	}, nil
}

func compiled(w *workload) (*policy.Policy, error) {
	if w.policy != nil {
		return w.policy, nil
	}
	doc, err := configxml.Parse("config.xml", w.config())
	if err != nil {
		return nil, err
	}
	w.policy, err = dialect.Compile(doc, policy.Target{Platform: dialect.Strict})
	return w.policy, err
}

func prepareCordon(request policy.Request) func(*workload) (func(int) bool, error) {
	return func(w *workload) (func(int) bool, error) {
		p, err := compiled(w)
		if err != nil {
			return nil, err
		}
		if err := threeInTen(w, p); err != nil {
			return nil, err
		}
		return func(i int) bool {
			r := request
			r.URL = w.texts[i]
			return p.Decide(r).Verdict == policy.Allow
		}, nil
	}
}

// threeInTen checks that the workload is what it claims to be.
func threeInTen(w *workload, p *policy.Policy) error {
	allowed := 0
	for _, u := range w.texts {
		if p.Decide(policy.Request{URL: u, Kind: policy.XHR}).Verdict == policy.Allow {
			allowed++
		}
	}
	if share := float64(allowed) / float64(len(w.texts)); share < 0.29 || share > 0.31 {
		return fmt.Errorf("%.1f %% of the URLs are allowed, not 30 %%", 100*share)
	}
	return nil
}

func prepareParse(w *workload) (func(int) bool, error) {
	return func(i int) bool {
		u, err := url.Parse(w.texts[i])
		return err == nil && u.Host != ""
	}, nil
}

func prepareAdGuard(w *workload) (func(int) bool, error) {
	var b strings.Builder
	for i := range w.rules {
		_, name, _ := strings.Cut(origin(i), "://")
		name = strings.TrimSuffix(strings.TrimPrefix(name, "*."), "*")
		mark := "^"
		if strings.HasSuffix(name, "/") {
			mark = ""
		}
		fmt.Fprintf(&b, "||%s%s\n", name, mark)
	}
	storage, err := urlfilter.NewRuleStorage([]urlfilter.RuleList{
		&urlfilter.StringRuleList{ID: 1, RulesText: b.String()},
	})
	if err != nil {
		return nil, err
	}
	engine := urlfilter.NewNetworkEngine(storage)
	return func(i int) bool {
		_, found := engine.Match(urlfilter.NewRequest(w.texts[i], "", urlfilter.TypeXmlhttprequest))
		return found
	}, nil
}

// prepareOneByOne asks every rule in turn, as the platforms themselves do.
func prepareOneByOne(w *workload) (func(int) bool, error) {
	p, err := compiled(w)
	if err != nil {
		return nil, err
	}
	list := p.List(0)
	return func(i int) bool {
		u := p.Split(w.texts[i])
		for at := range list {
			if list[at].Pattern.Covers(&u) {
				return true
			}
		}
		return false
	}, nil
}
