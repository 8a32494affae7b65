package privacy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/native"
	"github.com/cordon-sec/cordon/policy/privacy"
)

func problems(t *testing.T, dict string) []string {
	t.Helper()
	v, err := native.ParsePropertyList(privacy.FileName, []byte(dict))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range privacy.Check(v) {
		got = append(got, p.Msg)
	}
	return got
}

const goodData = `<key>NSPrivacyCollectedDataTypes</key><array><dict>
<key>NSPrivacyCollectedDataType</key><string>NSPrivacyCollectedDataTypeEmailAddress</string>
<key>NSPrivacyCollectedDataTypeLinked</key><true/><key>NSPrivacyCollectedDataTypeTracking</key><false/>
<key>NSPrivacyCollectedDataTypePurposes</key><array><string>NSPrivacyCollectedDataTypePurposeAnalytics</string></array>
</dict></array>`

// What Apple's templates and the tools' own manifests hold is valid.
func TestValidManifests(t *testing.T) {
	for _, dict := range []string{
		`<plist><dict/></plist>`,
		`<plist><dict><key>NSPrivacyTracking</key><false/><key>NSPrivacyCollectedDataTypes</key><array/>` +
			`<key>NSPrivacyAccessedAPITypes</key><array/><key>NSPrivacyTrackingDomains</key><array/></dict></plist>`,
		`<dict><key>NSPrivacyTracking</key><true/><key>NSPrivacyTrackingDomains</key><array>` +
			`<string>ads.example.org</string></array>` + goodData + `</dict>`,
		`<dict><key>NSPrivacyAccessedAPITypes</key><array><dict><key>NSPrivacyAccessedAPIType</key>` +
			`<string>NSPrivacyAccessedAPICategoryUserDefaults</string><key>NSPrivacyAccessedAPITypeReasons</key>` +
			`<array><string>CA92.1</string><string>1C8F.1</string></array></dict></array></dict>`,
	} {
		if got := problems(t, dict); got != nil {
			t.Errorf("%s\n%v", dict, got)
		}
	}
}

func TestInvalidManifests(t *testing.T) {
	for dict, want := range map[string][]string{
		`<array/>`: {"a privacy manifest must hold a dictionary"},
		`<dict><key>NSPrivacyTraking</key><true/><key>NSPrivacyTracking</key><string>NO</string></dict>`: {
			`there is no key "NSPrivacyTraking" in a privacy manifest`, "NSPrivacyTracking must be true or false"},
		`<dict><key>NSPrivacyTracking</key><true/></dict>`: {
			"NSPrivacyTracking is true, so NSPrivacyTrackingDomains must name a domain at least"},
		`<dict><key>NSPrivacyTracking</key><true/><key>NSPrivacyTrackingDomains</key><array/></dict>`: {
			"NSPrivacyTracking is true, so NSPrivacyTrackingDomains must name a domain at least"},
		`<dict><key>NSPrivacyTracking</key><false/><key>NSPrivacyTrackingDomains</key>` +
			`<array><string>a.example</string></array></dict>`: {
			"NSPrivacyTrackingDomains names domains, so NSPrivacyTracking must be true"},
		`<dict><key>NSPrivacyTrackingDomains</key><array><string>a.example</string></array></dict>`: {
			"NSPrivacyTrackingDomains names domains, so NSPrivacyTracking must be true"},
		`<dict><key>NSPrivacyTracking</key><true/><key>NSPrivacyTrackingDomains</key><array>` +
			`<string>https://a.example</string><string>a.example/</string><string>*.a.example</string>` +
			`<string>a.example:443</string><string>10.0.0.1</string><string>a b</string><string/><true/></array>` +
			`</dict>`: {
			`"https://a.example" is not a tracking domain: a scheme is not part of a domain`,
			`"a.example/" is not a tracking domain: a path is not part of a domain`,
			`"*.a.example" is not a tracking domain: there are no wildcards`,
			`"a.example:443" is not a tracking domain: a port is not part of a domain`,
			`"10.0.0.1" is not a tracking domain: an address is not a domain`,
			`"a b" is not a tracking domain: it is not a name`, `"" is not a tracking domain: it is empty`,
			"an entry of NSPrivacyTrackingDomains must be a string"},
		`<dict><key>NSPrivacyTrackingDomains</key><string>a.example</string></dict>`: {
			"NSPrivacyTrackingDomains must be an array of strings"},
		`<dict><key>NSPrivacyAccessedAPITypes</key><array><true/><dict><key>NSPrivacyAccessedAPIType</key>` +
			`<string>NSPrivacyAccessedAPICategoryDiskSpace</string><key>NSPrivacyAccessedAPITypeReasons</key>` +
			`<array><string>CA92.1</string><string>CAS92.1</string></array></dict></array></dict>`: {
			"an entry of NSPrivacyAccessedAPITypes must be a dictionary",
			`"CA92.1" is not a reason for NSPrivacyAccessedAPICategoryDiskSpace but for ` +
				`NSPrivacyAccessedAPICategoryUserDefaults; it must be one of 7D9E.1, 85F4.1, B728.1, E174.1`,
			`"CAS92.1" is not a reason for NSPrivacyAccessedAPICategoryDiskSpace; it must be one of 7D9E.1, 85F4.1, ` +
				`B728.1, E174.1`},
		`<dict><key>NSPrivacyAccessedAPITypes</key><array><dict><key>NSPrivacyAccessedAPIType</key>` +
			`<string>UserDefaults</string><key>NSPrivacyAccessedAPITypeReasons</key><array/></dict></array></dict>`: {
			`NSPrivacyAccessedAPIType must be one of NSPrivacyAccessedAPICategoryActiveKeyboards, ` +
				`NSPrivacyAccessedAPICategoryDiskSpace, NSPrivacyAccessedAPICategoryFileTimestamp, ` +
				`NSPrivacyAccessedAPICategorySystemBootTime, NSPrivacyAccessedAPICategoryUserDefaults, not ` +
				`"UserDefaults"`, "NSPrivacyAccessedAPITypeReasons must not be empty"},
		`<dict><key>NSPrivacyCollectedDataTypes</key><array><dict><key>NSPrivacyCollectedDataType</key>` +
			`<string>Email</string><key>NSPrivacyCollectedDataTypeLinked</key><string>yes</string><key>Why</key>` +
			`<true/><key>NSPrivacyCollectedDataTypePurposes</key><array><string>Fun</string></array></dict>` +
			`</array></dict>`: {
			`there is no key "Why" in this dictionary; it must hold NSPrivacyCollectedDataType, ` +
				`NSPrivacyCollectedDataTypeLinked, NSPrivacyCollectedDataTypeTracking, ` +
				`NSPrivacyCollectedDataTypePurposes`,
			"the dictionary must have the key NSPrivacyCollectedDataTypeTracking",
			`there is no type of collected data "Email"`, "NSPrivacyCollectedDataTypeLinked must be true or false",
			`there is no purpose "Fun"; it must be one of NSPrivacyCollectedDataTypePurposeThirdPartyAdvertising, ` +
				`NSPrivacyCollectedDataTypePurposeDeveloperAdvertising, NSPrivacyCollectedDataTypePurposeAnalytics, ` +
				`NSPrivacyCollectedDataTypePurposeProductPersonalization, ` +
				`NSPrivacyCollectedDataTypePurposeAppFunctionality, NSPrivacyCollectedDataTypePurposeOther`},
	} {
		if diff := cmp.Diff(want, problems(t, dict)); diff != "" {
			t.Errorf("%s\n%s", dict, diff)
		}
	}
}

