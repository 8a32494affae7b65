package auth

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/wording"
)

const (
	googleIssuer    = "https://accounts.google.com"
	googleShort     = "accounts.google.com" // the other spelling that Google's tokens have
	appleIssuer     = "https://appleid.apple.com"
	entraHost       = "https://login.microsoftonline.com/"
	stsHost         = "https://sts.windows.net/"             // issuer of Entra's v1 tokens
	consumersTenant = "9188040d-6c67-4c5b-b112-36a304b66dad" // personal Microsoft accounts
)

// wellKnown is where a discovery document is below its issuer.
const wellKnown = "/.well-known/openid-configuration"

// anyTenant stands in the issuer of a document for the directory of each token.
const anyTenant = "{tenantid}"

// checkDocument decides whether the issuer that a discovery document names may be
// the provider's. A user's id is made of the issuer: a provider that named
// another's would sign in as the other's users. So it has to be the configured one,
// give or take a final slash. Only where none is configured, and with aad, whose
// addresses name a directory by its domain or a policy and whose issuers by an id,
// it is learned: from an address of the same origin.
func (p *openID) checkDocument(issuer string) error {
	if sameIssuer(issuer, p.issuer) {
		return nil
	}
	named := p.issuer != "" && p.config.Discovery != ""
	aad := p.config.Type == "aad"
	if strings.Contains(issuer, anyTenant) && !aad {
		return fmt.Errorf("its issuer stands for many directories: set `type: aad` and tenant")
	}
	if !named && (aad || p.issuer == "") && secureURL(issuer) &&
		(sameOrigin(p.document, issuer) || aad && sameExternalID(p.document, issuer)) {
		return nil
	}
	return fmt.Errorf("the document says issuer %q: set issuer to it and discovery to the document's address if "+
		"that is right", wording.Printable(shorten(issuer, 255)))
}

// sameIssuer compares issuers but for a final slash.
func sameIssuer(a, b string) bool {
	return a != "" && strings.TrimSuffix(a, "/") == strings.TrimSuffix(b, "/")
}

// sameOrigin reports whether two URLs have one scheme, host and port.
func sameOrigin(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	return errX == nil && errY == nil && x.Scheme == y.Scheme && hostOf(x) != "" && hostOf(x) == hostOf(y) &&
		y.RawQuery == "" && y.Fragment == "" && y.User == nil
}

// sameExternalID knows the issuers of Entra External ID: the address is
// https://{name}.ciamlogin.com/…, and the issuer https://{id}.ciamlogin.com/{id}/v2.0.
func sameExternalID(address, issuer string) bool {
	const home = ".ciamlogin.com"
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || !strings.HasSuffix(strings.ToLower(u.Host), home) {
		return false
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(issuer, "https://"), ".")
	return tenantID.MatchString(id) && sameIssuer(issuer, "https://"+id+home+"/"+id+"/v2.0")
}

// learnsIssuer reports whether the address of a document belongs to Microsoft's
// directories, where issuers differ from it.
func learnsIssuer(document string) bool {
	u, err := url.Parse(document)
	if err != nil {
		return false
	}
	host, err := hostname.ParseAuthority(u.Host)
	return err == nil && slices.ContainsFunc([]string{"b2clogin.com", "ciamlogin.com", "microsoftonline.com",
		"microsoftonline.us", "partner.microsoftonline.cn"}, func(home string) bool {
		return strings.HasSuffix("."+host.Host.String(), "."+home)
	})
}

var policyName = regexp.MustCompile(`(?i)^b2c_1`)

// policyOf is the B2C policy (or user flow) in the address of a document: a part of
// its path or its parameter p.
func policyOf(document string) string {
	u, err := url.Parse(document)
	if err != nil {
		return ""
	}
	for _, part := range append(strings.Split(u.Path, "/"), u.Query().Get("p")) {
		if policyName.MatchString(part) {
			return part
		}
	}
	return ""
}

// checkPolicy refuses tokens of another policy of the same B2C directory: all have
// one issuer, and another policy may prove less, such as the one that resets
// passwords. Every token of a policy names it, in tfp or, as it was before, in acr.
func (p *openID) checkPolicy(all map[string]any) error {
	if p.policy == "" {
		return nil
	}
	name := text(all, "tfp")
	if acr := text(all, "acr"); name == "" && policyName.MatchString(acr) {
		name = acr
	}
	if !strings.EqualFold(name, p.policy) {
		return fmt.Errorf("%w (policy)", errRefused)
	}
	return nil
}

// answersAs reports whether the iss of an authorization response is that of the
// document.
func (d *discovered) answersAs(iss string) bool {
	before, after, shared := strings.Cut(d.issuer, anyTenant)
	if !shared {
		return iss == d.issuer || d.issuer == googleIssuer && iss == googleShort
	}
	tenant, ok := strings.CutPrefix(iss, before)
	tenant, ended := strings.CutSuffix(tenant, after)
	return ok && ended && tenantID.MatchString(strings.ToLower(tenant))
}

var tenantID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// issuerOf checks the issuer of a token and returns it in the one spelling that
// user ids are made of.
func (p *openID) issuerOf(d *discovered, issuer string, all map[string]any) (string, error) {
	if p.config.Type == "aad" {
		return p.directoryOf(d, issuer, strings.ToLower(text(all, "tid")))
	}
	switch {
	case issuer == d.issuer:
		return issuer, nil
	case d.issuer == googleIssuer && issuer == googleShort:
		return googleIssuer, nil
	}
	return "", fmt.Errorf("%w (issuer)", errRefused)
}

// directoryOf wants the issuer that belongs to the token's own tenant, in either of
// the two forms that Entra has, and that the tenant is let in. Both forms, in
// whatever letter case, are one issuer: a user is the same whichever token proves
// it.
func (p *openID) directoryOf(d *discovered, issuer, tenant string) (string, error) {
	refused := fmt.Errorf("%w (tenant)", errRefused)
	entra := strings.HasPrefix(d.issuer, entraHost) || strings.HasPrefix(d.issuer, stsHost)
	own, shared := entraHost+tenant+"/v2.0", strings.Contains(d.issuer, anyTenant)
	if shared && !entra { // another cloud of Microsoft's
		own = strings.Replace(d.issuer, anyTenant, tenant, 1)
	}
	valid := tenantID.MatchString(tenant)
	fits := valid && (strings.EqualFold(issuer, own) || entra && strings.EqualFold(issuer, stsHost+tenant+"/"))
	if shared {
		if !fits || len(p.config.Tenants) > 0 && !listed(p.config.Tenants, tenant) ||
			p.tenant == "organizations" && tenant == consumersTenant ||
			p.tenant == "consumers" && tenant != consumersTenant {
			return "", refused
		}
		return own, nil
	}
	named := valid && strings.Contains(strings.ToLower(d.issuer)+"/", "/"+tenant+"/")
	switch {
	case entra && named && (fits || issuer == d.issuer):
		return own, nil
	case issuer == d.issuer:
		return issuer, nil
	}
	return "", refused
}
