package migrate

import (
	"strconv"
	"strings"
)

// line is one element of the new file.
type line struct {
	element, attribute, value string
	// external adds launch-external, subdomains that attribute.
	external, subdomains bool
}

func lineKey(element, value string, external bool) string {
	key := element + "\x00" + value
	if external {
		key += "\x00external"
	}
	return key
}

// writeGrants says grants in the reader's words, for one role. problem says
// what cannot be said.
func (r *reader) writeGrants(one role, grants []grant) (lines []line, problem string) {
	name, attribute := r.element(one)
	if len(grants) == 0 {
		return nil, "no host is known that its wildcard stands for; name one with --tld or --host"
	}
	for _, g := range grants {
		values, subdomains, why := r.values(one, g)
		if why != "" {
			problem = why
		}
		for _, value := range values {
			lines = append(lines, line{
				element: name, attribute: attribute, value: value,
				external: one == launch && !r.split, subdomains: subdomains,
			})
		}
	}
	return lines, problem
}

// values writes one grant as origins.
func (r *reader) values(one role, g grant) (values []string, subdomains bool, problem string) {
	switch {
	case g.all && r.language == strictText && one == launch:
		return []string{"http://*/*", "https://*/*"}, false,
			"the new list has no entry for every scheme: name the schemes that are launched"
	case g.all && r.language == strictText:
		return []string{"*://*"}, false, ""
	case g.all:
		return []string{"*"}, false, ""
	case g.rest != "" && !r.opaque:
		return nil, false, "the new list has no entry for a scheme without a host, so it is left out"
	case g.rest != "" && !r.scheme(g.schemes[0]):
		return nil, false, noScheme(g.schemes[0])
	case g.rest != "":
		return []string{g.schemes[0] + ":" + g.rest}, false, ""
	}
	schemes := g.schemes
	if len(schemes) == 0 {
		if schemes = []string{"*"}; r.language != urlPattern && r.language != strictText {
			schemes, problem = web, "the new list has no entry for every scheme: http and https are listed"
		}
	}
	for _, scheme := range schemes {
		if scheme != "*" && !r.scheme(scheme) {
			problem = noScheme(scheme)
			continue
		}
		value, why := r.origin(scheme, g)
		if why != "" {
			problem = why
		}
		if value != "" {
			values = append(values, value)
		}
	}
	return values, g.below && (r.language == blackberry || r.language == widget || r.language == rawRegexp), problem
}

// noScheme says that a scheme is left out.
func noScheme(scheme string) string {
	return "the new list has no entry for the scheme " + scheme + ", so it is left out"
}

// origin writes one origin under a scheme.
func (r *reader) origin(scheme string, g grant) (value, problem string) {
	host, port := g.host, ""
	if g.port != 0 {
		port = ":" + strconv.Itoa(g.port)
	}
	named := host
	if g.below {
		named = "*." + host
	}
	if host == "" {
		named = "*"
	}
	switch r.language {
	case urlPattern:
		path := g.path
		if path == "" {
			path = "/*"
		}
		return scheme + "://" + named + port + path, ""
	case strictText:
		folder, whole := strings.CutSuffix(g.path, "*")
		if strings.Contains(folder, "*") || g.path != "" && !whole && strings.HasSuffix(g.path, "/") {
			return "", "the new list has no paths with wildcards in them, so it is left out: name the folder above"
		}
		if strings.HasSuffix(g.path, "*") && !strings.HasSuffix(folder, "/") {
			return "", "the new list has no path that ends inside a name, so it is left out: name the folder above"
		}
		return scheme + "://" + named + port + g.path, ""
	case hostText:
		if g.port != 0 || g.path != "" {
			problem = "the new list has no ports and no paths: all of the host is listed"
		}
		return scheme + "://" + named, problem
	case windows:
		if g.port != 0 || g.path != "" {
			problem = "the new list has no ports and no paths with wildcards: all of the host is listed"
		}
		return scheme + "://" + named, problem
	}
	return r.byHost(scheme, host, port, g)
}

// byHost writes an origin for the languages that have no wildcards: names below
// the host are an attribute.
func (r *reader) byHost(scheme, host, port string, g grant) (value, problem string) {
	if host == "" {
		return "", "the new list has no entry for every host of one scheme, so it is left out: name the hosts"
	}
	folder := strings.TrimSuffix(strings.TrimSuffix(g.path, "*"), "/")
	switch {
	case r.language == widget && g.path != "":
		problem = "the new list has no paths: all of the host is listed"
		folder = ""
	case strings.Contains(folder, "*"):
		problem = "the new list has no paths with wildcards in them: the folder above is listed"
		folder = folder[:strings.IndexByte(folder, '*')]
		folder = folder[:max(0, strings.LastIndexByte(folder, '/'))]
	case r.language == rawRegexp:
		host = strings.ReplaceAll(host, ".", `\.`)
	}
	return scheme + "://" + host + port + folder, problem
}
