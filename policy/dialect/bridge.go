package dialect

import (
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/plugins"
)

// setBridge sets which pages may call native code: those in the main frame, and
// those in a frame of another page.
func setBridge(spec *policy.Spec, main, frame policy.Program) {
	spec.Programs[policy.Bridge] = main
	spec.Programs[policy.BridgeFrame] = frame
}

// noBridge is the answer of a platform whose bridge is not known here, and of
// what is no platform.
func noBridge(p Platform) policy.Program {
	if p.Latest.IsZero() {
		return policy.Program{Steps: []policy.Step{otherwise(policy.Block, policy.NoList)}}
	}
	return policy.Program{Steps: []policy.Step{otherwise(policy.Block, policy.Unverified)}}
}

// everyPage is a bridge that asks nobody: what the lists say is what they say of
// pages that are opened.
func everyPage(navigation []policy.Step) policy.Program {
	strict := make([]policy.Step, len(navigation))
	for i, step := range navigation {
		if strict[i] = step; step.Then != policy.Allow {
			strict[i].Then = policy.Block
		}
	}
	return policy.Program{Steps: []policy.Step{otherwise(policy.Allow, policy.NeverAsked)}, Strict: strict}
}

// withoutPlugins reports whether no native code answers a page: the app is known to
// have no plugin, and the platform brings none of its own.
//
// That is only so up to Android 2.9.0, where the app keeps the platform's own
// config.xml, which alone names plugins. Every later platform answers in each app:
// PluginManager itself on Android 2.9.1 and later, App on 3.0 to 3.7, CoreAndroid from
// 4.0 on, which opens pages and ends the app [PluginManager and CordovaWebView 2.9.1 -
// 3.7.0, CordovaWebViewImpl 4.0.0 - 15.0.0]; on iOS the plugins of the template:
// LocalStorage from 3.0 on, filters and handlers from 4.0 on, Console and LaunchScreen
// from 6.0 on, StatusBarInternal from 8.0 on [defaults.xml and config.xml 3.0.0 -
// 8.1.0], of which any method with one argument can be called [CDVCommandQueue].
func (r *androidReader) withoutPlugins() bool {
	if r.version.AtLeast(2, 9, 1) || !strings.HasSuffix(r.doc.Name(), "res/xml/config.xml") ||
		!r.doc.Ships() || len(r.doc.Unknown(r.platform)) > 0 {
		return false
	}
	for _, e := range r.top {
		if e.Name == "plugin" || e.Name == "plugins" || e.Name == "feature" {
			return false
		}
	}
	return true
}

// unplugged are the programs of an app without plugins.
func unplugged() policy.Program {
	return policy.Program{Steps: []policy.Step{otherwise(policy.Block, policy.NoPlugins)}}
}

// bridge decides who may call plugins on Android. In every version the object
// _cordovaNative stands in every frame of every page, and prompt reaches the app
// from every frame:
//
//   - up to 2.1 there is prompt alone, which listens to pages of the app and of the
//     list [CordovaChromeClient.onJsPrompt 2.0.0];
//   - from 2.2 to 3.5 the object listens to every page [ExposedJsApi 2.2.0 - 3.5.1];
//     it is there from Android 2.3 on, 3.0 to 3.2 excepted, and from 3.4 of the
//     platform on only from Android 4.2 on [CordovaWebView.exposeJsInterface];
//   - from 3.6 on both want a secret that prompt gives out: in 3.6 and 3.7 to file:
//     pages and to the origin of the page in the main frame, in 3.7 also to the app's
//     content provider [CordovaBridge.promptOnJsPrompt 3.6.0, 3.7.0];
//   - from 4.0 on to pages that the app could navigate to, in every frame
//     [PluginManager.shouldAllowBridgeAccess 4.0.0 - 15.0.0].
func (r *androidReader) bridge(spec *policy.Spec) {
	if r.withoutPlugins() {
		setBridge(spec, unplugged(), unplugged())
		return
	}
	both := policy.Program{}
	switch at := r.version.AtLeast; {
	case at(4, 0, 0):
		both.Steps = []policy.Step{
			r.listed(androidNavigations, policy.Allow),
			builtIn(policy.Allow, r.uri.startsWithAny(r.launchPrefix())),
		}
	case at(3, 6, 0):
		own := []string{"file:"}
		if at(3, 7, 0) {
			own = append(own, "content://"+r.doc.Root().Value("id")+".")
		}
		frame := []policy.Step{builtIn(policy.Allow, r.uri.startsWithAny(own...)),
			otherwise(policy.Block, policy.BuiltIn)}
		main := []policy.Step{builtIn(policy.Allow, r.uri.startsWithAny(append(own, "http")...)),
			otherwise(policy.Block, policy.BuiltIn)}
		strict := everyPage(spec.Programs[policy.Navigation].Steps).Strict
		setBridge(spec, policy.Program{Steps: main, Strict: strict}, policy.Program{Steps: frame})
		return
	case at(2, 2, 0) && r.exposed():
		both = everyPage(spec.Programs[policy.Navigation].Steps)
	default:
		own := []string{"file://"}
		if base := r.baseURL(); base != "" {
			own = append(own, base)
		}
		both.Steps = append([]policy.Step{builtIn(policy.Allow, r.uri.startsWithAny(own...))},
			spec.Programs[policy.Plugin].Steps...)
	}
	setBridge(spec, both, both)
}

