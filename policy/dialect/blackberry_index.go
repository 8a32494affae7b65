package dialect

import (
	"strings"
	"unicode/utf8"
)

// blackberryEntry is one entry of the access list.
type blackberryEntry struct {
	parts      blackberryParts
	subdomains bool
	rule       int
}

// blackberryGroup holds the entries of one scheme and authority by their
// paths: WebFolderAccessManager of policy/folderAccess.
type blackberryGroup struct {
	paths map[string]*blackberryEntry
	// anyQuery holds those whose query is "*", by path and "?".
	anyQuery map[string]*blackberryEntry
	all      []*blackberryEntry
	depth    int
}

// blackberryKey names a group, in lower case.
type blackberryKey struct{ scheme, authority string }

// blackberryIndex is the access list as AccessManager of policy/whitelist keeps
// it: its lookup is an algorithm over texts, which this follows step by step,
// its mistakes included [cordova-blackberry 2.9.0, 3.0.0, 3.6.3, 3.8.0].
type blackberryIndex struct {
	uri    blackberryURI
	groups map[blackberryKey]*blackberryGroup
	// local and data are the rules that stand for the app's own files and for
	// data: URLs.
	local, data int
}

func (x *blackberryIndex) add(uri string, subdomains bool, rule int) {
	entry := &blackberryEntry{parts: x.uri.parse(uri), subdomains: subdomains, rule: rule}
	key := blackberryKey{lowerFull(entry.parts.scheme), lowerFull(entry.parts.authority)}
	group := x.groups[key]
	if group == nil {
		group = &blackberryGroup{paths: map[string]*blackberryEntry{}, anyQuery: map[string]*blackberryEntry{}}
		x.groups[key] = group
	}
	path := entry.parts.folder
	if path == "" {
		path = "/"
	}
	if path != "/" {
		path = "/" + trimSlashes(path)
	}
	path = lowerFull(path)
	group.paths[path] = entry
	if i := strings.IndexByte(path, '?'); i >= 0 && path[i:] == "?*" {
		group.anyQuery[path[:i+1]] = entry
	}
	group.all = append(group.all, entry)
	group.depth = max(group.depth, folderDepth(path))
}

func (x *blackberryIndex) group(scheme, authority string) *blackberryGroup {
	return x.groups[blackberryKey{lowerFull(scheme), lowerFull(authority)}]
}

// find returns the rule that allows a URL, or -1: getAccessByUrl.
func (x *blackberryIndex) find(raw string, anyPath bool) int {
	u := x.uri.parse(raw)
	if !u.absolute {
		return -1
	}
	authority := x.authority(u.port != "", u.scheme, u.authority)
	if authority == "" && u.scheme != "file" && u.scheme != "local" && u.scheme != "data" {
		return -1
	}
	group := x.group(u.scheme, authority)
	switch {
	case u.scheme == "file" && group == nil:
		return -1
	case u.scheme == "local" && group == nil:
		return x.local
	case u.scheme == "data":
		return x.data
	}
	if entry := x.entry(group, u, authority, anyPath); entry != nil {
		return entry.rule
	}
	switch {
	case isSubstring("local:///", u.scheme):
		return x.local
	case isSubstring("data:", u.scheme):
		return x.data // the platform takes the group itself for an entry
	}
	return -1
}

// authority returns the authority, or what is left of it, that has a group:
// authorityCheck.
func (x *blackberryIndex) authority(port bool, scheme, authority string) string {
	if port && x.group(scheme, authority) == nil {
		without := x.authority(false, scheme, withoutPort(authority))
		if x.group(scheme, without) != nil {
			authority = without
		}
	}
	if !strings.Contains(authority, ".") {
		if x.group(scheme, authority) == nil {
			return ""
		}
		return authority
	}
	for authority != "" && x.group(scheme, authority) == nil {
		_, rest, found := strings.Cut(authority, ".")
		if !found {
			return ""
		}
		authority = rest
	}
	return authority
}

// withoutPort drops what stands from the last colon on; where there is none,
// the platform drops the last UTF-16 unit.
func withoutPort(authority string) string {
	if i := strings.LastIndexByte(authority, ':'); i >= 0 {
		return authority[:i]
	}
	_, size := utf8.DecodeLastRuneInString(authority)
	left := authority[:len(authority)-size]
	if size == 4 {
		left += "\xED\xA0\x80" // half of a pair of surrogates equals nothing
	}
	return left
}

