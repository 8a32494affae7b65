// Package privacy knows Apple's privacy manifests (PrivacyInfo.xcprivacy): which
// keys and values they may hold, and which libraries of others have to bring one.
//
// The tables are Apple's: "Privacy manifest files", "Describing use of required
// reason API" and "Describing data use in privacy manifests" of
// developer.apple.com/documentation/bundleresources; the technical notes TN3181
// (what makes a manifest invalid), TN3182, TN3183 and TN3184; and "Third-party SDK
// requirements" (developer.apple.com/support/third-party-SDK-requirements), as they
// were in November 2026. App Store Connect refuses an app with an invalid manifest
// (ITMS-91056), and one whose listed libraries have none (ITMS-91061).
//
// The package is pure, and its functions are safe for concurrent use.
package privacy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/native"
)

// FileName is the name of a privacy manifest.
const FileName = "PrivacyInfo.xcprivacy"

// The keys of a privacy manifest.
const (
	Tracking        = "NSPrivacyTracking"
	TrackingDomains = "NSPrivacyTrackingDomains"
	AccessedAPIs    = "NSPrivacyAccessedAPITypes"
	CollectedData   = "NSPrivacyCollectedDataTypes"
)

// Domains returns the entries of NSPrivacyTrackingDomains that are strings.
func Domains(manifest *native.Value) []*native.Value {
	var list []*native.Value
	if domains := manifest.Get(TrackingDomains); domains != nil {
		for _, item := range domains.Items {
			if item.Type == native.TypeString {
				list = append(list, item)
			}
		}
	}
	return list
}

// CheckDomain says why a text is no tracking domain, "" if it is one: a name alone,
// as TN3181 has it.
func CheckDomain(text string) string {
	_, why := ReadDomain(text)
	return why
}

// ReadDomain returns a tracking domain in its normal form, or says why a text is none.
func ReadDomain(text string) (domain, why string) {
	switch {
	case text == "":
		return "", "it is empty"
	case strings.Contains(text, "://"):
		return "", "a scheme is not part of a domain"
	case strings.ContainsAny(text, "/?#"):
		return "", "a path is not part of a domain"
	case strings.Contains(text, "*"):
		return "", "there are no wildcards"
	case strings.Contains(text, ":"):
		return "", "a port is not part of a domain"
	}
	name, err := host.Parse(text)
	switch {
	case err != nil:
		return "", "it is not a name"
	case name.Addr().IsValid():
		return "", "an address is not a domain"
	}
	return name.String(), ""
}

// Check returns what makes a privacy manifest invalid.
func Check(manifest *native.Value) []native.Problem {
	c := &checker{}
	if manifest.Type != native.TypeDict {
		c.wrong(manifest.Place, "a privacy manifest must hold a dictionary")
		return c.problems
	}
	for _, e := range manifest.Entries {
		switch e.Key {
		case Tracking:
			c.boolean(e)
		case TrackingDomains:
			c.domains(e)
		case AccessedAPIs:
			c.each(e, c.accessed)
		case CollectedData:
			c.each(e, c.collected)
		default:
			c.wrong(e.Place, "there is no key %q in a privacy manifest", e.Key)
		}
	}
	c.contradiction(manifest)
	return c.problems
}

type checker struct{ problems []native.Problem }

func (c *checker) wrong(at policy.Place, format string, args ...any) {
	c.problems = append(c.problems, native.Problem{Place: at, Msg: fmt.Sprintf(format, args...)})
}

func (c *checker) boolean(e native.Entry) {
	if e.Value.Type != native.TypeBool {
		c.wrong(e.Value.Place, "%s must be true or false", e.Key)
	}
}

func (c *checker) domains(e native.Entry) {
	if e.Value.Type != native.TypeArray {
		c.wrong(e.Value.Place, "%s must be an array of strings", e.Key)
		return
	}
	for _, item := range e.Value.Items {
		if item.Type != native.TypeString {
			c.wrong(item.Place, "an entry of %s must be a string", e.Key)
		} else if why := CheckDomain(item.Text); why != "" {
			c.wrong(item.Place, "%q is not a tracking domain: %s", item.Text, why)
		}
	}
}