// exposed reports whether the object is there on the device's system.
func (r *androidReader) exposed() bool {
	switch {
	case r.os.IsZero():
		return true
	case r.version.AtLeast(3, 4, 0):
		return r.os.AtLeast(4, 2, 0)
	}
	return r.os.AtLeast(2, 3, 0) && !(r.os.AtLeast(3, 0, 0) && !r.os.AtLeast(4, 0, 0))
}

// iosBridge decides who may call plugins on iOS. No version looks at who asks, and
// each has plugins of its own that answer (see withoutPlugins):
//
//   - up to 3.9 a request for /!gap_exec carries the call, from every frame whose
//     page has an address to ask relative to [CDVURLProtocol 2.3.0 - 3.9.2]; that of
//     2.0 to 2.2 is not known here;
//   - in 4 and 5 a link to gap: makes the app fetch the calls that the page in the
//     main frame has waiting, so that frames have none
//     [CDVUIWebViewNavigationDelegate 4.0.0 - 5.1.1]; a plugin may replace this web
//     view by WKWebView;
//   - with WKWebView, the only one from 6 on, a message handler stands in every frame
//     of every page [CDVWebViewEngine 6.0.0 - 8.1.0].
func iosBridge(spec *policy.Spec, doc *configxml.Document, t policy.Target) {
	every := everyPage(spec.Programs[policy.Navigation].Steps)
	switch at := t.Version.AtLeast; {
	case iosHasStopped(spec):
		setBridge(spec, spec.Programs[policy.Navigation], spec.Programs[policy.Navigation])
	case !at(2, 3, 0):
		unknown := policy.Program{Steps: []policy.Step{otherwise(policy.Block, policy.Unverified)}}
		setBridge(spec, unknown, unknown)
	case !at(4, 0, 0):
		frame := policy.Program{Steps: []policy.Step{
			{When: []policy.Test{schemeIs("http", "https", "file")}, Then: policy.Allow, Reason: policy.NeverAsked},
			otherwise(policy.Block, policy.Unverified),
		}, Strict: every.Strict}
		setBridge(spec, every, frame)
	case at(6, 0, 0) || hasWKWebView(doc):
		setBridge(spec, every, every)
	default:
		setBridge(spec, every, policy.Program{Steps: []policy.Step{otherwise(policy.Block, policy.BuiltIn)}})
	}
}

// iosHasStopped reports whether the app ends when it starts; see iosStopped.
func iosHasStopped(spec *policy.Spec) bool {
	steps := spec.Programs[policy.Navigation].Steps
	return len(steps) == 1 && len(steps[0].When) == 1 && steps[0].When[0].Algorithmic() && steps[0].Then == policy.Block
}

// hasWKWebView reports whether a plugin replaces the web view of 4 and 5.
func hasWKWebView(doc *configxml.Document) bool {
	const engine = "CDVWKWebViewEngine" // the class, by which a feature and a preference name it
	for _, e := range doc.For("ios") {
		name := e.Value("name")
		switch {
		case (e.Name == "plugin" || e.Name == "feature") && (name == engine || plugins.BringsWKWebView(name)):
			return true
		case e.Name == "preference" && name == "CordovaWebViewEngine" && e.Value("value") == engine:
			return true
		}
	}
	return false
}
