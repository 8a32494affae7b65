package dialect

import (
	"errors"
	"fmt"
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// strictPattern is one origin or href in the strict reading: as patterns, and
// as the parts that it was written of.
type strictPattern struct {
	patterns []pattern.Pattern
	anyHost  bool
	parts    Origin
}

// What is wrong with a line in the strict reading, in the words that the
// author of the file reads.
var (
	errEmpty    = errors.New("it is empty")
	errBlanks   = errors.New("it has blanks or control characters; remove them")
	errBackward = errors.New("it has a backslash; write /")
	errUser     = errors.New("it has a user name; a rule names hosts, not people")
	errQuery    = errors.New("it has a query or fragment, which plays no part in a rule")
	errWildcard = errors.New("it has a wildcard that is neither the whole host nor its first label")
	errPath     = errors.New("its path has a wildcard before the end, dot segments or escapes; name a folder")
)

// readStrict reads one origin or href. subdomains is the attribute of that
// name; launch says that the line is about other apps, the only place where
// schemes without hosts count.
func readStrict(text string, subdomains, launch bool) (strictPattern, error) {
	if err := checkText(text); err != nil {
		return strictPattern{}, err
	}
	if text == "*" {
		return readOrigin("", "*", false)
	}
	scheme, rest, hierarchical := strings.Cut(text, "://")
	if !hierarchical {
		if name, opaque, ok := cutScheme(text); ok && !isHostPort(name, opaque) {
			return readOpaque(name, opaque, launch)
		}
		scheme, rest = "", text
	} else if scheme != "*" {
		name, all, ok := cutScheme(scheme + ":")
		if !ok || all != "" {
			return strictPattern{}, fmt.Errorf("%q must be a scheme", scheme)
		}
		if known, _ := knownScheme(name); known == "" {
			return readOpaque(name, "//"+rest, launch)
		}
	}
	return readOrigin(asciiLower(scheme), rest, subdomains)
}

func checkText(text string) error {
	switch {
	case text == "":
		return errEmpty
	case !clean(text) || strings.ContainsRune(text, ' '):
		return errBlanks
	case strings.ContainsRune(text, '\\'):
		return errBackward
	case len(text) > maxURL:
		return fmt.Errorf("it is longer than %d bytes", maxURL)
	}
	return nil
}

// isHostPort tells h.example:8443 from tel:112: a name without a dot is a
// scheme, unless it is localhost.
func isHostPort(name, rest string) bool {
	digits := rest
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		digits = rest[:i]
	}
	if digits == "" || !allDigits(digits) {
		return false
	}
	return strings.Contains(name, ".") || pattern.EqualFold(name, "localhost")
}

// readOpaque reads a line about a scheme that leads to no host: sms:*,
// tel:112, market://details*. A "*" is a run of any characters.
func readOpaque(scheme, rest string, launch bool) (strictPattern, error) {
	scheme = asciiLower(scheme)
	if !launch {
		return strictPattern{}, fmt.Errorf("scheme %q leads to no host on the network; only launch entries "+
			"(allow-intent) may name it", scheme)
	}
	if known, _ := knownScheme(scheme); known != "" {
		return strictPattern{}, fmt.Errorf("%q needs two slashes and a host", scheme+":")
	}
	path := pattern.Glob(rest)
	switch rest {
	case "", "*", "//*", "//*/*":
		path = pattern.Any()
	}
	return strictPattern{
		patterns: []pattern.Pattern{{Scheme: pattern.Exactly(scheme), Host: pattern.Any(), Path: path,
			Port: pattern.NoPort}},
		parts: Origin{Schemes: []string{scheme}, Path: rest},
	}, nil
}

// hostNames is the host "*". Addresses are kept out by the order of decision.
var hostNames = pattern.Present()

