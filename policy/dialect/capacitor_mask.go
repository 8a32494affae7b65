package dialect

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/policy/pattern"
)

// capacitorMask is the hosts that an entry of server.allowNavigation covers on
// Android, and false where it is no mask of hosts at all. It follows
// util/HostMask.java, which is one file from 3.0.0 to 8.4.2: the labels of mask
// and host are compared from the last one on, in any capitals, a star stands for
// one label, and a mask of one label looks at the last label of a host alone.
func capacitorMask(mask string) (hosts pattern.Language, usable bool) {
	labels := javaLabels(mask)
	if len(labels) == 0 || len(labels) == 1 && labels[0] == "*" {
		return pattern.Present(), true // a mask of dots has no label to compare
	}
	if len(labels) == 1 {
		// A host of dots has no label to compare either.
		label := regexp.QuoteMeta(labels[0])
		hosts = capacitorHosts(`(?i)\A(?:(?:(?s:.*)\.)?` + label + `\.*|\.+)\z`)
		if label == "" {
			hosts = capacitorHosts(`\A\.*\z`)
		}
		return hosts, isHostMask(labels)
	}
	var expr strings.Builder
	expr.WriteString(`(?i)\A`)
	for i, label := range labels {
		if i > 0 {
			expr.WriteString(`\.`)
		}
		switch {
		case label != "*":
			expr.WriteString(regexp.QuoteMeta(label))
		case i == len(labels)-1:
			expr.WriteString(`[^.]+`) // dots at the end of a host are dropped
		default:
			expr.WriteString(`[^.]*`)
		}
	}
	expr.WriteString(`\.*\z`)
	return capacitorHosts(expr.String()), isHostMask(labels)
}

// javaLabels is String.split("\\."): labels that are empty at the end are
// dropped, others are not, and the empty text is one label.
func javaLabels(s string) []string {
	if s == "" {
		return []string{""}
	}
	labels := strings.Split(s, ".")
	for len(labels) > 0 && labels[len(labels)-1] == "" {
		labels = labels[:len(labels)-1]
	}
	return labels
}

// isHostMask reports whether some host of a page can have these labels.
func isHostMask(labels []string) bool {
	if len(labels) == 1 && strings.HasPrefix(labels[0], "[") { // an address of IPv6
		_, _, ok := hostAndPort(labels[0])
		return ok
	}
	for _, label := range labels {
		if label == "" || label != "*" && strings.ContainsAny(label, "*:/@?#\\ ") {
			return false
		}
	}
	return true
}

// capacitorIOSMask is the same on iOS (CAPInstanceConfiguration.swift): empty
// labels are skipped, and all labels count. Up to 3.2.4 the wildcards of a mask
// are taken out by positions that the one before has moved: the second one takes
// another label with it, or lies beyond the end, which ends the app.
func capacitorIOSMask(mask string, moved bool) (hosts pattern.Language, usable bool) {
	if mask == "*" {
		return pattern.Present(), true
	}
	labels := strings.FieldsFunc(mask, func(r rune) bool { return r == '.' })
	if len(labels) == 0 {
		return pattern.Exactly(""), false
	}
	free := make([]bool, len(labels))
	if !moved {
		for i, label := range labels {
			free[i] = label == "*"
		}
	} else if !takeOutMoved(labels, free) {
		return pattern.Language{}, false
	}
	var expr strings.Builder
	expr.WriteString(`(?i)\A\.*`)
	for i, label := range labels {
		if i > 0 {
			expr.WriteString(`\.+`)
		}
		if free[i] {
			expr.WriteString(`[^.]+`)
		} else {
			expr.WriteString(regexp.QuoteMeta(label))
		}
	}
	expr.WriteString(`\.*\z`)
	usable = isHostMask(labels)
	for i, label := range labels {
		usable = usable && (free[i] || label != "*")
	}
	return capacitorHosts(expr.String()), usable
}

