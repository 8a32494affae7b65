package auth

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/internal/wording"
)

// ImportEasyAuth makes a Config of the settings of App Service Authentication:
// the file auth.json (Microsoft, "File-based configuration in Azure App Service
// authentication"), authsettingsV2 or authsettings as Azure Resource Manager and
// az print them, or a template that sets one of these. Secrets stay where they
// are: a setting's name becomes an environment variable's. The notes say what was
// left out and what is to be done. Anything that would open the site wider than
// before is an error, and so is a document without such settings.
func ImportEasyAuth(data []byte) (Config, []string, error) {
	root, err := readEasyDocument(data)
	if err != nil {
		return Config{}, nil, fmt.Errorf("auth.json: %w", err)
	}
	settings, err := theEasySettings(root)
	if err == nil && isEasyV1(settings) {
		settings, err = easyUpgrade(settings)
	}
	if err != nil {
		return Config{}, nil, fmt.Errorf("auth.json: %w", err)
	}
	in := &easyImport{Config: Config{SigningKey: "env:WEBSITE_AUTH_SIGNING_KEY",
		Providers: map[string]ProviderConfig{}}}
	in.note("signing_key: set WEBSITE_AUTH_SIGNING_KEY to the value that the site had, and its tokens stay valid if " +
		"issuer and audience stay https://{site}/")
	in.providers(settings.field("identityProviders"))
	in.login(settings.field("login"))
	in.http(settings.field("httpSettings"))
	in.platform(settings.field("platform"))
	in.validation(settings.field("globalValidation"))
	if in.flag(settings.field("clearInboundClaimsMapping"), false) {
		in.note("clearInboundClaimsMapping was true: claims have the names that App Service maps them to")
	}
	in.leftovers(settings)
	if len(in.errs) == 0 && !settings.said() {
		return Config{}, nil, fmt.Errorf("auth.json: %w", errNoEasySettings)
	}
	if len(in.errs) == 0 {
		for _, p := range in.Check(&url.URL{Scheme: "https", Host: "site.example"}, false) {
			in.fail("what it makes does not hold: identity.%s", p)
		}
	}
	if len(in.errs) > 0 {
		return Config{}, nil, fmt.Errorf("auth.json: %w", errors.Join(in.errs...))
	}
	slices.Sort(in.notes)
	return in.Config, in.notes, nil
}

// easyImport is an import on its way.
type easyImport struct {
	Config
	notes []string
	errs  []error
}

func (in *easyImport) note(format string, args ...any) {
	in.notes = append(in.notes, wording.Printable(fmt.Sprintf(format, args...)))
}

func (in *easyImport) fail(format string, args ...any) {
	in.errs = append(in.errs, errors.New(wording.Printable(fmt.Sprintf(format, args...))))
}

// text reads a text; what is absent is "".
func (in *easyImport) text(n *easyNode) string {
	if n == nil {
		return ""
	}
	n.used = true
	text, ok := n.value.(string)
	if !ok {
		in.fail("%s must be a text", n.path)
	}
	return strings.TrimSpace(text)
}

// texts reads a list of texts.
func (in *easyImport) texts(n *easyNode) []string {
	if n == nil {
		return nil
	}
	n.used = true
	if !n.array {
		in.fail("%s must be a list", n.path)
	}
	var all []string
	for _, item := range n.items {
		text := in.text(item)
		if text == "" { // a list that restricts would become one that does not
			in.fail("%s must not be empty", item.path)
		}
		all = append(all, text)
	}
	return all
}

// flag reads a truth; what is absent is def.
func (in *easyImport) flag(n *easyNode, def bool) bool {
	flag, err := easyFlag(n)
	if err != nil {
		in.fail("%s", err)
	}
	if flag == nil {
		return def
	}
	return *flag
}

func (in *easyImport) platform(n *easyNode) {
	if !in.flag(n.field("enabled"), true) {
		in.note("platform.enabled was false: the site was open; set unauthenticated as you need it")
		if len(in.Providers) == 0 {
			in.fail("authentication is off and no provider is set up: there is nothing to import")
		}
	}
	if file := in.text(n.field("configFilePath")); file != "" {
		in.fail("only names the file with the settings (%q): import that one", file)
	}
	in.ignore(n.field("runtimeVersion"))
}