// Which requirements allow no version with a manifest at all: CocoaPods' own way of
// counting, and nothing is said of what cannot be read.
func TestLacksAll(t *testing.T) {
	for _, test := range []struct {
		pod, requirement string
		want             bool
	}{
		{"Firebase/Messaging", "8.9.0", true},
		{"FirebaseCore", "10.21.9", true},
		{"FirebaseCore", "10.22.0", false},
		{"FirebaseAnalytics", "~> 8.1.1-nightly", false},
		{"FirebaseAnalytics", "~> 8.1.1", true},
		{"FirebaseAnalytics", "~> 10.21", false},
		{"FirebaseAnalytics", "~> 10.21.0", true},
		{"FirebaseAnalytics", "~> 9", true},
		{"FirebaseAnalytics", ">= 8.0", false},
		{"FirebaseAnalytics", ">= 8.0, < 10.22", true},
		{"FirebaseAnalytics", "", false},
		{"FirebaseAnalytics", "$IOS_FIREBASE_VERSION", false},
		{"OneSignalXCFramework", "3.12.7", true},
		{"OneSignalXCFramework", "3.12.8", false},
		{"OneSignalXCFramework", "5.0.4", true},
		{"OneSignalXCFramework", "~> 3.12", false},
		{"OneSignalXCFramework", ">= 5.0.0, <= 5.0.4", true},
		{"FBSDKLoginKit", "~> 16.1", true},
		{"GoogleSignIn", "~> 7.0", false},
		{"GoogleSignIn", "~> 7.0.0", true},
		{"AFNetworking", "~> 4.0", true},
		{"AFNetworking", "", true},
		{"Capacitor", "5.7.2", true},
	} {
		l, ok := privacy.OfPod(test.pod)
		if !ok {
			t.Fatalf("%s is no library", test.pod)
		}
		if _, got := l.LacksAll(test.requirement); got != test.want {
			t.Errorf("%s %q has no manifest: %v, want %v", test.pod, test.requirement, got, test.want)
		}
	}
	if _, ok := privacy.OfPod("SomethingElse"); ok {
		t.Error("a pod that nobody knows is a library")
	}
	l, _ := privacy.OfPod("OneSignal")
	if got := l.First(policy.Version{Major: 5}); got != (policy.Version{Major: 5, Patch: 5}) {
		t.Errorf("the first version after 5.0.0 is %v", got)
	}
}
