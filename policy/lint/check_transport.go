package lint

import (
	"github.com/cordon-sec/cordon/policy/native"
)

func checkATSConfigFile(r *run) {
	for _, t := range r.native().Transports() {
		if t.Fragment.Carrier == native.ConfigFile {
			r.report(t.Fragment.Place, nil, "this dictionary is gone after the second prepare")
		}
	}
}

func checkArbitraryLoads(r *run) {
	if r.native().Narrowed() {
		return // iOS 10 and later then ignore it
	}
	for _, t := range r.native().Transports() {
		if s, ok := t.Setting(native.ArbitraryLoads); ok && s.On {
			r.told(t.Fragment, native.ArbitraryLoads, s.Place, nil,
				"NSAllowsArbitraryLoads switches App Transport Security off%s", s.Through)
		}
	}
}

func checkPartlyOff(r *run) {
	for _, t := range r.native().Transports() {
		for _, each := range []struct{ name, what string }{
			{native.ArbitraryLoadsInWebContent, "pages"}, {native.ArbitraryLoadsForMedia, "media"},
		} {
			if s, ok := t.Setting(each.name); ok && s.On {
				r.told(t.Fragment, each.name, s.Place, nil,
					"%s switches App Transport Security off for all %s%s", each.name, each.what, s.Through)
			}
		}
	}
}

// insecure is the subject of an exception that allows insecure loads.
func insecure(host string) string { return "insecure loads from " + host }

func checkExceptionCleartext(r *run) {
	for _, t := range r.native().Transports() {
		for _, x := range t.Exceptions {
			if len(x.Insecure) == 0 || x.Never != "" || loopback(x.Host) {
				continue
			}
			if why := r.cleartextListed("ios", x.Host, x.Below); why != "" {
				r.told(t.Fragment, insecure(x.Host), x.Insecure[0].Place, nil,
					"insecure loads from %s are allowed: %s%s", quote(x.Host), why, x.Insecure[0].Through)
			}
		}
	}
}

func checkTransportUnread(r *run) {
	for _, t := range r.native().Transports() {
		for _, p := range t.Wrong {
			r.told(t.Fragment, p.Msg, p.Place, nil, "%s", p.Msg)
		}
	}
}
