package privacy

import (
	"regexp"
	"strings"

	"github.com/cordon-sec/cordon/policy"
)

// Library is a library on Apple's list of which it is known which versions have a
// privacy manifest.
type Library struct {
	// Name is the library's name for people.
	Name string
	// Pods are the names of its pods; one that ends in a star stands for all that
	// begin so. A pod brings the listed library at its own version.
	Pods []string
	// Without are the versions that have none.
	Without []Versions
	// Source is where that was read.
	Source string
}

// Versions are those from From on to below Below; a zero Below is no limit.
type Versions struct{ From, Below policy.Version }

func (v Versions) has(version policy.Version) bool {
	return version.Compare(v.From) >= 0 && (v.Below.IsZero() || version.Compare(v.Below) < 0)
}

func below(major, minor, patch int) Versions {
	return Versions{Below: policy.Version{Major: major, Minor: minor, Patch: patch}}
}

// libraries are those that Cordova's and Capacitor's plugins bring most, and the two
// frameworks themselves.
var libraries = []Library{
	{Name: "Cordova", Pods: []string{"Cordova"}, Without: []Versions{below(7, 1, 0)},
		Source: "CordovaLib/PrivacyInfo.xcprivacy of cordova-ios at its tags; release notes of 7.1.0, GH-1383"},
	{Name: "Capacitor", Pods: []string{"Capacitor", "CapacitorCordova"}, Without: []Versions{below(5, 7, 3)},
		Source: "ios/Capacitor/Capacitor/PrivacyInfo.xcprivacy of ionic-team/capacitor at its tags"},
	{Name: "Firebase", Pods: []string{"Firebase*"}, Without: []Versions{below(10, 22, 0)},
		Source: "firebase/firebase-ios-sdk, issue 11490"},
	{Name: "Google Sign-In", Pods: []string{"GoogleSignIn"}, Without: []Versions{below(7, 1, 0)},
		Source: "google/GoogleSignIn-iOS, release 7.1.0 (#382)"},
	{Name: "Facebook's SDK", Pods: []string{"FBSDK*", "FBAEMKit", "FacebookSDK"}, Without: []Versions{below(17, 0, 0)},
		Source: "facebook/facebook-ios-sdk, CHANGELOG of 17.0.0 and issue 2384"},
	{Name: "OneSignal", Pods: []string{"OneSignal", "OneSignalXCFramework"}, Without: []Versions{below(3, 12, 8),
		{policy.Version{Major: 4}, policy.Version{Major: 5, Patch: 5}}},
		Source: "OneSignal/OneSignal-iOS-SDK, pull requests 1388 (3.12.8) and 1334 (5.0.5)"},
	{Name: "Alamofire", Pods: []string{"Alamofire"}, Without: []Versions{below(5, 9, 0)},
		Source: "Alamofire/Alamofire, issue 3834 and pull request 3792"},
	{Name: "AFNetworking", Pods: []string{"AFNetworking"}, Without: []Versions{{}},
		Source: "AFNetworking/AFNetworking: the last release is 4.0.1 of 2020"},
}

// OfPod returns the library that a pod belongs to; a part of a pod counts as the pod.
func OfPod(pod string) (*Library, bool) {
	pod, _, _ = strings.Cut(pod, "/")
	for i := range libraries {
		for _, name := range libraries[i].Pods {
			if prefix, all := strings.CutSuffix(name, "*"); pod == name || all && strings.HasPrefix(pod, prefix) {
				return &libraries[i], true
			}
		}
	}
	return nil, false
}

// Lacks reports whether a version has no privacy manifest.
func (l *Library) Lacks(version policy.Version) bool {
	for _, v := range l.Without {
		if v.has(version) {
			return true
		}
	}
	return false
}

// First returns the first version from which on there is a manifest, of those after a
// version; zero if there is none.
func (l *Library) First(after policy.Version) policy.Version {
	for _, v := range l.Without {
		if v.has(after) {
			return v.Below
		}
	}
	return policy.Version{}
}

var podVersion = regexp.MustCompile(`^(|=|~>|<|<=|>|>=) *([0-9]{1,4}(?:\.[0-9]{1,4}){0,2})$`)

// LacksAll reports whether none of the versions that a requirement of CocoaPods allows
// has a privacy manifest; lowest is one of them. What cannot be read allows any.
func (l *Library) LacksAll(requirement string) (lowest policy.Version, lacks bool) {
	if len(l.Without) == 1 && l.Without[0] == (Versions{}) {
		return lowest, true
	}
	var allowed Versions
	for _, part := range strings.Split(requirement, ",") {
		m := podVersion.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil {
			return policy.Version{}, false
		}
		version, err := policy.ParseVersion(m[2])
		if err != nil {
			return policy.Version{}, false
		}
		allowed = allowed.narrowed(m[1], version, strings.Count(m[2], ".")+1)
	}
	if allowed.Below.IsZero() {
		return policy.Version{}, false
	}
	for _, v := range l.Without {
		if v.has(allowed.From) && (v.Below.IsZero() || allowed.Below.Compare(v.Below) <= 0) {
			return allowed.From, true
		}
	}
	return policy.Version{}, false
}

// narrowed keeps the versions that one more comparison allows; numbers is how many
// numbers its version is written with. "~> 1.2" allows 1.2 to below 2, "~> 1.2.3"
// 1.2.3 to below 1.3 (Gem::Requirement).
func (v Versions) narrowed(operator string, version policy.Version, numbers int) Versions {
	from, end := version, policy.Version{}
	next := policy.Version{Major: version.Major, Minor: version.Minor, Patch: version.Patch + 1}
	switch operator {
	case "", "=":
		end = next
	case "<":
		from, end = policy.Version{}, version
	case "<=":
		from, end = policy.Version{}, next
	case ">":
		from = next
	case "~>":
		end = policy.Version{Major: version.Major + 1}
		if numbers == 3 {
			end = policy.Version{Major: version.Major, Minor: version.Minor + 1}
		}
	}
	if from.Compare(v.From) > 0 {
		v.From = from
	}
	if v.Below.IsZero() || !end.IsZero() && end.Compare(v.Below) < 0 {
		v.Below = end
	}
	return v
}