// takeOutMoved marks the labels that are taken out, false where one of them lies
// beyond the end.
func takeOutMoved(labels []string, free []bool) bool {
	left := make([]int, len(labels))
	for i := range left {
		left[i] = i
	}
	for i, label := range labels {
		if label != "*" {
			continue
		}
		if i >= len(left) {
			return false
		}
		free[left[i]] = true
		left = append(left[:i], left[i+1:]...)
	}
	return true
}

func capacitorHosts(expr string) pattern.Language {
	l, err := pattern.Expression(expr)
	if err != nil {
		return pattern.Language{} // too large; no host is that long
	}
	return l
}

// webOrigins is the pages that a rule of origins covers, as Android's web view
// reads one for addWebMessageListener; false for one that it refuses, by which the
// call fails. It follows Chromium's components/js_injection/common/
// origin_matcher.cc and origin_matcher_internal.cc, and before them
// android_webview/common/aw_origin_matcher.cc, with net::ParseHostAndPort and
// base::MatchPattern.
func webOrigins(rule string) (origins []pattern.Pattern, valid bool) {
	rule = strings.Trim(rule, "\t\n\v\f\r ")
	if rule == "*" {
		return []pattern.Pattern{everything()}, true
	}
	scheme, rest, found := strings.Cut(rule, "://")
	if !found || scheme == "" || strings.Contains(scheme, "*") {
		return nil, false
	}
	p := pattern.Pattern{Scheme: pattern.Exactly(scheme).Fold(), Host: pattern.Any(), Path: pattern.Any()}
	web := scheme == "http" || scheme == "https"
	if rest == "" {
		return []pattern.Pattern{p}, !web // all pages of a scheme are one origin
	}
	host, port, ok := hostAndPort(rest)
	if !ok || !web || strings.Contains(host, "/") ||
		strings.Contains(host, "*") && (strings.Count(host, "*") > 1 || !strings.HasPrefix(host, "*.")) {
		return nil, false
	}
	if p.Host, ok = matchPattern(asciiLower(host)); !ok {
		return nil, false
	}
	own := int32(443)
	if scheme == "http" {
		own = 80
	}
	if port == -1 || port == own {
		p.Port = pattern.NoPort
		named := p
		named.Port = pattern.Port(own)
		return []pattern.Pattern{p, named}, true
	}
	p.Port = pattern.Port(port)
	return []pattern.Pattern{p}, true
}

// hostAndPort is net::ParseHostAndPort; without a port it is -1.
func hostAndPort(s string) (host string, port int32, ok bool) {
	if strings.Contains(s, "@") {
		return "", 0, false
	}
	host, port = s, -1
	if colon := strings.LastIndexByte(s, ':'); colon >= 0 &&
		(!strings.HasPrefix(s, "[") || strings.Contains(s[:colon], "]")) {
		n, err := strconv.ParseUint(s[colon+1:], 10, 16)
		if err != nil {
			return "", 0, false
		}
		host, port = s[:colon], int32(n)
	}
	if port == 0 {
		port = portZero
	}
	if strings.HasPrefix(host, "[") {
		address, err := netip.ParseAddr(strings.TrimSuffix(host[1:], "]"))
		if err != nil || !strings.HasSuffix(host, "]") || !address.Is6() || address.Zone() != "" {
			return "", 0, false
		}
		host = "[" + address.String() + "]"
	}
	return host, port, host != ""
}

// matchPattern is base::MatchPattern: "*" is any run of characters, "?" one or
// none, and a backslash takes away what the next one means.
func matchPattern(s string) (pattern.Language, bool) {
	if !strings.ContainsAny(s, `*?\`) {
		return pattern.Exactly(s).Fold(), true
	}
	var expr strings.Builder
	expr.WriteString(`(?is)\A`)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '*':
			expr.WriteString(`.*`)
		case c == '?':
			expr.WriteString(`.?`)
		case c == '\\' && i+1 < len(s):
			i++
			fallthrough
		default:
			expr.WriteString(regexp.QuoteMeta(s[i : i+1]))
		}
	}
	expr.WriteString(`\z`)
	l, err := pattern.Expression(expr.String())
	return l, err == nil
}
