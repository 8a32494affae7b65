package policy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Version is a version of a platform or of a device's system: up to three
// numbers. Versions compare with Compare. The zero value means "not given".
type Version struct {
	Major, Minor, Patch int
}

// ParseVersion reads one to three decimal numbers with dots between them; what
// follows a "-" or "+" (a pre-release mark) is refused.
func ParseVersion(s string) (Version, error) {
	parts := strings.Split(s, ".")
	if len(parts) > 3 {
		return Version{}, fmt.Errorf("version %q has more than three numbers", s)
	}
	var n [3]int
	for i, part := range parts {
		if len(part) > 4 {
			return Version{}, fmt.Errorf("version %q: %q is not a number from 0 to 9999", s, part)
		}
		u, err := strconv.ParseUint(part, 10, 16)
		if err != nil {
			return Version{}, fmt.Errorf("version %q: %q is not a number from 0 to 9999", s, part)
		}
		n[i] = int(u)
	}
	return Version{n[0], n[1], n[2]}, nil
}

// IsZero reports whether no version is given.
func (v Version) IsZero() bool { return v == Version{} }

// Compare returns -1, 0 or +1 as v is before, equal to or after w.
func (v Version) Compare(w Version) int {
	for _, d := range [3]int{v.Major - w.Major, v.Minor - w.Minor, v.Patch - w.Patch} {
		if d < 0 {
			return -1
		}
		if d > 0 {
			return 1
		}
	}
	return 0
}

// AtLeast reports whether v is major.minor.patch or later.
func (v Version) AtLeast(major, minor, patch int) bool {
	return v.Compare(Version{major, minor, patch}) >= 0
}

// String returns three numbers with dots, or "" for the zero value.
func (v Version) String() string {
	if v.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch)
}

// Target is a platform at a version, optionally on a version of the device's
// system: android@3.6.4/2.3. Platform names are Cordova's own. A zero Version
// means the latest one that the dialect knows.
type Target struct {
	Platform string
	Version  Version
	// OS is the version of the device's system, zero for "a current one".
	OS Version
}

// ParseTarget reads platform[@version[/os-version]]. It checks the form only;
// dialect.ParseTarget also knows which platforms and versions exist.
func ParseTarget(s string) (Target, error) {
	var t Target
	platform, rest, versioned := strings.Cut(s, "@")
	if platform == "" {
		return t, errors.New("it names no platform")
	}
	t.Platform = platform
	if !versioned {
		return t, nil
	}
	version, system, withSystem := strings.Cut(rest, "/")
	var err error
	if t.Version, err = ParseVersion(version); err != nil {
		return Target{}, err
	}
	if withSystem {
		if t.OS, err = ParseVersion(system); err != nil {
			return Target{}, fmt.Errorf("the system's %w", err)
		}
	}
	return t, nil
}

// String writes the target as ParseTarget reads it.
func (t Target) String() string {
	s := t.Platform
	if !t.Version.IsZero() {
		s += "@" + t.Version.String()
	}
	if !t.OS.IsZero() {
		s += "/" + strings.TrimSuffix(t.OS.String(), ".0")
	}
	return s
}