// readOrigin reads host[:port][path] under a scheme, "" for none.
func readOrigin(scheme, rest string, subdomains bool) (strictPattern, error) {
	switch {
	case strings.ContainsAny(rest, "?#"):
		return strictPattern{}, errQuery
	case strings.ContainsRune(rest, '@'):
		return strictPattern{}, errUser
	}
	authority, path := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	covered, err := readPath(path)
	if err != nil {
		return strictPattern{}, err
	}
	name, port, err := splitPort(authority)
	if err != nil {
		return strictPattern{}, err
	}
	parts := Origin{Schemes: schemesOf(scheme), Port: int(port),
		Path: strings.TrimRight(strings.TrimSuffix(path, "*"), "/")}
	if name == "*" {
		return strictPattern{anyHost: true, patterns: origins(scheme, port, hostNames, covered), parts: parts}, nil
	}
	below := subdomains
	if label, ok := strings.CutPrefix(name, "*."); ok {
		name, below = label, true
	}
	if strings.Contains(name, "*") {
		return strictPattern{}, errWildcard
	}
	host, err := hostname.Normalize(name)
	if err != nil || strings.ContainsRune(name, '%') {
		return strictPattern{}, fmt.Errorf("%q must be a host name, or an address in its canonical spelling", name)
	}
	language := pattern.Exactly(host).Fold()
	if below && !isAddress(host) {
		language = belowName(host)
	} else if below && !subdomains {
		return strictPattern{}, fmt.Errorf("%q is an address, and there is nothing below an address", name)
	}
	parts.Host, parts.Subdomains = asciiLower(host), below && !isAddress(host)
	return strictPattern{patterns: origins(scheme, port, language, covered), parts: parts}, nil
}

// belowName is a name and every name below it, those with an underscore too:
// splitStrict lets no other characters pass.
func belowName(host string) pattern.Language {
	return pattern.OneOf(pattern.Exactly(host), pattern.Glob("*."+host)).Fold()
}

func isAddress(host string) bool {
	n, err := hostname.Parse(host)
	return err == nil && n.Addr().IsValid()
}

func splitPort(authority string) (host string, port int32, err error) {
	colon := strings.LastIndexByte(authority, ':')
	if colon < 0 || strings.IndexByte(authority[colon:], ']') >= 0 {
		return authority, 0, nil
	}
	port, ok := decimalPort(authority[colon+1:])
	if !ok {
		return "", 0, fmt.Errorf("%q must be a port from 1 to 65535", authority[colon+1:])
	}
	return authority[:colon], port, nil
}

// readPath reads what follows the host: "" and "/*" are every path, /p and
// /p/* are /p and everything below it.
func readPath(path string) (pattern.Language, error) {
	folder := strings.TrimSuffix(path, "*")
	if folder != path && !strings.HasSuffix(folder, "/") {
		return pattern.Language{}, errPath
	}
	if strings.ContainsAny(folder, "*%") || resolveDots(folder) != folder {
		return pattern.Language{}, errPath
	}
	if strings.Trim(folder, "/") == "" {
		return pattern.Any(), nil
	}
	return pattern.Within(folder), nil
}

// origins makes the patterns for a scheme as written: https covers wss too,
// http covers ws too, "*" all four, and none is https. A port counts unless it
// is the scheme's own.
func origins(scheme string, port int32, host, path pattern.Language) []pattern.Pattern {
	switch scheme {
	case "", schemeHTTPS:
		return origin(encryptedSchemes, ownPort(port, 443), host, path)
	case schemeHTTP:
		return origin(cleartextSchemes, ownPort(port, 80), host, path)
	case schemeWS:
		return origin(pattern.Exactly(schemeWS), ownPort(port, 80), host, path)
	case schemeWSS:
		return origin(pattern.Exactly(schemeWSS), ownPort(port, 443), host, path)
	}
	if port == 80 || port == 443 {
		return append(origins(schemeHTTPS, port, host, path), origins(schemeHTTP, port, host, path)...)
	}
	return origin(webSchemes, ownPort(port, 0), host, path)
}

// schemesOf returns the schemes that a scheme as written covers.
func schemesOf(scheme string) []string {
	switch scheme {
	case "", schemeHTTPS:
		return []string{schemeHTTPS, schemeWSS}
	case schemeHTTP:
		return []string{schemeHTTP, schemeWS}
	case schemeWS, schemeWSS:
		return []string{scheme}
	}
	return []string{schemeHTTPS, schemeWSS, schemeHTTP, schemeWS}
}

func origin(schemes pattern.Language, port pattern.Port, host, path pattern.Language) []pattern.Pattern {
	return []pattern.Pattern{{Scheme: schemes, Host: host, Path: path, Port: port}}
}

// The languages of the schemes that origins covers, each once: a file may have a
// hundred thousand lines.
var (
	encryptedSchemes = oneOf(schemeHTTPS, schemeWSS)
	cleartextSchemes = oneOf(schemeHTTP, schemeWS)
	webSchemes       = oneOf(schemeHTTPS, schemeWSS, schemeHTTP, schemeWS)
)

func oneOf(names ...string) pattern.Language {
	languages := make([]pattern.Language, len(names))
	for i, name := range names {
		languages[i] = pattern.Exactly(name)
	}
	return pattern.OneOf(languages...)
}

func ownPort(port, own int32) pattern.Port {
	if port == 0 || port == own {
		return pattern.NoPort
	}
	return pattern.Port(port)
}
