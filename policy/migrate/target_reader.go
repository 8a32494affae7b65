package migrate

import (
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// language is how a family of platforms writes an origin.
type language uint8

const (
	strictText language = iota // the strict reading
	urlPattern                 // Android 3.1 and later, iOS 3.1 and later, Fire OS
	hostText                   // iOS up to 3.0: hosts with wildcards
	rawRegexp                  // Android up to 3.0
	blackberry                 // scheme, host and path prefix with subdomains
	windows                    // Windows Phone's expressions
	widget                     // the W3C rule: scheme, host and port with subdomains
)

// role is what an element does on a platform.
type role uint8

const (
	nothing role = 0
	request role = 1 << iota
	navigation
	launch
)

// reader is how one target reads and writes a list.
type reader struct {
	target   policy.Target
	language language
	// split says that there are allow-navigation and allow-intent.
	split bool
	// externals says that launch-external makes an entry for other apps.
	externals bool
	// opaque says that sms:* and its like can be said.
	opaque bool
	// cuts says that an origin is read up to what does not fit.
	cuts bool
	// attribute is the attribute of access.
	attribute string
	// accessNavigates says that access opens pages although there could be an
	// allow-navigation.
	accessNavigates bool
}

func readerOf(t policy.Target) reader {
	at := t.Version.AtLeast
	r := reader{target: t, language: urlPattern, attribute: "origin"}
	switch t.Platform {
	case "android":
		r.configureAndroid(at)
	case "amazon-fireos":
		r.externals = at(3, 6, 0)
		r.opaque = r.externals
	case "ios":
		r.split, r.cuts, r.opaque = at(4, 0, 0), at(3, 1, 0), at(4, 0, 0)
		if !at(3, 1, 0) {
			r.language = hostText
		}
	case "blackberry10":
		r.language = blackberry
		if !at(3, 1, 0) {
			r.attribute = "uri"
		}
	case "wp7", "wp8":
		r.language = windows
	case "windows":
		r.language, r.split = windows, at(4, 0, 0)
	case "w3c", "tizen":
		r.language = widget
	default:
		r.language, r.split, r.opaque, r.externals = strictText, true, true, true
	}
	return r
}

func (r *reader) configureAndroid(at func(int, int, int) bool) {
	r.opaque = at(3, 6, 0)
	r.split = at(4, 0, 0)
	r.externals = at(3, 6, 0) && !at(10, 0, 0)
	if !at(3, 1, 0) {
		r.language = rawRegexp
	}
}

// reading is how the target's patterns see URLs of other schemes.
func (r *reader) reading() pattern.Reading {
	if r.language == strictText {
		return pattern.WebHosts
	}
	return pattern.AllHosts
}

// role returns what an element does, nothing if it is not read.
func (r *reader) role(e *configxml.Element) role {
	switch e.Name {
	case "access":
		if r.text(e) == "" {
			return nothing
		}
		if r.external(e) {
			return launch
		}
		return r.accessRole()
	case "allow-navigation":
		if r.split && e.Value("href") != "" {
			return navigation | request
		}
	case "allow-intent":
		if r.split && e.Value("href") != "" {
			return launch
		}
	}
	return nothing
}

func (r *reader) accessRole() role {
	switch {
	case r.language == windows:
		return navigation
	case r.language == widget:
		return request
	case r.split && !r.accessNavigates:
		return request
	}
	return request | navigation
}

func (r *reader) external(e *configxml.Element) bool {
	_, has := e.Attr("launch-external")
	return has && r.externals && e.Name == "access"
}

// text is the origin or href that the target reads.
func (r *reader) text(e *configxml.Element) string {
	if e.Name != "access" {
		return e.Value("href")
	}
	if r.language == blackberry || r.language == strictText {
		if r.attribute == "uri" {
			return e.Value("uri")
		}
		if uri := e.Value("uri"); uri != "" {
			return uri
		}
	}
	return e.Value("origin")
}

// rolesFor returns the elements that say a role, one for each.
func (r *reader) rolesFor(from role) []role {
	if !r.split {
		switch {
		case from&launch != 0 && r.externals:
			return []role{launch}
		case from&launch != 0:
			return nil
		case r.language == windows && from&navigation == 0, r.language == widget && from&request == 0:
			return nil
		}
		return []role{request}
	}
	var list []role
	if from&launch != 0 {
		return []role{launch}
	}
	if from&request != 0 {
		list = append(list, request)
	}
	if from&navigation != 0 && !(r.accessNavigates && from&request != 0) {
		list = append(list, navigation)
	}
	return list
}

// element returns the name and the attribute of the element for a role.
func (r *reader) element(one role) (name, attribute string) {
	switch {
	case !r.split || one == request:
		return "access", r.attribute
	case one == navigation:
		return "allow-navigation", "href"
	}
	return "allow-intent", "href"
}

// scheme reports whether an origin of the target can name a scheme.
func (r *reader) scheme(name string) bool {
	if r.target.Platform == "ios" && r.target.Version.AtLeast(8, 0, 0) {
		return name != "" && 'a' <= name[0] && name[0] <= 'z' &&
			strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789+-.") == ""
	}
	if r.language == urlPattern {
		return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz-") == ""
	}
	return true
}