// easyActions are what becomes of a request without a user, in every spelling
// that App Service and its tools have: the file's and the API's words, and the
// numbers of old versions.
var easyActions = map[string]string{"redirecttologinpage": "login", "0": "login", "allowanonymous": "allow",
	"1": "allow", "return401": "401", "rejectwith401": "401", "return403": "403", "rejectwith403": "403",
	"return404": "404", "rejectwith404": "404"}

func (in *easyImport) validation(n *easyNode) {
	in.action(n)
	for _, entry := range in.texts(n.field("excludedPaths")) {
		if err := checkExcluded(entry); err != nil {
			in.note("globalValidation.excludedPaths: %q %s; it was left out, so the path wants a sign-in", entry, err)
			continue
		}
		in.Excluded = append(in.Excluded, entry)
	}
	if name := in.text(n.field("redirectToProvider")); name != "" {
		if in.LoginProvider = providerAlias(name); in.Providers[in.LoginProvider].Type == "" {
			in.note("globalValidation.redirectToProvider: %s is not among the providers and was left out", name)
			in.LoginProvider = ""
		}
	}
	if in.Unauthenticated == "login" && in.LoginProvider == "" && len(in.Providers) != 1 {
		in.Unauthenticated = "401"
		in.note("unauthenticated is 401: no single provider is there to send browsers to; set login_provider and " +
			"`unauthenticated: login`")
	}
}

// action decides what becomes of requests without a user. Where the document
// says two things, or nothing, the stricter one counts.
func (in *easyImport) action(n *easyNode) {
	word := ""
	if action := n.field("unauthenticatedClientAction"); action != nil {
		action.used = true
		word = strings.ToLower(fmt.Sprint(action.value))
		var known bool
		if in.Unauthenticated, known = easyActions[word]; !known {
			in.fail("unauthenticatedClientAction %q is not known", fmt.Sprint(action.value))
		}
	}
	required, err := easyFlag(n.field("requireAuthentication"))
	switch {
	case err != nil:
		in.fail("%s", err)
	case word == "" && required != nil && !*required:
		in.Unauthenticated = "allow"
	case word == "":
		in.Unauthenticated = "login"
		in.note("unauthenticatedClientAction is not set: the site wants a sign-in, as App Service does by default")
	case required != nil && *required && in.Unauthenticated == "allow":
		in.Unauthenticated = "401"
		in.note("requireAuthentication is true and unauthenticatedClientAction AllowAnonymous: the stricter counts, " +
			"unauthenticated is 401")
	case required != nil && !*required && in.Unauthenticated != "allow":
		in.note("requireAuthentication is false and unauthenticatedClientAction not AllowAnonymous: the stricter "+
			"counts, unauthenticated is %s", in.Unauthenticated)
	}
}

func (in *easyImport) http(n *easyNode) {
	if prefix := strings.ToLower(in.text(n.field("routes").field("apiPrefix"))); prefix != "" && prefix != DefaultPath {
		in.Path = prefix
	}
	if !in.flag(n.field("requireHttps"), true) {
		in.note("httpSettings.requireHttps was false: this server speaks https, or http on loopback")
	}
	proxy := n.field("forwardProxy")
	if convention := in.text(proxy.field("convention")); convention != "" && convention != "NoProxy" {
		in.note("httpSettings.forwardProxy: set server.url to the public address, and server.proxies to the proxy's")
	}
	in.ignore(proxy.field("customHostHeaderName"))
	in.ignore(proxy.field("customProtoHeaderName"))
}

