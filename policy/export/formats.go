package export

// The formats, by the names that Find and cordon export take.
const (
	// CSP is a Content-Security-Policy: the one barrier that a web view itself
	// enforces on every kind of request, on every platform.
	//
	// A policy is made for a page. Connections, images, media, fonts and frames
	// follow the list; scripts and styles are limited to what the page uses,
	// for a list of hosts is no licence to run their code.
	CSP = "csp"
	// AndroidNSC is Android's Network Security Configuration (API 24 and
	// later): where cleartext is permitted, and the pins of each host. The
	// format shapes TLS; it cannot refuse a host.
	//
	// The rules that a reader of the file applies are those of
	// android.security.net.config: a host takes the configuration of its own
	// domain, else of the longest one above it that includes subdomains, and a
	// domain stands once in the whole file.
	AndroidNSC = "android-nsc"
	// IOSATS is the NSAppTransportSecurity dictionary of an iOS app's
	// Info.plist: where cleartext is permitted, the TLS floor, and pinned
	// domains (iOS 14 and later).
	//
	// It differs on purpose from what cordova-ios 8 derives by itself: an https
	// wildcard does not switch transport security off, and a line that only
	// launches other apps opens no cleartext. cordova-ios replaces the whole
	// dictionary at each prepare, so the export has to be written after each.
	IOSATS = "ios-ats"
	// IOSAppBound is WKAppBoundDomains of an iOS app's Info.plist: the domains whose
	// pages open in its web view and have the app's scripts (iOS 14 and later).
	//
	// Package appbound says what WebKit makes of it: ten domains at most, each with
	// all names below. The host of the app's own pages is among them.
	IOSAppBound = "ios-app-bound-domains"
	// PrivacyManifest is PrivacyInfo.xcprivacy, as far as it can be known: whether the
	// app contacts domains that track, and which. That is the developer's statement;
	// the domains that the app contacts at all stand in a comment.
	PrivacyManifest = "privacy-manifest"
	// DataSafety are the domains that the app contacts, encrypted or not, with the
	// lines that say so: what Google Play's data safety form asks about.
	DataSafety = "data-safety"
	// Capacitor is the server section of capacitor.config.json: allowNavigation
	// and cleartext.
	//
	// allowNavigation holds masks of host names (Capacitor 7, HostMask.java and
	// CAPBridgeViewController.swift): a mask has as many labels as the host,
	// "*" stands for one label, and a mask of a single label differs between
	// Android and iOS.
	Capacitor = "capacitor"
	// Electron are lists for an Electron app's main process: match patterns for
	// session.webRequest.onBeforeRequest, patterns for will-navigate, and what
	// shell.openExternal may be given. Cordova's Electron platform enforces
	// nothing of config.xml by itself.
	Electron = "electron"
	// PAC is a proxy auto-configuration script: covered hosts are reached
	// directly, everything else is sent to an address where nothing listens.
	// Browsers that are not behind a gateway enforce the list with it.
	//
	// The interface is FindProxyForURL(url, host), as browsers implement it;
	// for https they hide the path from the script.
	PAC = "pac"
	// Squid are access rules for the squid proxy (squid-cache 5 and later): one
	// group of destinations for each scheme and port, then deny all.
	Squid = "squid"
	// Envoy is the configuration of Envoy's HTTP role-based access control
	// filter (envoy.extensions.filters.http.rbac.v3), for an Envoy that is a
	// forward proxy: CONNECT for https and wss, absolute URLs for http.
	Envoy = "envoy"
	// ChromePolicy are the enterprise policies URLBlocklist and URLAllowlist of
	// Chrome and Chromium (chromeenterprise.google, "URL blocklist filter
	// format"): which pages a managed browser opens.
	ChromePolicy = "chrome-policy"
	// Hosts is a plain list of hosts, one a line: the least common denominator
	// of firewalls, DNS filters and proxies. "*.h" stands for the names below
	// h; "*" for every host.
	Hosts = "hosts"
)

// Exporter is a format with what writes it.
type Exporter struct {
	Format
	// Export writes the format as a file of its own.
	Export func(Source) Artifact
}

// Exporters returns every format, in the order of the documentation.
func Exporters() []Exporter {
	return []Exporter{
		{cspFormat, exportCSP},
		{nscFormat, exportNSC},
		{atsFormat, exportATS},
		{appBoundFormat, exportAppBound},
		{capacitorFormat, exportCapacitor},
		{electronFormat, exportElectron},
		{pacFormat, exportPAC},
		{squidFormat, exportSquid},
		{envoyFormat, exportEnvoy},
		{chromeFormat, exportChrome},
		{hostsFormat, exportHosts},
		{privacyFormat, exportPrivacy},
		{safetyFormat, exportSafety},
	}
}

// Find returns the format of that name, such as "android-nsc".
func Find(name string) (Exporter, bool) {
	for _, e := range Exporters() {
		if e.Name == name {
			return e, true
		}
	}
	return Exporter{}, false
}
