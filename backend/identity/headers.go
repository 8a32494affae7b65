package identity

import (
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The claim types that App Service maps plain names to.
const (
	ClaimNameID  = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
	ClaimMail    = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
	ClaimGiven   = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname"
	ClaimSurname = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname"
	ClaimName    = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
	ClaimRole    = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
	ClaimObject  = "http://schemas.microsoft.com/identity/claims/objectidentifier"
	ClaimTenant  = "http://schemas.microsoft.com/identity/claims/tenantid"
)

// clientPrincipal is the JSON of X-MS-CLIENT-PRINCIPAL.
type clientPrincipal struct {
	AuthType string  `json:"auth_typ"`
	Claims   []Claim `json:"claims"`
	NameType string  `json:"name_typ"`
	RoleType string  `json:"role_typ"`
}

// ReservedHeader reports whether only we may set a header of this name:
// X-MS-CLIENT-PRINCIPAL* and X-MS-TOKEN-*, in any letter case, with
// underscores for hyphens too, because servers behind us may treat them alike.
func ReservedHeader(name string) bool {
	name = strings.TrimSpace(name)
	if len(name) < 11 || name[0]|0x20 != 'x' || name[2]|0x20 != 'm' { // most headers end here
		return false
	}
	name = strings.ReplaceAll(strings.ToUpper(name), "_", "-")
	return strings.HasPrefix(name, "X-MS-CLIENT-PRINCIPAL") || strings.HasPrefix(name, "X-MS-TOKEN-")
}

// StripHeaders removes every reserved header.
func StripHeaders(h http.Header) {
	for name := range h {
		if ReservedHeader(name) {
			delete(h, name)
		}
	}
}

// SetHeaders removes every reserved header and, for a known user, sets those
// that tell an upstream who asks, as App Service does. Characters outside of
// printable ASCII in the name are sent as an RFC 2047 encoded word; the full
// name is in the claims.
func SetHeaders(h http.Header, p *Principal) {
	StripHeaders(h)
	if !p.Authenticated() {
		return
	}
	c := clientPrincipal{AuthType: p.User.Provider, Claims: p.User.Claims, NameType: ClaimMail, RoleType: ClaimRole}
	if !hasClaim(c.Claims, ClaimMail) {
		c.NameType = ClaimName
		if !hasClaim(c.Claims, ClaimName) {
			c.Claims = append(append([]Claim{}, c.Claims...), Claim{Type: ClaimName, Value: p.displayName()})
		}
	}
	encoded, err := json.Marshal(c)
	if err != nil { // strings always encode
		return
	}
	h.Set("X-MS-CLIENT-PRINCIPAL", base64.StdEncoding.EncodeToString(encoded))
	h.Set("X-MS-CLIENT-PRINCIPAL-ID", headerText(p.User.ID))
	h.Set("X-MS-CLIENT-PRINCIPAL-NAME", headerText(p.displayName()))
	h.Set("X-MS-CLIENT-PRINCIPAL-IDP", headerText(p.User.Provider))
}

// SetTokenHeaders sets the X-MS-TOKEN-* headers of one provider.
func SetTokenHeaders(h http.Header, t ProviderToken) {
	prefix := "X-MS-TOKEN-" + tokenName(t.Provider) + "-"
	for name, value := range map[string]string{"ACCESS-TOKEN": t.Access, "ID-TOKEN": t.ID, "REFRESH-TOKEN": t.Refresh,
		"ACCESS-TOKEN-SECRET": t.Secret} {
		if value != "" && headerText(value) == value {
			h.Set(prefix+name, value)
		}
	}
	if !t.Expires.IsZero() {
		h.Set(prefix+"EXPIRES-ON", t.Expires.UTC().Format(time.RFC3339Nano))
	}
}

// tokenName is a provider's alias as it stands in a header's name.
func tokenName(provider string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, provider)
}

func (p *Principal) displayName() string {
	if p.User.Name != "" {
		return p.User.Name
	}
	return p.User.ID
}

func hasClaim(claims []Claim, typ string) bool {
	for _, c := range claims {
		if c.Type == typ {
			return true
		}
	}
	return false
}

// headerText makes a value fit for a header: printable ASCII as it is,
// anything else as an encoded word, or percent-encoded where that would hold a
// control character.
func headerText(s string) string {
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return url.PathEscape(s)
		}
	}
	return mime.BEncoding.Encode("utf-8", s)
}
