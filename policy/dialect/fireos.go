package dialect

import (
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// compileFireOS reads a document as cordova-amazon-fireos does, a port of
// cordova-android whose list class is the same byte for byte: that of Android
// 3.1.0 up to 3.3, of 3.3.0 in 3.4, of 3.5.0 in 3.5 and of 3.6.4 from 3.6 on. In
// 3.6 a listed http or https page opens before plugins are asked; no verdict
// depends on it. There is no step as that of Android 3.5.1.
func compileFireOS(doc *configxml.Document, t policy.Target) (policy.Spec, error) {
	var android policy.Version
	switch {
	case t.Version.AtLeast(3, 6, 0):
		android = v(3, 6, 4)
	case t.Version.AtLeast(3, 5, 0):
		android = v(3, 5, 0)
	default:
		android = v(3, 1, 0)
	}
	r := &androidReader{doc: doc, platform: "amazon-fireos", version: android, uri: androidURI19}
	if t.OS.AtLeast(7, 0, 0) { // Fire OS 7 is made from Android 9
		r.uri = androidURI29
	}
	// Fire OS 1 is made from Android 2.3; 2 and 3 from 4.0 and 4.2.
	r.unchecked = olderThan(t.OS, v(2, 0, 0))
	return r.compile(), nil
}
