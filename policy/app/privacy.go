package app

import (
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/native"
)

// PrivacyManifest is a privacy manifest of the app for iOS: a PrivacyInfo.xcprivacy,
// or what the <privacy-manifest> of config.xml holds for one.
type PrivacyManifest struct {
	// File is the file that it stands in.
	File
	// Value is what it holds, nil where that cannot be read or does not count.
	Value *native.Value
	// Place is where it begins.
	Place policy.Place
	// Wrong says in a clause why it cannot be read.
	Wrong string
	// Ignored says in a clause why the tools pass over it.
	Ignored string
	// Element says that it is a <privacy-manifest>, which cordova-ios 7.1.0 and later
	// reads; Generated that tools write the file from other places.
	Element, Generated bool
}

// Library is a library of others for iOS that a plugin asks for or brings.
type Library struct {
	// Name is the pod's name, or the framework's.
	Name string
	// Spec is the version that is asked for, as CocoaPods reads it, or "".
	Spec string
	// Installed is the version that a Podfile.lock has, or "".
	Installed string
	// Bundled says that its files lie in the plugin's folder, Manifest that a privacy
	// manifest is among them.
	Bundled, Manifest bool
	// Plugin is who brings it, Version the plugin's version or "".
	Plugin, Version string
	// Place is where that is written.
	Place policy.Place
}