// entry looks an entry up that fits, in a group and then in the groups of what
// is left of the authority: getFromFolderAccess.
func (x *blackberryIndex) entry(group *blackberryGroup, u blackberryParts, authority string,
	anyPath bool) *blackberryEntry {
	path := u.path
	if path == "" {
		path = "/"
	}
	for first := true; ; first = false {
		var entry *blackberryEntry
		switch {
		case anyPath:
			entry = group.fitting(u)
		case first && u.path == "":
			entry = group.lookup("/")
		default:
			entry = group.lookup(u.folder)
		}
		if entry != nil && entry.fits(u, path, anyPath) {
			return entry
		}
		_, rest, found := strings.Cut(authority, ".")
		if !found {
			return nil
		}
		authority = x.authority(u.port != "", u.scheme, rest)
		if authority == "" {
			return nil
		}
		group = x.group(u.scheme, authority)
	}
}

// fits reports whether the entry that was found covers the URL: _isMatch.
func (e *blackberryEntry) fits(u blackberryParts, path string, anyPath bool) bool {
	if isSubstring("data:", u.scheme) {
		return true
	}
	host, own := lowerFull(u.host), lowerFull(e.parts.host)
	switch {
	case lowerFull(e.parts.scheme) != lowerFull(u.scheme):
		return false
	case u.authority == "" && !isSubstring("file://", u.scheme):
		return false
	case host != own && !(e.subdomains && isBelow(host, own)):
		return false
	case e.parts.port != "" && e.parts.port != u.port:
		return false
	}
	return anyPath || e.parts.query == "*" || strings.HasPrefix(lowerFull(path), lowerFull(e.parts.path))
}

// isBelow reports whether host ends in a dot and name.
func isBelow(host, name string) bool {
	rest, found := strings.CutSuffix(host, name)
	return found && strings.HasSuffix(rest, ".")
}

// isSubstring is how the platform tests for a scheme: any part of its name
// passes for it.
func isSubstring(name, scheme string) bool {
	return scheme != "" && strings.Contains(name, lowerFull(scheme))
}

// fitting returns the first entry of the group that fits whatever the path is.
func (g *blackberryGroup) fitting(u blackberryParts) *blackberryEntry {
	for _, entry := range g.all {
		if entry.fits(u, "", true) {
			return entry
		}
	}
	return nil
}

// lookup finds the entry at a path, or at the deepest folder above it:
// getAccess.
func (g *blackberryGroup) lookup(path string) *blackberryEntry {
	for depth := folderDepth(path); path != ""; {
		path = lowerFull(path)
		if entry := g.at(path); entry != nil {
			return entry
		}
		depth = min(g.depth, depth-1)
		path = folder(path, depth)
	}
	return nil
}

// at returns the entry at exactly this path, or at it with any query:
// fetchAccess.
func (g *blackberryGroup) at(path string) *blackberryEntry {
	if entry := g.paths[path]; entry != nil {
		return entry
	}
	if i := strings.IndexByte(path, '?'); i >= 0 {
		return g.anyQuery[path[:i+1]]
	}
	return nil
}

func trimSlashes(path string) string {
	return strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
}

// folderDepth counts the segments of a path: _determineDepth. Only the first
// backslash counts as a slash.
func folderDepth(path string) int {
	path = strings.Replace(path, `\`, "/", 1)
	if path == "/" {
		return 0
	}
	return strings.Count(trimSlashes(path), "/") + 1
}

// folder cuts a path to a depth: _getPath. Asked for more than there is, it
// goes on with empty segments.
func folder(path string, depth int) string {
	if depth == 0 {
		return "/"
	}
	path = strings.Replace(path, `\`, "/", 1)
	if end := segments(path, depth); end > 0 {
		return path[:end]
	}
	path = trimSlashes(path)
	var b strings.Builder
	for ; depth > 0; depth-- {
		segment, rest, found := strings.Cut(path, "/")
		b.WriteByte('/')
		if found {
			b.WriteString(segment)
			path = rest
		}
	}
	return b.String()
}

// segments returns where the first segments of a path end, or 0 if the path
// does not begin with a slash or has no more than them.
func segments(path string, depth int) int {
	trimmed := trimSlashes(path)
	if depth < 0 || !strings.HasPrefix(path, "/") {
		return 0
	}
	end := 0
	for ; depth > 0; depth-- {
		i := strings.IndexByte(trimmed[end:], '/')
		if i < 0 {
			return 0
		}
		end += i + 1
	}
	return end
}
