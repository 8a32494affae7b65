package project

import (
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// releases are the last releases of each minor version of the platforms whose range a
// package.json is likely to give, oldest first, as npm lists them.
var releases = map[string]string{
	"android": "3.7.2 4.0.2 4.1.1 5.0.0 5.1.1 5.2.2 6.0.0 6.1.2 6.2.3 6.3.0 6.4.0 7.0.0 7.1.4 8.0.0 8.1.0 " +
		"9.0.0 9.1.0 10.0.1 10.1.2 11.0.0 12.0.1 13.0.0 14.0.1 15.0.0 15.1.0",
	"ios": "3.8.0 3.9.2 4.0.1 4.1.1 4.2.1 4.3.1 4.4.0 4.5.5 5.0.1 5.1.1 6.0.0 6.1.1 6.2.0 6.3.0 " +
		"7.0.1 7.1.1 8.0.1 8.1.1",
	"capacitor": "3.0.2 3.1.2 3.2.5 3.3.4 3.4.3 3.5.1 3.6.0 3.7.0 3.8.0 3.9.0 4.0.1 4.1.0 4.2.0 4.3.0 4.4.0 4.5.0 " +
		"4.6.3 4.7.3 4.8.2 5.0.5 5.1.1 5.2.3 5.3.0 5.4.2 5.5.1 5.6.0 5.7.8 6.0.0 6.1.2 6.2.2 7.0.1 7.1.0 7.2.0 7.3.0 " +
		"7.4.5 7.5.0 7.6.9 8.0.2 8.1.0 8.2.0 8.3.5",
}

// highest returns the highest known version of a platform that a range allows. Of one
// that allows none it is the lowest that the range names, else the latest.
func highest(platform dialect.Platform, versions policy.Range) policy.Version {
	if versions.Allows(platform.Latest) {
		return platform.Latest
	}
	name, _, _ := strings.Cut(platform.Name, "-")
	list := strings.Fields(releases[name])
	for i := len(list) - 1; i >= 0; i-- {
		v, err := policy.ParseVersion(list[i])
		if err == nil && v.Compare(platform.Latest) < 0 && versions.Allows(v) {
			return v
		}
	}
	if versions.Lowest.IsZero() {
		return platform.First
	}
	return versions.Lowest
}
