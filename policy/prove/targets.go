package prove

import (
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// defaults returns the targets of an assertion that names none, nil for the strict
// reading. An app of Capacitor without a config.xml has nothing that the strict
// reading could be about: its list would be empty, and every promise would hold.
func (o *Options) defaults(doc *configxml.Document) ([]policy.Target, error) {
	if doc.Capacitor() == nil || len(doc.Root().Children) > 0 {
		return nil, nil
	}
	if len(o.Capacitor) > 0 {
		return o.Capacitor, nil
	}
	var list []policy.Target
	for _, name := range []string{"capacitor-android", "capacitor-ios"} {
		t, err := dialect.ParseTarget(name)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

// about returns the assertion, about these targets where it names none itself.
func (a *Assertion) about(targets []policy.Target) *Assertion {
	if !a.anywhere || len(targets) == 0 {
		return a
	}
	other := *a
	other.Targets = targets
	return &other
}