func (in *easyImport) login(n *easyNode) {
	if in.text(n.field("routes").field("logoutEndpoint")) != "" {
		in.note("login.routes.logoutEndpoint is not taken over: sign-out is at /logout below identity.path")
	}
	store := n.field("tokenStore")
	if !in.flag(store.field("enabled"), true) {
		in.note("login.tokenStore was off: providers' tokens are kept here, sealed")
	}
	if hours := store.field("tokenRefreshExtensionHours"); hours != nil {
		hours.used = true
		value, err := strconv.ParseFloat(fmt.Sprint(hours.value), 64)
		if err != nil || !(value >= 0 && value <= 87600) {
			in.fail("%s must be a number of hours", hours.path)
		}
		in.RefreshGrace = time.Duration(value * float64(time.Hour))
		if in.RefreshGrace == 0 { // zero would stand for the default of three days
			in.RefreshGrace = time.Second
			in.note("login.tokenStore.tokenRefreshExtensionHours was 0: refresh_grace is 1s, the shortest")
		}
	}
	if in.flag(n.field("preserveUrlFragmentsForLogins"), false) {
		in.note("login.preserveUrlFragmentsForLogins is not taken over")
	}
	if !in.flag(n.field("nonce").field("validateNonce"), true) {
		in.note("login.nonce.validateNonce was false: nonces are always checked here")
	}
	cookie := n.field("cookieExpiration")
	if in.text(cookie.field("convention")) == "IdentityProviderDerived" {
		in.note("login.cookieExpiration followed the provider: set lifetime")
	}
	var err error
	if in.Lifetime, err = clockTime(in.text(cookie.field("timeToExpiration"))); err != nil {
		in.fail("cookieExpiration: %s", err)
	}
	if in.NonceLifetime, err = clockTime(in.text(n.field("nonce").field("nonceExpirationInterval"))); err != nil {
		in.fail("nonceExpirationInterval: %s", err)
	}
	for _, entry := range in.texts(n.field("allowedExternalRedirectUrls")) {
		if _, err := parseRedirect(entry); err != nil {
			in.note("login.allowedExternalRedirectUrls: %q %s; it was left out", entry, err)
			continue
		}
		in.Redirects = append(in.Redirects, entry)
	}
}

// clockTime reads hours, minutes and seconds, "08:00:00".
func clockTime(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return 0, fmt.Errorf("%q is not hh:mm:ss", text)
	}
	var total time.Duration
	for i, unit := range []time.Duration{time.Hour, time.Minute, time.Second} {
		n, err := strconv.ParseUint(parts[i], 10, 16)
		if err != nil {
			return 0, fmt.Errorf("%q is not hh:mm:ss", text)
		}
		total += time.Duration(n) * unit
	}
	if total == 0 { // it would stand for the default
		return 0, fmt.Errorf("%q must be longer than zero", text)
	}
	return total, nil
}

// ignore passes over what means nothing here, whatever it says.
func (in *easyImport) ignore(n *easyNode) {
	if n != nil {
		n.used = true
	}
}

// easyEnvelope are the members beside the settings that Azure Resource Manager
// and az add.
var easyEnvelope = []string{"id", "kind", "location", "name", "type", "resourcegroup", "tags", "systemdata",
	"apiversion", "dependson", "etag"}

// restricting are the names of what may keep somebody out.
var restricting = regexp.MustCompile(`(?i)allow|den(y|ied)|restrict|requir|polic|block|claim|validat|principal`)

// leftovers says what the import has not looked at. What may have kept somebody
// out must not be lost in silence: it is an error.
func (in *easyImport) leftovers(root *easyNode) {
	for _, name := range slices.Sorted(maps.Keys(root.fields)) {
		if !slices.Contains(easyEnvelope, name) {
			in.leftover(root.fields[name])
		}
	}
}

func (in *easyImport) leftover(n *easyNode) {
	if n.used || n.empty() {
		return
	}
	if n.fields != nil {
		for _, name := range slices.Sorted(maps.Keys(n.fields)) {
			in.leftover(n.fields[name])
		}
		return
	}
	if restricting.MatchString(n.path) {
		in.fail("%s may keep people out and cannot be taken over: take it out of the document if the site may do "+
			"without it", n.path)
		return
	}
	in.note("%s is not taken over", n.path)
}
