package dialect

import "github.com/cordon-sec/cordon/policy/configxml"

// Unknown returns what could not be established about what ships on a platform. The
// strict reading is about the app on all of them: what may stand in the list of one
// matters to it, and what a platform makes of the list does not.
func Unknown(doc *configxml.Document, platform string) []configxml.Unknown {
	if platform != Strict {
		return doc.Unknown(platform)
	}
	var list []configxml.Unknown
	for _, u := range doc.Unknowns() {
		if !u.Reading {
			list = append(list, u)
		}
	}
	return list
}
