package project

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// variable is a variable of a plugin: <preference name> of its plugin.xml.
type variable struct {
	name string
	// platform is that of the <platform> which declares it, "" for every one.
	platform string
	value    string
	// unset says why the value is not known, "" if it is.
	unset string
}

// variablesOf lists the variables of a plugin in the order in which Cordova's tools put
// their values in (cordova-common 6.0.0, PluginInfo.getPreferences; cordova-lib 12.0.2,
// variable-merge.js): the values that the project gives, else the defaults that the
// plugin gives. What the project gives and the plugin does not declare is put nowhere.
// Capacitor knows the defaults alone: beside a configuration of Capacitor's, a value that
// is given and another one than the default is not known, since both may ship.
func (r *pluginReader) variablesOf(doc *configxml.Document, n *named) []variable {
	var list []variable
	doc.Scoped(func(e *configxml.Element, platform string) {
		name := strings.ToUpper(e.Value("name"))
		if e.Name != "preference" || name == "" {
			return
		}
		v := variable{name: name, platform: platform, value: e.Value("default")}
		given, ok := n.variables[name]
		switch ok = ok && !r.capacitorAlone(); {
		case ok && given != v.value && hasCapacitor(r.fsys):
			v.unset = fmt.Sprintf("the variable %s of the plugin %s is given a value that Capacitor does not read: it "+
				"takes the default", name, n.id)
		case ok:
			v.value = given
		case v.value == "":
			v.unset = fmt.Sprintf("the variable %s of the plugin %s is given no value, and has no default", name, n.id)
		}
		if strings.ContainsAny(v.value, "<&\"$") { // which is put in as it is
			v.unset = fmt.Sprintf("the value of the variable %s of the plugin %s has markup or a $ in it", name, n.id)
		}
		list = append(list, v)
	})
	return append(list, r.packageNames()...)
}

// capacitorAlone reports whether the project is Capacitor's and has no config.xml.
func (r *reader) capacitorAlone() bool {
	return r.project.Config == nil && len(r.project.Capacitor.Data) > 0
}

// packageNames are what $PACKAGE_NAME stands for, which the tools themselves give.
func (r *reader) packageNames() []variable {
	const name = "PACKAGE_NAME"
	if r.project.Config == nil {
		return []variable{{name: name, value: "${applicationId}"}}
	}
	var list []variable
	root := r.project.Config.Root()
	for _, platform := range []string{"android", "ios"} {
		list = append(list, variable{name: name, platform: platform, value: packageName(root, platform)})
	}
	return list
}

// packageName is the name of the app on a platform, as Cordova's tools take it from the
// root of a config.xml.
func packageName(root *configxml.Element, platform string) string {
	own := "android-packageName"
	if platform == "ios" {
		own = "ios-CFBundleIdentifier"
	}
	return cmp.Or(root.Value(own), root.Value("id"))
}

// variablesOn returns the variables that count for elements of a platform, each once: what is
// declared last wins. One of an element for every platform may have another value on
// each, and is not known then.
func variablesOn(platform string, variables []variable) []variable {
	var list []variable
	for _, v := range variables {
		if v.platform != "" && platform != "" && v.platform != platform {
			continue
		}
		switch i := slices.IndexFunc(list, func(have variable) bool { return have.name == v.name }); {
		case i < 0:
			list = append(list, v)
		case platform == "" && list[i].value != v.value:
			list[i].unset = "the variable " + v.name + " has another value on another platform"
		default:
			list[i].value, list[i].unset = v.value, v.unset
		}
	}
	return list
}

// putVariables puts the values into the elements that <config-file> and <edit-config>
// hold, as Cordova's tools do, one variable after the other, wherever its name stands; and
// into the versions of pods (cordova-ios 7.0.0, lib/Api.js, getVariableSpec).
func (f *pluginFile) putVariables(variables []variable) error {
	grown, unset := 0, map[int]string{}
	made := f.Replaced(func(e *configxml.Element, text string) string {
		if !strings.Contains(text, "$") || grown > MaxManifest {
			return text
		}
		platform, carried := carriedFor(e)
		if !carried {
			return text
		}
		for _, v := range variablesOn(platform, variables) {
			switch {
			case !strings.Contains(text, "$"+v.name):
			case v.unset != "":
				unset[e.Start] = v.unset
			default:
				if grown += len(text) + strings.Count(text, "$"+v.name)*len(v.value); grown > MaxManifest {
					return ""
				}
				text = strings.ReplaceAll(text, "$"+v.name, v.value)
			}
		}
		return text
	})
	if grown > MaxManifest {
		return errors.New("the values of its variables are too long")
	}
	f.Document, f.unset = made, unset
	return nil
}

// carriedFor reports whether an element stands in a <config-file> or <edit-config>, or is
// a pod, and for which platform that is.
func carriedFor(e *configxml.Element) (platform string, carried bool) {
	carried = e.Name == "pod" || e.Name == "framework"
	for e = e.Parent; e != nil; e = e.Parent {
		switch e.Name {
		case "config-file", "edit-config":
			carried = true
		case "platform":
			if carried && e.Parent != nil && e.Parent.Parent == nil {
				platform = e.Value("name")
			}
		}
	}
	return platform, carried
}

// variableText is the text of a variable's value in JSON, as JavaScript writes it.
func variableText(v jsonspan.Value) (string, bool) {
	switch value := v.Scalar.(type) {
	case string:
		return value, true
	case bool:
		return strconv.FormatBool(value), true
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64), true
	}
	return "", false
}
