package privacy

import (
	"maps"
	"slices"
)

// reasons are the categories of required reason API with the codes of the reasons
// that may be given for each ("Describing use of required reason API").
var reasons = map[string][]string{
	"NSPrivacyAccessedAPICategoryActiveKeyboards": {"3EC4.1", "54BD.1"},
	"NSPrivacyAccessedAPICategoryDiskSpace":       {"7D9E.1", "85F4.1", "B728.1", "E174.1"},
	"NSPrivacyAccessedAPICategoryFileTimestamp":   {"0A2A.1", "3B52.1", "C617.1", "DDA9.1"},
	"NSPrivacyAccessedAPICategorySystemBootTime":  {"35F9.1", "3D61.1", "8FFB.1"},
	"NSPrivacyAccessedAPICategoryUserDefaults":    {"1C8F.1", "AC6B.1", "C56D.1", "CA92.1"},
}

// categories returns the categories, sorted.
func categories() []string { return slices.Sorted(maps.Keys(reasons)) }

// dataTypes are the types of collected data ("Describing data use in privacy
// manifests").
var dataTypes = prefixed("NSPrivacyCollectedDataType",
	"Name", "EmailAddress", "PhoneNumber", "PhysicalAddress", "OtherUserContactInfo",
	"Health", "Fitness",
	"PaymentInfo", "CreditInfo", "OtherFinancialInfo",
	"PreciseLocation", "CoarseLocation",
	"SensitiveInfo", "Contacts",
	"EmailsOrTextMessages", "PhotosorVideos", "AudioData", "GameplayContent", "CustomerSupport", "OtherUserContent",
	"BrowsingHistory", "SearchHistory",
	"UserID", "DeviceID",
	"PurchaseHistory",
	"ProductInteraction", "AdvertisingData", "OtherUsageData",
	"CrashData", "PerformanceData", "OtherDiagnosticData",
	"EnvironmentScanning", "Hands", "Head",
	"OtherDataTypes")

// dataPurposes are the reasons for which data may be collected (the same page).
var dataPurposes = prefixed("NSPrivacyCollectedDataTypePurpose", "ThirdPartyAdvertising", "DeveloperAdvertising",
	"Analytics", "ProductPersonalization", "AppFunctionality", "Other")

func prefixed(prefix string, ends ...string) []string {
	list := make([]string, len(ends))
	for i, end := range ends {
		list[i] = prefix + end
	}
	return list
}

// listed are the libraries that Apple wants a privacy manifest of ("Third-party SDK
// requirements"), those of Flutter left out, which no Cordova or Capacitor plugin
// brings.
var listed = []string{"Abseil", "AFNetworking", "Alamofire", "AppAuth", "BoringSSL", "openssl_grpc", "Capacitor",
	"Charts", "Cordova", "DKImagePickerController", "DKPhotoGallery", "FBAEMKit", "FBLPromises", "FBSDKCoreKit",
	"FBSDKCoreKit_Basics", "FBSDKLoginKit", "FBSDKShareKit", "FirebaseABTesting", "FirebaseAuth", "FirebaseCore",
	"FirebaseCoreDiagnostics", "FirebaseCoreExtension", "FirebaseCoreInternal", "FirebaseCrashlytics",
	"FirebaseDynamicLinks", "FirebaseFirestore", "FirebaseInstallations", "FirebaseMessaging",
	"FirebaseRemoteConfig", "FMDB", "GoogleDataTransport", "GoogleSignIn", "GoogleToolboxForMac", "GoogleUtilities",
	"grpcpp", "GTMAppAuth", "GTMSessionFetcher", "hermes", "IQKeyboardManager", "IQKeyboardManagerSwift", "Kingfisher",
	"leveldb", "Lottie", "MBProgressHUD", "nanopb", "OneSignal", "OneSignalCore", "OneSignalExtension",
	"OneSignalOutcomes", "OpenSSL", "OrderedSet", "Promises", "Protobuf", "Reachability", "RealmSwift", "RxCocoa",
	"RxRelay", "RxSwift", "SDWebImage", "SnapKit", "Starscream", "SVProgressHUD", "SwiftyGif", "SwiftyJSON", "Toast",
	"UnityFramework"}

// Listed reports whether a library is one of those that have to bring a privacy
// manifest of their own.
func Listed(name string) bool { return slices.Contains(listed, name) }
