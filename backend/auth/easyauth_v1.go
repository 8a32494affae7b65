package auth

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

const (
	easyAAD    = "identityProviders.azureActiveDirectory."
	easyLegacy = "identityProviders.legacyMicrosoftAccount."
)

// easyV1 says where a member of authsettings, the first version, stands in
// authsettingsV2.
var easyV1 = map[string]string{
	"enabled": "platform.enabled", "runtimeVersion": "platform.runtimeVersion",
	"unauthenticatedClientAction": "globalValidation.unauthenticatedClientAction",
	"defaultProvider":             "globalValidation.redirectToProvider",
	"tokenStoreEnabled":           "login.tokenStore.enabled",
	"tokenRefreshExtensionHours":  "login.tokenStore.tokenRefreshExtensionHours",
	"allowedExternalRedirectUrls": "login.allowedExternalRedirectUrls",

	"clientId":                          easyAAD + "registration.clientId",
	"clientSecret":                      easyAAD + "registration.clientSecret",
	"clientSecretSettingName":           easyAAD + "registration.clientSecretSettingName",
	"clientSecretCertificateThumbprint": easyAAD + "registration.clientSecretCertificateThumbprint",
	"issuer":                            easyAAD + "registration.openIdIssuer",
	"validateIssuer":                    easyAAD + "validation.validateIssuer",
	"allowedAudiences":                  easyAAD + "validation.allowedAudiences",
	"additionalLoginParams":             easyAAD + "login.loginParameters",

	"googleClientId":                "identityProviders.google.registration.clientId",
	"googleClientSecret":            "identityProviders.google.registration.clientSecret",
	"googleClientSecretSettingName": "identityProviders.google.registration.clientSecretSettingName",
	"googleOAuthScopes":             "identityProviders.google.login.scopes",

	"facebookAppId":                "identityProviders.facebook.registration.appId",
	"facebookAppSecret":            "identityProviders.facebook.registration.appSecret",
	"facebookAppSecretSettingName": "identityProviders.facebook.registration.appSecretSettingName",
	"facebookOAuthScopes":          "identityProviders.facebook.login.scopes",

	"gitHubClientId":                "identityProviders.gitHub.registration.clientId",
	"gitHubClientSecret":            "identityProviders.gitHub.registration.clientSecret",
	"gitHubClientSecretSettingName": "identityProviders.gitHub.registration.clientSecretSettingName",
	"gitHubOAuthScopes":             "identityProviders.gitHub.login.scopes",

	"twitterConsumerKey":               "identityProviders.twitter.registration.consumerKey",
	"twitterConsumerSecret":            "identityProviders.twitter.registration.consumerSecret",
	"twitterConsumerSecretSettingName": "identityProviders.twitter.registration.consumerSecretSettingName",

	"microsoftAccountClientId":                easyLegacy + "registration.clientId",
	"microsoftAccountClientSecret":            easyLegacy + "registration.clientSecret",
	"microsoftAccountClientSecretSettingName": easyLegacy + "registration.clientSecretSettingName",
	"microsoftAccountOAuthScopes":             easyLegacy + "login.scopes",
}

// easyUpgrade makes of authsettings what authsettingsV2 would be. Each value keeps
// its old place for messages, and what has no new one stays at the top, where the
// import names it.
func easyUpgrade(v1 *easyNode) (*easyNode, error) {
	if version := v1.text("configVersion"); strings.EqualFold(version, "v2") {
		return nil, errors.New("is the old view of a site that uses the second version of the settings, and may lack " +
			"some of them: print authsettingsV2 (az extension add --name authV2; az webapp auth show)")
	}
	file, err := easyFlag(v1.field("isAuthFromFile"))
	if err != nil {
		return nil, err
	}
	if file != nil && *file {
		return nil, fmt.Errorf("only names the file with the settings (%q): import that one", v1.text("authFilePath"))
	}
	v2 := &easyNode{fields: map[string]*easyNode{}}
	for _, name := range slices.Sorted(maps.Keys(v1.fields)) {
		v2.fields[name] = v1.fields[name]
	}
	for name, place := range easyV1 {
		if child := v1.field(name); child != nil {
			delete(v2.fields, strings.ToLower(name))
			v2.put(strings.Split(strings.ToLower(place), "."), child)
		}
	}
	for _, name := range []string{"configVersion", "isAuthFromFile", "authFilePath"} {
		delete(v2.fields, strings.ToLower(name))
	}
	if acl := v2.fields["aadclaimsauthorization"]; !acl.empty() {
		delete(v2.fields, "aadclaimsauthorization")
		checks, err := easyClaims(acl)
		if err != nil {
			return nil, err
		}
		v2.put([]string{"identityproviders", "azureactivedirectory", "validation", "jwtclaimchecks"}, checks)
	}
	return v2, nil
}

// put sets a member of an object, making the objects on the way.
func (n *easyNode) put(path []string, child *easyNode) {
	for _, name := range path[:len(path)-1] {
		next := n.fields[name]
		if next == nil {
			next = &easyNode{path: n.path, fields: map[string]*easyNode{}}
			n.fields[name] = next
		}
		n = next
	}
	n.fields[path[len(path)-1]] = child
}

// easyClaims reads aadClaimsAuthorization, a JSON text with the names of its
// members in one of two spellings.
func easyClaims(acl *easyNode) (*easyNode, error) {
	text, ok := acl.value.(string)
	if !ok {
		return nil, fmt.Errorf("%s must be a JSON text", acl.path)
	}
	checks, err := readEasyDocument([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", acl.path, err)
	}
	if checks.fields == nil {
		return nil, fmt.Errorf("%s must be a JSON text with an object", acl.path)
	}
	out := &easyNode{path: acl.path, fields: map[string]*easyNode{}}
	for name, child := range checks.fields {
		child.path = joinPath(acl.path, child.path)
		name = strings.ReplaceAll(name, "_", "")
		if out.fields[name] != nil {
			return nil, fmt.Errorf("%s is there twice", child.path)
		}
		out.fields[name] = child
	}
	return out, nil
}

// easyFlag reads a truth, also one that is written as text. Nil is absent.
func easyFlag(n *easyNode) (*bool, error) {
	if n == nil {
		return nil, nil
	}
	n.used = true
	value := n.value
	if text, ok := value.(string); ok {
		switch strings.ToLower(text) {
		case "true":
			value = true
		case "false":
			value = false
		}
	}
	flag, ok := value.(bool)
	if !ok {
		return nil, fmt.Errorf("%s must be true or false", n.path)
	}
	return &flag, nil
}
