package lint

// standards says which weaknesses and controls rules are about.
var standards = []named{
	// What travels in cleartext, or weakly encrypted.
	{[]int{319}, "NETWORK-1", "0026", `cleartext-origin scheme-missing launch-external-cleartext ats-disabled
		ats-arbitrary-loads target-sdk-cleartext manifest-cleartext capacitor-cleartext source-cleartext-url
		source-cleartext-script csp-cleartext-source cleartext-app-scheme mixed-content ats-exception-cleartext
		ats-partly-off nsc-cleartext-base nsc-cleartext-domain source-basic-auth capacitor-mixed-content`},
	{[]int{326}, "NETWORK-1", "", "weak-tls"},
	// Whose certificates count.
	{[]int{295}, "NETWORK-1", "0027", `plugin-accepts-any-certificate source-tls-check-off nsc-user-authorities
		nsc-debug-overrides`},
	{[]int{297}, "", "", "source-tls-check-off"},
	{[]int{295}, "NETWORK-2", "0028", `pin-invalid pin-no-backup pin-host-not-listed pin-not-served
		pinned-without-certificate certificate-elsewhere pins-of-http-plugin ats-config-file-wiped nsc-pin-backup`},
	{[]int{298, 324}, "NETWORK-2", "0028", "pin-expired pin-expires-soon nsc-pins-expired nsc-pins-expire-soon"},
	// Whose pages run beside native code.
	{[]int{749, 829}, "PLATFORM-2", "0033 0035", `navigation-catch-all remote-navigation-with-plugins
		bridge-open bridge-remote-origin bridge-frame-remote
		capacitor-navigation-any navigation-swallows-intent`},
	{[]int{749}, "PLATFORM-2", "0033", "app-bound-domains-wider"},
	{[]int{829}, "PLATFORM-2 CODE-4", "0035", `remote-start-page capacitor-server-url content-lists-host`},
	{[]int{353, 494, 829}, "CODE-4", "0049", "source-remote-script"},
	{[]int{829}, "PLATFORM-2", "0035", "source-cleartext-script"},
	{[]int{200, 669}, "PLATFORM-2 STORAGE-2", "0034", "insecure-file-mode"},
	{[]int{346}, "PLATFORM-2", "", "websecurity-disabled app-scheme-refused app-scheme-taken app-host-real"},
	{[]int{346}, "", "", "native-request-needs-cors"},
	// What the list lets in beside what was meant.
	{[]int{183}, "PLATFORM-2 CODE-4", "0035", `access-catch-all public-suffix-wildcard shared-hosting-wildcard
		capacitor-access-any capacitor-access-default
		launch-external-grants entry-cut entry-rewritten wildcard-top-level port-read-as-scheme`},
	{[]int{183, 777}, "PLATFORM-2 CODE-4", "0035", "expression-unanchored"},
	{[]int{291}, "NETWORK-1", "", "ip-literal"},
	{[]int{1007}, "CODE-4", "", "mixed-script-host punycode-lookalike"},
	{[]int{176}, "CODE-4", "", "idn-not-converted"},
	// What pages may start.
	{[]int{183, 927}, "PLATFORM-1", "0032", "intent-catch-all intent-any-website intent-dangerous-scheme"},
	{[]int{926}, "PLATFORM-1", "0018", "exported-component"},
	{[]int{939}, "PLATFORM-1", "0029", "custom-scheme"},
	// What looks like protection and gives none.
	{[]int{693}, "PLATFORM-2", "", `access-no-effect kinds-bypass-list entry-dropped unreachable-rule
		entry-without-effect entry-not-strict entry-unverified subdomains-ignored unknown-platform-scope misplaced-entry
		unknown-list-element missing-attribute uri-attribute blank-in-entry whitelist-plugin-missing
		platform-enforces-nothing source-host-not-listed capacitor-mask-useless prepare-fails suppression-invalid
		suppression-unused file-not-read app-bound-domains-invalid pages-not-found facts-unknown config-switched
		capacitor-app-bound app-bound-domains-closed app-bound-own-pages app-bound-limit-idle app-bound-domains-effect
		capacitor-http-bypasses-csp capacitor-interceptor`},
	{[]int{693}, "NETWORK-1", "", `ats-key-never-matches ats-key-unread manifest-attribute-misplaced nsc-domain-useless
		nsc-invalid nsc-not-read`},
	{[]int{693}, "CODE-4", "", "built-config-differs built-config-wider package-differs hook-not-judged"},
	{[]int{1041}, "", "", "duplicate-rule shadowed-rule"},
	// What pages allow themselves.
	{[]int{79, 693}, "PLATFORM-2 CODE-4", "0035", `csp-missing csp-not-on-start-page csp-missing-on-page csp-report-only
		csp-outside-head csp-after-content csp-ignored-directive csp-repeated-directive csp-unknown-directive
		csp-unquoted-keyword csp-stronger-than-list csp-no-base-uri csp-nonce`},
	{[]int{79}, "PLATFORM-2 CODE-4", "0035", "csp-unsafe-inline csp-unsafe-inline-style csp-data-script"},
	{[]int{79, 95}, "PLATFORM-2 CODE-4", "0035", "csp-unsafe-eval"},
	{[]int{183}, "PLATFORM-2 CODE-4", "0035", "csp-wildcard csp-media-any csp-weaker-than-list"},
	// What the package or the device holds.
	{[]int{798}, "STORAGE-1", "0004", `secret-in-config source-embedded-key source-userinfo userinfo-in-entry`},
	{[]int{522}, "AUTH-1", "", "source-basic-auth"},
	{[]int{598}, "AUTH-1 STORAGE-2", "", "source-token-in-query"},
	{[]int{312, 922}, "STORAGE-1", "0001", "source-token-in-storage"},
	{[]int{212}, "STORAGE-2", "0006", "app-backup"},
	{[]int{532}, "STORAGE-2", "0005", "capacitor-logging"},
	{[]int{693}, "PLATFORM-2 STORAGE-2", "", "capacitor-cookies"},
	// What the app says about the data that it collects.
	{[]int{359}, "PRIVACY-3", "0073 0074", "privacy-manifest-invalid privacy-manifest-ignored"},
	{[]int{359}, "PRIVACY-3", "0074", "privacy-tracking-domain"},
	{[]int{359}, "PRIVACY-3", "0073", "privacy-framework"},
	// What is left over from development, or from years ago.
	{[]int{489}, "RESILIENCE-3", "0061", "development-host"},
	{[]int{489}, "RESILIENCE-4 PLATFORM-2", "0063", "inspectable-webview manifest-debuggable"},
	{[]int{1104}, "CODE-3", "0046", "retired-plugin whitelist-plugin-obsolete"},
}

