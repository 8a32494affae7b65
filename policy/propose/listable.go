package propose

import (
	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// Listable reports whether a line for a host, with its port where it has one, lets
// just that host in over https: addresses, wildcards and what cannot be written
// into an attribute as it is are not.
func Listable(authority string) bool {
	if at, err := hostname.ParseAuthority(authority); err != nil || at.Host.Addr().IsValid() {
		return false
	}
	doc, err := configxml.Parse("config.xml", []byte(`<widget><access origin="https://`+authority+`"/></widget>`))
	if err != nil {
		return false
	}
	compiled, err := dialect.Compile(doc, policy.Target{Platform: dialect.Strict})
	request := policy.Request{URL: "https://" + authority + "/", Kind: policy.XHR}
	return err == nil && compiled.Decide(request).Verdict == policy.Allow
}
