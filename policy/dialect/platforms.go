package dialect

import "github.com/cordon-sec/cordon/policy"

// v is short for a version in the tables of this package.
func v(major, minor, patch int) policy.Version {
	return policy.Version{Major: major, Minor: minor, Patch: patch}
}

// platforms is the table of all platforms, in the order of the documentation.
var platforms = []Platform{
	{
		Name: Strict, Title: "Cordon (the strict reading)", compile: compileCordon,
	},
	{
		Name: "android", Title: "Cordova Android", First: v(2, 0, 0), Latest: v(15, 1, 0),
		compile: compileAndroid, own: androidOwn, bridge: true,
		Breaks: []Break{
			{v(2, 0, 0), "origins are regular expressions; only hyperlinks are checked"},
			{v(2, 1, 0), "data: pages open"},
			{v(2, 4, 0), "pages in the folder of a remote start page open"},
			{v(2, 6, 0), "requests are checked too, unless the URL has a query or a fragment"},
			{v(2, 7, 0), "every http and https request is checked; origins may name other schemes"},
			{v(2, 9, 1), "a leading wildcard in an origin counts as subdomains; market: links are launched"},
			{v(3, 1, 0), "origins are URL patterns; the subdomains attribute is ignored"},
			{v(3, 5, 0), "schemes and hosts compare without regard to case"},
			{v(3, 5, 1), "an unlisted http or https link is blocked instead of launched"},
			{v(3, 6, 0), "launch-external makes an external list; everything else unlisted is blocked"},
			{v(4, 0, 0), "allow-navigation, allow-intent and access, each for its own purpose, by the " +
				"whitelist plugin"},
			{v(9, 0, 0), "the tables assume a device whose android.net.Uri has the corrections of 2018"},
			{v(10, 0, 0), "the list is built in; the web view's requests are never checked any more, launch-external " +
				"grants access"},
			{v(10, 1, 1), "file: pages are opened only in insecure file mode"},
			{v(11, 0, 0), "the app's own host name counts in lower case"},
		},
	},
	{
		Name: "ios", Title: "Cordova iOS", First: v(2, 0, 0), Latest: v(8, 1, 1),
		compile: compileIOS, own: iosOwn, bridge: true,
		Breaks: []Break{
			{v(2, 0, 0), "the list is a property list, which is not read here"},
			{v(2, 3, 0), "wildcards anywhere in a host; path and port ignored"},
			{v(2, 7, 0), "a scheme that an origin names is checked too"},
			{v(2, 8, 0), "an entry behind * no longer ends the app"},
			{v(3, 1, 0), "URL patterns, cut at the first character that does not fit"},
			{v(3, 5, 0), "schemes and hosts compare without regard to case"},
			{v(4, 0, 0), "allow-intent first, then allow-navigation; requests are never checked"},
			{v(4, 2, 0), "allow-navigation first, then allow-intent"},
			{v(6, 0, 0), "the app's own scheme is an implicit navigation"},
			{v(8, 0, 0), "schemes may have digits, dots and plus signs, in lower case only"},
		},
	},
	{
		Name: "capacitor-android", Title: "Capacitor Android", First: v(3, 0, 0), Latest: v(8, 4, 2),
		compile: compileCapacitorAndroid, own: capacitorAndroidOwn, bridge: true, Breaks: []Break{
			{v(3, 0, 0), "a page is the app's own if its URL holds the app's own anywhere; every frame of every page " +
				"reaches native code"},
			{v(4, 0, 0), "the bridge listens to the main frame of listed origins, unless one of them is not valid"},
			{v(4, 3, 0), "a page is the app's own if its URL begins with the app's own; CapacitorHttp is built in"},
			{v(4, 5, 0), "useLegacyBridge opens the bridge to every frame"},
			{v(4, 7, 2), "scheme and host tell the app's own pages; a link without a host ends the app"},
			{v(4, 8, 0), "links without a host are handed over"},
			{v(5, 0, 0), "data: pages open inside"},
			{v(5, 7, 7), "blob: pages open inside"},
			{v(6, 0, 0), "the own origin is https unless another is named; blob: pages are handed over"},
			{v(6, 1, 1), "blob: pages open inside"},
			{v(8, 0, 0), "Cordova plugins run on cordova-android 14"},
		},
	},
	{
		Name: "capacitor-ios", Title: "Capacitor iOS", First: v(3, 0, 0), Latest: v(8, 4, 2),
		compile: compileCapacitorIOS, own: capacitorIOSOwn, bridge: true, Breaks: []Break{
			{v(3, 0, 0), "a page is the app's own if its URL holds the app's own anywhere; of several wildcards in a " +
				"mask the later ones are taken at the wrong place"},
			{v(3, 2, 5), "every wildcard of a mask stands for one label"},
			{v(4, 0, 0), "a page is the app's own if its URL begins with the app's own"},
		},
	},
	{
		Name: "amazon-fireos", Title: "Cordova Amazon Fire OS", First: v(3, 0, 0), Latest: v(3, 6, 3),
		compile: compileFireOS, bridge: true, Breaks: []Break{
			{v(3, 0, 0), "as Android 3.1"},
			{v(3, 4, 0), "as Android 3.3"},
			{v(3, 5, 0), "as Android 3.5.0"},
			{v(3, 6, 0), "as Android 3.6"},
		},
	},
	{
		Name: "blackberry10", Title: "Cordova BlackBerry 10", First: v(2, 9, 0), Latest: v(3, 8, 0),
		compile: compileBlackBerry, Breaks: []Break{
			{v(2, 9, 0), "only the uri attribute is read"},
			{v(3, 1, 0), "origin is read too; the list is switched off by a preference instead of a feature's " +
				"parameter"},
			{v(3, 3, 0), "the file is read as UTF-8 instead of ASCII"},
			{v(3, 6, 0), "a user name in a URL ends at a slash"},
			{v(3, 8, 0), "a wildcard below a host is read as subdomains"},
		},
	},
	{
		Name: "wp7", Title: "Cordova Windows Phone 7", First: v(2, 0, 0), Latest: v(3, 7, 0),
		compile: compileWindowsPhone, Breaks: []Break{
			{v(2, 0, 0), "no list"},
			{v(2, 4, 0), "unanchored expressions; only navigation is checked"},
			{v(2, 9, 1), "elements count whatever their namespace; paths compare unescaped"},
			{v(3, 0, 0), "only elements without a namespace count"},
			{v(3, 1, 0), "elements count whatever their namespace"},
		},
	},
	{
		Name: "wp8", Title: "Cordova Windows Phone 8", First: v(2, 3, 0), Latest: v(3, 8, 2),
		compile: compileWindowsPhone, Breaks: []Break{
			{v(2, 3, 0), "no list"},
			{v(2, 4, 0), "unanchored expressions; only navigation is checked; * grants nothing"},
			{v(2, 5, 0), "* lets everything pass"},
			{v(2, 9, 1), "elements count whatever their namespace; paths compare unescaped"},
			{v(3, 0, 0), "only elements without a namespace count"},
			{v(3, 1, 0), "elements count whatever their namespace"},
		},
	},
	{
		Name: "windows", Title: "Cordova Windows", First: v(3, 0, 0), Latest: v(7, 0, 1), compile: compileWindows,
		Breaks: []Break{
			{v(3, 0, 0), "https origins become content rules of the package"},
			{v(4, 0, 0), "on Windows 10, allow-navigation becomes the content rules"},
		},
	},
	{
		Name: "tizen", Title: "Cordova Tizen", First: v(2, 0, 0), Latest: v(2, 5, 0), compile: compileTizen,
		Breaks: []Break{{v(2, 0, 0), "the widget runtime applies the W3C rule"}},
	},
	{
		Name: "w3c", Title: "W3C Widget Access Request Policy", compile: compileW3C,
	},
}
