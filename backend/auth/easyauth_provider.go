package auth

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/internal/secret"
)

// easyProviders maps the names of App Service's providers, in lower case, to
// those of a Config.
var easyProviders = map[string]string{"azureactivedirectory": "aad", "google": "google", "facebook": "facebook",
	"github": "github", "twitter": "twitter", "apple": "apple", "legacymicrosoftaccount": "microsoftaccount",
	"microsoftaccount": "microsoftaccount"}

// easySecrets are the settings that App Service itself keeps a provider's secret
// in, for documents that do not name one.
var easySecrets = map[string]string{"aad": "MICROSOFT", "google": "GOOGLE", "facebook": "FACEBOOK",
	"github": "GITHUB", "twitter": "TWITTER", "apple": "APPLE", "microsoftaccount": "MICROSOFTACCOUNT"}

// providerAlias is the name of a provider here.
func providerAlias(name string) string {
	name = strings.ToLower(name)
	if alias, ok := easyProviders[name]; ok {
		return alias
	}
	return name
}

func (in *easyImport) providers(n *easyNode) {
	if n == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(n.fields)) {
		p := n.fields[name]
		if p.null() {
			continue
		}
		if p.fields == nil {
			in.fail("%s must be an object", p.path)
			continue
		}
		if name == "openidconnectproviders" || name == "customopenidconnectproviders" {
			for _, custom := range slices.Sorted(maps.Keys(p.fields)) {
				in.provider(p.fields[custom], custom, "oidc")
			}
			continue
		}
		typ, known := easyProviders[name]
		if !known {
			in.note("%s is not known and was left out", p.path)
			p.use()
			continue
		}
		in.provider(p, typ, typ)
	}
}

// use marks a whole value as looked at.
func (n *easyNode) use() {
	n.used = true
	for _, child := range n.children() {
		child.use()
	}
}

// provider takes one provider over, or says why not.
func (in *easyImport) provider(n *easyNode, name, typ string) {
	if n.null() {
		return
	}
	if n.fields == nil {
		in.fail("%s must be an object", n.path)
		return
	}
	r := n.field("registration")
	out := ProviderConfig{Type: typ, ClientID: first(in.text(r.field("clientId")), in.text(r.field("appId")),
		in.text(r.field("consumerKey")))}
	leave := func(why string) {
		in.note("%s %s: it was left out", first(n.path, "the provider "+name), why)
		n.use()
	}
	switch {
	case !in.flag(n.field("enabled"), true):
		leave("is turned off")
		return
	case out.ClientID == "":
		leave("has no client id")
		return
	}
	if _, twice := in.Providers[name]; twice {
		in.fail("two providers are called %s", name)
	}
	in.ignore(n.field("isAutoProvisioned"))
	in.secret(&out, r, name)
	in.providerLogin(&out, n.field("login"), name)
	in.providerValidation(&out, n.field("validation"), name)
	if why := in.issuer(&out, r); why != "" {
		leave(why)
		return
	}
	if tenant := first(out.Tenant, tenantOfDocument(out.Discovery), tenantOfDocument(out.Issuer)); out.Type == "aad" &&
		(tenant == "" && out.Issuer == "" && out.Discovery == "" || tenant == "common" || tenant == "organizations") {
		in.note("providers.%s: every directory is let in, as the issuer says; name those that may in tenants (the "+
			"app setting WEBSITE_AUTH_AAD_ALLOWED_TENANTS has them, if the site uses it)", name)
	}
	in.Providers[name] = out
}

func (in *easyImport) secret(out *ProviderConfig, r *easyNode, name string) {
	setting, inline := "", false
	for _, holder := range []*easyNode{r, r.field("clientCredential")} {
		for _, key := range []string{"clientSecret", "appSecret", "consumerSecret"} {
			setting = first(setting, in.text(holder.field(key+"SettingName")))
			if n := holder.field(key); n != nil {
				n.used, inline = true, true
			}
		}
	}
	in.ignore(r.field("clientCredential").field("method"))
	for _, key := range []string{"clientSecretCertificateThumbprint", "clientSecretCertificateIssuer",
		"clientSecretCertificateSubjectAlternativeName"} {
		if in.text(r.field(key)) != "" {
			in.note("providers.%s: a certificate (%s) cannot prove the app here; make a client secret", name, key)
		}
	}
	if needs := slices.Contains([]string{"facebook", "github", "twitter", "apple"}, out.Type); setting == "" &&
		(needs || inline) {
		setting = first(easySecrets[name], strings.ToUpper(strings.ReplaceAll(name, "-", "_"))) +
			"_PROVIDER_AUTHENTICATION_SECRET"
		in.note("providers.%s: the client secret is not copied; set %s to it", name, setting)
	}
	if setting != "" {
		out.ClientSecret = secret.Reference("text-env:" + setting)
	}
}

func (in *easyImport) providerLogin(out *ProviderConfig, n *easyNode, name string) {
	out.Scopes = in.texts(n.field("scopes"))
	parameters := in.texts(n.field("loginParameters"))
	for _, pair := range parameters {
		key, value, _ := strings.Cut(pair, "=")
		if key == "scope" {
			out.Scopes = strings.Fields(value)
			continue
		}
		if slices.Contains(ownParameters, key) {
			in.note("providers.%s: the login parameter %s is set by this server", name, key)
			continue
		}
		if out.Parameters == nil {
			out.Parameters = map[string]string{}
		}
		out.Parameters[key] = value
	}
	if in.text(n.field("nameClaimType")) != "" {
		in.note("providers.%s: nameClaimType is not taken over; the friendly name comes from preferred_username, "+
			"email or name", name)
	}
	if in.flag(n.field("disableWWWAuthenticate"), false) {
		in.note("providers.%s: disableWWWAuthenticate is not taken over: every 401 says what it wants", name)
	}
}

