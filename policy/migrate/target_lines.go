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
			"every scheme cannot be said; name the schemes that are launched"
	case g.all && r.language == strictText:
		return []string{"*://*"}, false, ""
	case g.all:
		return []string{"*"}, false, ""
	case g.rest != "" && !r.opaque:
		return nil, false, "a scheme without a host cannot be said"
	case g.rest != "" && !r.scheme(g.schemes[0]):
		return nil, false, "the scheme " + g.schemes[0] + " cannot be said"
	case g.rest != "":
		return []string{g.schemes[0] + ":" + g.rest}, false, ""
	}
	schemes := g.schemes
	if len(schemes) == 0 {
		if schemes = []string{"*"}; r.language != urlPattern && r.language != strictText {
			schemes, problem = web, "every scheme cannot be said: http and https are listed"
		}
	}
	for _, scheme := range schemes {
		if scheme != "*" && !r.scheme(scheme) {
			problem = "the scheme " + scheme + " cannot be said"
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
			return "", "a path with wildcards in it cannot be said"
		}
		if strings.HasSuffix(g.path, "*") && !strings.HasSuffix(folder, "/") {
			return "", "a path that ends inside a name cannot be said"
		}
		return scheme + "://" + named + port + g.path, ""
	case hostText:
		if g.port != 0 || g.path != "" {
			problem = "ports and paths cannot be said"
		}
		return scheme + "://" + named, problem
	case windows:
		if g.port != 0 || g.path != "" {
			problem = "ports and paths with wildcards cannot be said"
		}
		return scheme + "://" + named, problem
	}
	return r.byHost(scheme, host, port, g)
}

// byHost writes an origin for the languages that have no wildcards: names below
// the host are an attribute.
func (r *reader) byHost(scheme, host, port string, g grant) (value, problem string) {
	if host == "" {
		return "", "every host of one scheme cannot be said"
	}
	folder := strings.TrimSuffix(strings.TrimSuffix(g.path, "*"), "/")
	switch {
	case r.language == widget && g.path != "":
		problem = "paths cannot be said: all of the host is listed"
		folder = ""
	case strings.Contains(folder, "*"):
		problem = "a path with wildcards in it cannot be said: the folder above it is listed"
		folder = folder[:strings.IndexByte(folder, '*')]
		folder = folder[:max(0, strings.LastIndexByte(folder, '/'))]
	case r.language == rawRegexp:
		host = strings.ReplaceAll(host, ".", `\.`)
	}
	return scheme + "://" + host + port + folder, problem
}
