package lint_test

import (
	"errors"
	"testing"

	"github.com/cordon-sec/cordon/policy/lint"
)

// TestEveryRuleHasItsSet: a rule names the set that it came with, so that an
// upgrade breaks nobody's build.
func TestEveryRuleHasItsSet(t *testing.T) {
	perSet := make(map[int]int)
	for _, rule := range lint.Rules() {
		if lint.CheckSet(rule.Since) != nil {
			t.Errorf("%s is of set %d: a new rule has Since: %d", rule.ID, rule.Since, lint.LatestSet)
		}
		perSet[rule.Since]++
	}
	if perSet[1] > 140 {
		t.Errorf("%d rules are of set 1, which is closed", perSet[1])
	}
	for _, set := range []int{-1, 0, lint.LatestSet + 1} {
		var unknown *lint.RuleSetError
		if err := lint.CheckSet(set); !errors.As(err, &unknown) || unknown.Set != set {
			t.Errorf("CheckSet(%d) = %v", set, err)
		}
	}
}

// TestNewFindings: what a newer set finds is new until that set is chosen.
func TestNewFindings(t *testing.T) {
	_, found := check(t, config(`<engine name="android" spec="12.0.1"/><access origin="*"/>
<preference name="scheme" value="app"/>`))
	for _, test := range []struct{ set, news int }{{lint.CurrentSet, 1}, {lint.LatestSet, 0}} {
		found.RuleSet = test.set
		var news []string
		for i := range found.Findings {
			if found.IsNew(&found.Findings[i]) {
				news = append(news, found.Findings[i].Rule.ID)
			}
		}
		if len(news) != test.news || test.news == 1 && news[0] != "app-scheme-refused" {
			t.Errorf("with set %d these are new: %v", test.set, news)
		}
	}
}