// providerValidation takes over who is let in. The checks of the document must all
// hold; where they cannot be said as one, that is an error.
func (in *easyImport) providerValidation(out *ProviderConfig, n *easyNode, name string) {
	out.Audiences = in.texts(n.field("allowedAudiences"))
	if !in.flag(n.field("validateIssuer"), true) {
		in.note("providers.%s: validateIssuer was false: issuers are always checked here", name)
	}
	policy, checks := n.field("defaultAuthorizationPolicy"), n.field("jwtClaimChecks")
	principals := policy.field("allowedPrincipals")
	out.AllowedGroups = in.texts(principals.field("groups"))
	out.AllowedIdentities = in.texts(principals.field("identities"))
	out.AllowedApplications = in.texts(policy.field("allowedApplications"))
	if groups := in.texts(checks.field("allowedGroups")); len(groups) > 0 {
		if len(out.AllowedIdentities) > 0 || len(out.AllowedGroups) > 0 && !sameIDs(out.AllowedGroups, groups) {
			in.fail("%s: allowedPrincipals and allowedGroups must both hold, which cannot be said here: make them one "+
				"list", n.path)
		}
		out.AllowedGroups = groups
	}
	apps := in.texts(checks.field("allowedClientApplications"))
	apps = append(apps, in.texts(checks.field("allowedApplications"))...)
	if len(apps) > 0 && len(out.AllowedApplications) > 0 {
		if apps = both(out.AllowedApplications, apps); len(apps) == 0 {
			in.fail("%s: no application is in both lists of allowed ones", n.path)
		}
	}
	if len(apps) > 0 {
		out.AllowedApplications = apps
	}
	if out.Type != "aad" && len(out.AllowedGroups)+len(out.AllowedIdentities)+len(out.AllowedApplications) > 0 {
		in.fail("%s: who is let in can be said of azureActiveDirectory only", n.path)
	}
}

func sameIDs(a, b []string) bool { return len(both(a, b)) == len(a) && len(both(b, a)) == len(b) }

// both lists what of a is in b too.
func both(a, b []string) []string {
	var all []string
	for _, id := range a {
		if listed(b, id) {
			all = append(all, id)
		}
	}
	return all
}

// issuer takes over who signs the tokens. A reason is why the provider cannot be
// used.
func (in *easyImport) issuer(out *ProviderConfig, r *easyNode) string {
	openID := r.field("openIdConnectConfiguration")
	document, issuer := in.text(openID.field("wellKnownOpenIdConfiguration")), in.text(openID.field("issuer"))
	endpoints := false
	for _, key := range []string{"authorizationEndpoint", "tokenEndpoint", "certificationUri"} {
		endpoints = in.text(openID.field(key)) != "" || endpoints
	}
	if address := in.text(r.field("openIdIssuer")); strings.Contains(address, "/.well-known/") {
		document = address // App Service takes the document's address for the issuer, too
	} else {
		issuer = first(address, issuer)
	}
	base, plain := strings.CutSuffix(document, wellKnown)
	switch {
	case plain && issuer == "" && (out.Type == "aad" || sharedTenant(base)):
		out.Type, out.Issuer = "aad", base
	case plain && issuer == "" && !learnsIssuer(document):
		out.Issuer = base
	default:
		out.Issuer, out.Discovery = issuer, document
	}
	out.Bearer = acceptsBearer(out.Type) // as App Service does
	if tenant := tenantOf(out.Issuer); out.Type == "aad" && tenant != "" && out.Discovery == "" {
		out.Tenant, out.Issuer = tenant, ""
	}
	switch {
	case out.Type == "oidc" && out.Issuer == "" && out.Discovery == "" && endpoints:
		return "names endpoints but no issuer, which says whose tokens they are"
	case out.Type == "oidc" && out.Issuer == "" && out.Discovery == "":
		return "names neither wellKnownOpenIdConfiguration nor issuer"
	case endpoints:
		in.note("%s: the endpoints are read from the discovery document instead", openID.path)
	}
	return ""
}

// sharedTenant reports whether an address stands for many directories.
func sharedTenant(address string) bool {
	return slices.Contains([]string{"common", "organizations", "consumers"}, tenantOf(address))
}

// tenantOfDocument is the directory in the address of a discovery document, or an
// issuer, in lower case: of Entra, in any of Microsoft's clouds.
func tenantOfDocument(address string) string {
	u, err := url.Parse(address)
	if err != nil || !learnsIssuer(address) && tenantOf(address) == "" {
		return ""
	}
	tenant, _, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	return strings.ToLower(tenant)
}

// tenantOf is the directory of an issuer of Entra, in lower case: in one of the two
// forms that it has, https://login.microsoftonline.com/{tenant}/v2.0 and
// https://sts.windows.net/{tenant}/. Any other path, such as one with the policy of
// a B2C directory, stands for itself.
func tenantOf(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil || u.Scheme != "https" || u.RawQuery != "" || !slices.Contains([]string{"login.microsoftonline.com",
		"sts.windows.net", "login.windows.net", "login.microsoft.com"}, strings.ToLower(u.Host)) {
		return ""
	}
	tenant, version, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if version != "" && version != "v2.0" {
		return ""
	}
	return strings.ToLower(tenant)
}