// contradiction finds the two statements about tracking that exclude each other.
func (c *checker) contradiction(manifest *native.Value) {
	says, domains := manifest.Get(Tracking), manifest.Get(TrackingDomains)
	if domains != nil && domains.Type != native.TypeArray {
		return
	}
	tracks := says != nil && says.Type == native.TypeBool && says.Bool
	some := domains != nil && len(domains.Items) > 0
	switch {
	case tracks && !some:
		c.wrong(says.Place, "%s is true, so %s must name a domain at least", Tracking, TrackingDomains)
	case some && !tracks && (says == nil || says.Type == native.TypeBool):
		c.wrong(domains.Place, "%s names domains, so %s must be true", TrackingDomains, Tracking)
	}
}

// each visits the dictionaries of an array.
func (c *checker) each(e native.Entry, visit func(*native.Value)) {
	if e.Value.Type != native.TypeArray {
		c.wrong(e.Value.Place, "%s must be an array of dictionaries", e.Key)
		return
	}
	for _, item := range e.Value.Items {
		if item.Type != native.TypeDict {
			c.wrong(item.Place, "an entry of %s must be a dictionary", e.Key)
			continue
		}
		visit(item)
	}
}

// only finds keys that a dictionary must not have, and those that it must.
func (c *checker) only(dict *native.Value, keys ...string) {
	for _, e := range dict.Entries {
		if !slices.Contains(keys, e.Key) {
			c.wrong(e.Place, "there is no key %q in this dictionary; it must hold %s", e.Key, strings.Join(keys, ", "))
		}
	}
	for _, key := range keys {
		if dict.Get(key) == nil {
			c.wrong(dict.Place, "the dictionary must have the key %s", key)
		}
	}
}

func (c *checker) accessed(dict *native.Value) {
	const category, codes = "NSPrivacyAccessedAPIType", "NSPrivacyAccessedAPITypeReasons"
	c.only(dict, category, codes)
	of := dict.Get(category)
	allowed, known := []string(nil), false
	if of != nil {
		if allowed, known = reasons[of.Text]; !known || of.Type != native.TypeString {
			c.wrong(of.Place, "%s must be one of %s, not %q", category, strings.Join(categories(), ", "), of.Text)
		}
	}
	c.strings(dict.Get(codes), codes, func(code *native.Value) {
		if known && !slices.Contains(allowed, code.Text) {
			c.wrong(code.Place, "%q is not a reason for %s%s; it must be one of %s", code.Text, of.Text,
				belongs(code.Text), strings.Join(allowed, ", "))
		}
	})
}

// belongs says which category a reason is for, if it is one of another one.
func belongs(code string) string {
	for _, category := range categories() {
		if slices.Contains(reasons[category], code) {
			return " but for " + category
		}
	}
	return ""
}

func (c *checker) collected(dict *native.Value) {
	const kind, purposes = "NSPrivacyCollectedDataType", "NSPrivacyCollectedDataTypePurposes"
	flags := []string{"NSPrivacyCollectedDataTypeLinked", "NSPrivacyCollectedDataTypeTracking"}
	c.only(dict, kind, flags[0], flags[1], purposes)
	if v := dict.Get(kind); v != nil && (v.Type != native.TypeString || !slices.Contains(dataTypes, v.Text)) {
		c.wrong(v.Place, "there is no type of collected data %q", v.Text)
	}
	for _, flag := range flags {
		if v := dict.Get(flag); v != nil && v.Type != native.TypeBool {
			c.wrong(v.Place, "%s must be true or false", flag)
		}
	}
	c.strings(dict.Get(purposes), purposes, func(purpose *native.Value) {
		if !slices.Contains(dataPurposes, purpose.Text) {
			c.wrong(purpose.Place, "there is no purpose %q; it must be one of %s", purpose.Text,
				strings.Join(dataPurposes, ", "))
		}
	})
}

// strings visits the strings of an array that must not be empty.
func (c *checker) strings(v *native.Value, key string, visit func(*native.Value)) {
	switch {
	case v == nil: // which is said already
	case v.Type != native.TypeArray:
		c.wrong(v.Place, "%s must be an array of strings", key)
	case len(v.Items) == 0:
		c.wrong(v.Place, "%s must not be empty", key)
	default:
		for _, item := range v.Items {
			if item.Type != native.TypeString {
				c.wrong(item.Place, "an entry of %s must be a string", key)
				continue
			}
			visit(item)
		}
	}
}
