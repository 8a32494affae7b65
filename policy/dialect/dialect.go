// Package dialect knows how each platform, at each of its versions, reads a
// config.xml and decides a URL.
//
// [Compile] turns a document and a target into a policy. A dialect is data and
// three small functions: which rules the file yields, how a URL string is
// taken apart, and the order of decision. Each platform family has its own
// file that holds all its versions; a new platform is one more file and one
// more line in the table of this one.
//
// [ParseTarget] reads a target as people write it ("android@13.0.0"), [Platforms]
// lists what there is. The errors of both Compile and ParseTarget are
// [*TargetError], for a platform or version that is not known; a line of the file
// that a platform cannot read is no error but a rule with a flaw (policy.Flaw).
//
// The dialects of real platforms are faithful rather than safe: they answer
// what the platform's own code answers, its mistakes included, and take the
// URL exactly as written. The dialect "cordon" is the strict one.
//
// The package is pure, and its results are safe for concurrent use.
package dialect

import (
	"fmt"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// Strict is the name of the platform that is no platform: the strict reading
// that the gateway, the client and the exports share.
const Strict = "cordon"

// Platform is a platform that config.xml is read by.
type Platform struct {
	// Name is Cordova's own name, as a target is written.
	Name string
	// Title is the name for people.
	Title string
	// First and Latest are the first and last known versions; both are zero
	// for a platform without versions.
	First, Latest policy.Version
	// Breaks are the versions from which on the platform decides differently,
	// oldest first. A version behaves as the nearest break at or below it.
	Breaks []Break

	compile func(*configxml.Document, policy.Target) (policy.Spec, error)
	// own says where the app's own pages come from; nil where that is not known.
	own func(*configxml.Document, policy.Target) AppOrigin
	// bridge says that compile decides who may call native code as well.
	bridge bool
}

// Break is a version at which a platform began to decide differently.
type Break struct {
	Version policy.Version
	// Change says in a sentence what is different from then on.
	Change string
}

// Platforms returns every known platform, in the order of the documentation.
func Platforms() []Platform {
	return append([]Platform(nil), platforms...)
}

// Lookup returns the platform of that name.
func Lookup(name string) (Platform, bool) {
	for _, p := range platforms {
		if p.Name == name {
			return p, true
		}
	}
	return Platform{}, false
}

// TargetError reports a target that is not known, with the nearest that is.
type TargetError struct {
	// Target is what was asked for.
	Target string
	// Problem says what is wrong with it.
	Problem string
	// Nearest is the closest known target.
	Nearest string
}

// Error names the target, the problem and the nearest known target.
func (e *TargetError) Error() string {
	return fmt.Sprintf("unknown target %q: %s; nearest known: %s", e.Target, e.Problem, e.Nearest)
}

// ParseTarget reads platform[@version[/os-version]] and fills in the latest
// version where none is given. An unknown platform or version is a
// *TargetError.
func ParseTarget(s string) (policy.Target, error) {
	t, err := policy.ParseTarget(s)
	if err != nil {
		return policy.Target{}, &TargetError{Target: s, Problem: err.Error(), Nearest: nearestName(s)}
	}
	return resolve(t, s)
}

func resolve(t policy.Target, written string) (policy.Target, error) {
	p, ok := Lookup(t.Platform)
	if !ok {
		return policy.Target{}, &TargetError{
			Target:  written,
			Problem: fmt.Sprintf("no platform %q (known: %s)", t.Platform, strings.Join(names(), ", ")),
			Nearest: nearestName(t.Platform),
		}
	}
	if p.Latest.IsZero() {
		if !t.Version.IsZero() || !t.OS.IsZero() {
			return policy.Target{}, &TargetError{Target: written, Problem: p.Name + " has no versions", Nearest: p.Name}
		}
		return t, nil
	}
	switch {
	case t.Version.IsZero():
		t.Version = p.Latest
	case t.Version.Compare(p.First) < 0:
		return policy.Target{}, p.unknownVersion(written, p.First)
	case t.Version.Major > p.Latest.Major:
		return policy.Target{}, p.unknownVersion(written, p.Latest)
	}
	return t, nil
}

func (p Platform) unknownVersion(written string, nearest policy.Version) error {
	return &TargetError{
		Target:  written,
		Problem: fmt.Sprintf("%s is known from %s to %s", p.Name, p.First, p.Latest),
		Nearest: p.Name + "@" + nearest.String(),
	}
}

// Compile reads the document as the target reads it. A document that the
// platform reads partly compiles too: what it drops, cuts or ignores is in the
// rules' flaws. An unknown target is a *TargetError.
func Compile(doc *configxml.Document, t policy.Target) (*policy.Policy, error) {
	t, err := resolve(t, t.String())
	if err != nil {
		return nil, err
	}
	p, _ := Lookup(t.Platform)
	spec, err := p.compile(doc, t)
	if err != nil {
		return nil, fmt.Errorf("compile %s for %s: %w", doc.Name(), t, err)
	}
	spec.Target = t
	if !p.bridge {
		setBridge(&spec, noBridge(p), noBridge(p))
	}
	return policy.New(spec), nil
}

func names() []string {
	all := make([]string, len(platforms))
	for i, p := range platforms {
		all[i] = p.Name
	}
	return all
}

// nearestName returns the known platform whose name takes the fewest edits.
func nearestName(s string) string {
	s, _, _ = strings.Cut(strings.ToLower(s), "@")
	best, least := Strict, len(s)+8
	for _, name := range names() {
		if d := editDistance(s, name); d < least {
			best, least = name, d
		}
	}
	return best
}

// editDistance is Levenshtein's distance in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