// masvsTitles are the controls of MASVS 2.1.0 (github.com/OWASP/masvs).
var masvsTitles = map[string]string{
	"MASVS-STORAGE-1": "The app securely stores sensitive data.",
	"MASVS-STORAGE-2": "The app prevents leakage of sensitive data.",
	"MASVS-AUTH-1": "The app uses secure authentication and authorization protocols and follows the " +
		"relevant best practices.",
	"MASVS-NETWORK-1":    "The app secures all network traffic according to the current best practices.",
	"MASVS-NETWORK-2":    "The app performs identity pinning for all remote endpoints under the developer's control.",
	"MASVS-PLATFORM-1":   "The app uses IPC mechanisms securely.",
	"MASVS-PLATFORM-2":   "The app uses WebViews securely.",
	"MASVS-PLATFORM-3":   "The app uses the user interface securely.",
	"MASVS-CODE-1":       "The app requires an up-to-date platform version.",
	"MASVS-CODE-3":       "The app only uses software components without known vulnerabilities.",
	"MASVS-CODE-4":       "The app validates and sanitizes all untrusted inputs.",
	"MASVS-RESILIENCE-3": "The app implements anti-static analysis mechanisms.",
	"MASVS-RESILIENCE-4": "The app implements anti-dynamic analysis techniques.",
	"MASVS-PRIVACY-1":    "The app minimizes access to sensitive data and resources.",
	"MASVS-PRIVACY-3":    "The app is transparent about data collection and usage.",
}

