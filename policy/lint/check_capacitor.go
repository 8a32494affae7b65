package lint

import (
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/capacitor"
)

// capacitor returns a value of capacitor.config.json.
func (r *run) capacitor(keys ...string) jsonspan.Value {
	root, err := jsonspan.Parse(r.project.Capacitor.Data)
	if err != nil {
		return jsonspan.Value{} // which is a finding of its own
	}
	return root.At(keys...)
}

func spanOf(v jsonspan.Value) app.Span { return app.Span{Start: v.Start, End: v.End} }

func checkCapacitorAny(r *run) {
	doc := r.capacitorDocument()
	if doc == nil {
		return
	}
	readings := r.capacitorReadings()
	for _, mask := range doc.Capacitor().Server.AllowNavigation {
		if mask.Value == "localhost" {
			continue
		}
		switch every := opening(readings, mask.Place, "https://"+probeHost+"/"); {
		case len(every) > 0:
			r.report(mask.Place, []option{on(every)},
				"the mask %s opens every host inside the app, such as https://%s/", quote(mask.Value), probeHost)
		case !strings.ContainsAny(mask.Value, ":/@?#"):
			below := "https://cordon-probe." + mask.Value + "/"
			if all := opening(readings, mask.Place, below); len(all) > 0 && !strings.Contains(mask.Value, ".") {
				r.report(mask.Place, []option{on(all)},
					"the mask %s opens every host under .%s on Android inside the app, such as %s", quote(mask.Value),
					mask.Value, below)
			}
		}
	}
}

// opening returns the readings in which the mask at a place opens a page inside.
func opening(readings []*reading, mask policy.Place, url string) []*reading {
	var list []*reading
	for _, rd := range readings {
		// Another mask may come first and decide.
		u := rd.policy.Split(url)
		rule := ruleAt(rd, mask)
		if rule != nil && len(rule.Patterns) > 0 && rule.Patterns[0].Covers(&u) &&
			rd.policy.Decide(policy.Request{URL: url, Kind: policy.Navigation}).Verdict == policy.Allow {
			list = append(list, rd)
		}
	}
	return list
}

// ruleAt returns what a target made of the entry at a place, or nil.
func ruleAt(rd *reading, place policy.Place) *policy.Rule {
	rules := rd.policy.Rules()
	for i := range rules {
		if rules[i].Place == place {
			return &rules[i]
		}
	}
	return nil
}

// checkCapacitorMask finds the masks that no host is like, as the dialects say.
func checkCapacitorMask(r *run) {
	doc := r.capacitorDocument()
	if doc == nil {
		return
	}
	readings := r.capacitorReadings()
	for _, mask := range doc.Capacitor().Server.AllowNavigation {
		all := slices.DeleteFunc(slices.Clone(readings), func(rd *reading) bool {
			rule := ruleAt(rd, mask.Place)
			return rule == nil || rule.Flaw != policy.NeverMatches
		})
		if len(all) > 0 {
			r.report(mask.Place, []option{on(all)}, "the mask %s is compared with hosts alone and covers none%s",
				quote(mask.Value), maskCalls(all, mask))
		}
	}
}

// maskCalls says who may call native code by a mask that no navigation matches: it is
// an origin of the bridge on Android all the same.
func maskCalls(readings []*reading, mask capacitor.Text) string {
	var listed []*reading
	for _, rd := range readings {
		calls := rd.policy.Decide(policy.Request{URL: webProbes[0], Kind: policy.BridgeFrame})
		if calls.Verdict == policy.Allow && calls.Rule != nil && calls.Rule.Place == mask.Place {
			return ", and yet it opens the bridge to every frame on Android"
		}
		if url := maskWitness(mask.Value); url != "" {
			calls = rd.policy.Decide(policy.Request{URL: url, Kind: policy.Bridge})
			own := calls.Reason == policy.Listed && calls.Rule.Place == mask.Place
			if own || calls.Verdict == policy.Allow && calls.Reason == policy.Unlimited {
				listed = append(listed, rd)
			}
		}
	}
	if len(listed) == 0 {
		return ""
	}
	return ", and yet pages of " + maskWitness(mask.Value) + " may call native code on " + names(listed)
}

func checkCapacitorCleartext(r *run) {
	if n := r.capacitor("server", "cleartext"); n.IsTrue() {
		at := r.placeIn(&r.project.Capacitor, spanOf(n))
		r.report(at, []option{r.withoutCleartextPages(at)}, "server.cleartext allows cleartext to every host")
	}
}

func checkCapacitorURL(r *run) {
	n := r.capacitor("server", "url")
	if url, ok := n.Text(); ok && url != "" {
		r.report(r.placeIn(&r.project.Capacitor, spanOf(n)), []option{r.fixedServerURL(url)},
			"the app's pages come from %s", quote(url))
	}
}
