package needs

import (
	"bytes"
	"strings"

	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/policy/app"
)

// library is one that needs more than a page without it.
type library struct {
	// packages are its names in npm.
	packages []string
	// directives are those that need 'unsafe-inline'.
	directives []string
	// what is the end of the sentence that begins with the package.
	what string
	// signs are texts of which a built file that holds the library has one; they
	// name it, and grant nothing by themselves.
	signs []string
}

// libraries are those that put styles into pages at run time. Each was read in
// the release that the last column names.
var libraries = []library{
	// components/p-*.js: attachStyles and the visibility style, 8.4
	{packages: []string{"@ionic/core", "@ionic/angular", "@ionic/react", "@ionic/vue", "@stencil/core"},
		directives: []string{"style-src-elem"}, what: putsStyles, signs: []string{"ion-app", "ion-content"}},
	// fesm2022/platform-browser.mjs: SharedStylesHost; core.mjs: writeDirectStyle, 19.2
	{packages: []string{"@angular/platform-browser"}, directives: []string{"style-src-elem", "style-src-attr"},
		what: "puts style elements and style attributes into the " +
			"page", signs: []string{"ng-app-id", "_ngcontent-", "_nghost-"}},
	// styled-components/dist: makeStyleTag, 6.1
	{packages: []string{"styled-components"}, directives: []string{"style-src-elem"}, what: putsStyles,
		signs: []string{"data-styled"}},
	// @emotion/sheet: createStyleElement, 1.4
	{packages: []string{"@emotion/css", "@emotion/react", "@emotion/styled", "@mui/material", "@chakra-ui/react"},
		directives: []string{"style-src-elem"}, what: putsStyles, signs: []string{"data-emotion"}},
	// @lit/reactive-element/css-tag.js: adoptStyles, 2.1
	{packages: []string{"lit", "lit-element", "@lit/reactive-element"}, directives: []string{"style-src-elem"},
		what:  "puts style elements into the page where a web view has no constructable style sheets (iOS before 16.4)",
		signs: []string{"litNonce"}},
}

const putsStyles = "puts style elements into the page"

// inPackages lists what the libraries need that a package.json names.
func inPackages(file *app.File) []Need {
	root, err := jsonspan.Parse(file.Data)
	if err != nil {
		return nil // no file, or one that check complains about
	}
	var list []Need
	for _, section := range []string{"dependencies", "devDependencies"} {
		for _, m := range root.At(section).Members {
			for _, l := range libraries {
				for _, name := range l.packages {
					if m.Key != name {
						continue
					}
					for _, d := range l.directives {
						list = append(list, Need{Directive: d, Source: UnsafeInline, What: l.what, By: name,
							Place: file.Place(m.Start, m.Value.End)})
					}
				}
			}
		}
	}
	return list
}

// near is how far around a call its library's sign is looked for first.
const near = 400

// libraryAt names the library that code at an offset belongs to, "" where no
// sign tells.
func libraryAt(data []byte, at int) string {
	around := data[max(0, at-near):min(len(data), at+near)]
	for _, text := range [][]byte{around, data} {
		for _, l := range libraries {
			for _, sign := range l.signs {
				if bytes.Contains(text, []byte(sign)) {
					return l.packages[0]
				}
			}
		}
	}
	return ""
}

// isPlatform reports whether a file is the platform's own, whose JavaScript knows
// how to do without what a policy refuses, or Cordon's.
func isPlatform(name string) bool {
	return strings.HasSuffix("/"+name, "/cordova.js") || strings.Contains(name, "cordova-js-src/") ||
		strings.Contains("/"+name, "/plugins/cordova-plugin-cordon/")
}