// masweTitles are weaknesses of MASWE 1.0.0, whose numbers are not those of its
// beta (github.com/OWASP/maswe, pull request 182).
var masweTitles = map[string]string{
	"MASWE-0001": "Sensitive Data Stored Unencrypted in Private Storage",
	"MASWE-0004": "Sensitive Data Hardcoded in the App Package",
	"MASWE-0005": "Insertion of Sensitive Data into Logs",
	"MASWE-0006": "Sensitive Data Not Excluded From Backup",
	"MASWE-0018": "Lack of Authentication or Authorization on App Components",
	"MASWE-0026": "Network Traffic Not Encrypted",
	"MASWE-0027": "Insecure Certificate Validation",
	"MASWE-0028": "Insecure Identity Pinning",
	"MASWE-0029": "Insecure Deep Links",
	"MASWE-0032": "Insecure Intents",
	"MASWE-0033": "Sensitive Native Functionality Exposed in WebViews",
	"MASWE-0034": "WebViews Allow Access to Local Resources with Untrusted Content",
	"MASWE-0035": "WebViews Loading Untrusted Content",
	"MASWE-0044": "Dependencies with Known Vulnerabilities",
	"MASWE-0046": "Use of Deprecated APIs or Functionality",
	"MASWE-0049": "Unsafe Dynamic Code Loading",
	"MASWE-0050": "Unsafe Handling of Untrusted Data",
	"MASWE-0061": "Debug Artifacts Not Removed",
	"MASWE-0063": "Debug Mechanisms Not Disabled",
	"MASWE-0073": "Inadequate Data Collection Declarations",
	"MASWE-0074": "Inadequate Tracking Domains Declarations",
}

// masweCategory returns the part of MASWE that a number belongs to.
func masweCategory(id string) string {
	for _, part := range []struct{ last, name string }{
		{"MASWE-0006", "MASVS-STORAGE"}, {"MASWE-0017", "MASVS-CRYPTO"}, {"MASWE-0025", "MASVS-AUTH"},
		{"MASWE-0028", "MASVS-NETWORK"}, {"MASWE-0040", "MASVS-PLATFORM"}, {"MASWE-0050", "MASVS-CODE"},
		{"MASWE-0065", "MASVS-RESILIENCE"},
	} {
		if id <= part.last {
			return part.name
		}
	}
	return "MASVS-PRIVACY"
}

// cweTitles are entries of CWE (cwe.mitre.org).
var cweTitles = map[string]string{
	"CWE-79":   "Improper Neutralization of Input During Web Page Generation ('Cross-site Scripting')",
	"CWE-95":   "Improper Neutralization of Directives in Dynamically Evaluated Code ('Eval Injection')",
	"CWE-176":  "Improper Handling of Unicode Encoding",
	"CWE-183":  "Permissive List of Allowed Inputs",
	"CWE-200":  "Exposure of Sensitive Information to an Unauthorized Actor",
	"CWE-212":  "Improper Removal of Sensitive Information Before Storage or Transfer",
	"CWE-291":  "Reliance on IP Address for Authentication",
	"CWE-295":  "Improper Certificate Validation",
	"CWE-297":  "Improper Validation of Certificate with Host Mismatch",
	"CWE-298":  "Improper Validation of Certificate Expiration",
	"CWE-312":  "Cleartext Storage of Sensitive Information",
	"CWE-319":  "Cleartext Transmission of Sensitive Information",
	"CWE-324":  "Use of a Key Past its Expiration Date",
	"CWE-326":  "Inadequate Encryption Strength",
	"CWE-346":  "Origin Validation Error",
	"CWE-353":  "Missing Support for Integrity Check",
	"CWE-359":  "Exposure of Private Personal Information to an Unauthorized Actor",
	"CWE-489":  "Active Debug Code",
	"CWE-494":  "Download of Code Without Integrity Check",
	"CWE-522":  "Insufficiently Protected Credentials",
	"CWE-532":  "Insertion of Sensitive Information into Log File",
	"CWE-598":  "Use of GET Request Method With Sensitive Query Strings",
	"CWE-669":  "Incorrect Resource Transfer Between Spheres",
	"CWE-693":  "Protection Mechanism Failure",
	"CWE-749":  "Exposed Dangerous Method or Function",
	"CWE-777":  "Regular Expression without Anchors",
	"CWE-798":  "Use of Hard-coded Credentials",
	"CWE-829":  "Inclusion of Functionality from Untrusted Control Sphere",
	"CWE-922":  "Insecure Storage of Sensitive Information",
	"CWE-926":  "Improper Export of Android Application Components",
	"CWE-927":  "Use of Implicit Intent for Sensitive Communication",
	"CWE-939":  "Improper Authorization in Handler for Custom URL Scheme",
	"CWE-940":  "Improper Verification of Source of a Communication Channel",
	"CWE-1007": "Insufficient Visual Distinction of Homoglyphs Presented to User",
	"CWE-1041": "Use of Redundant Code",
	"CWE-1104": "Use of Unmaintained Third Party Components",
	"CWE-1188": "Initialization of a Resource with an Insecure Default",
}
