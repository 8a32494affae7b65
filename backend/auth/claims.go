package auth

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/cordon-sec/cordon/backend/identity"
)

// mappedClaims are the claims of an ID token that App Service calls by a URI.
var mappedClaims = map[string]string{
	"sub": identity.ClaimNameID, "email": identity.ClaimMail, "given_name": identity.ClaimGiven,
	"family_name": identity.ClaimSurname, "name": identity.ClaimName,
	"oid": identity.ClaimObject, "tid": identity.ClaimTenant,
}

// protocolClaims serve the token itself and say nothing about the user.
var protocolClaims = []string{"nonce", "at_hash", "c_hash", "s_hash", "aio", "rh", "uti"}

// claimsOf lists an ID token's claims in a fixed order. Arrays become repeated
// claims; objects are left as JSON.
func claimsOf(all map[string]any) []identity.Claim {
	var claims []identity.Claim
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if slices.Contains(protocolClaims, name) {
			continue
		}
		typ := name
		if mapped, ok := mappedClaims[name]; ok {
			typ = mapped
		}
		claims = appendClaim(claims, typ, all[name])
	}
	return claims
}

func appendClaim(claims []identity.Claim, typ string, value any) []identity.Claim {
	if list, ok := value.([]any); ok {
		for _, v := range list {
			if _, nested := v.([]any); !nested {
				claims = appendClaim(claims, typ, v)
			}
		}
		return claims
	}
	if text := claimText(value); text != "" {
		claims = append(claims, identity.Claim{Type: typ, Value: text})
	}
	return claims
}

func claimText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}

// profileClaims lists what a provider without ID tokens says of a user: the
// mapped names that it has, and the rest as urn:{provider}:{name}.
func profileClaims(provider string, profile map[string]any, mapped map[string]string) []identity.Claim {
	var claims []identity.Claim
	for _, name := range slices.Sorted(maps.Keys(profile)) {
		typ, ok := mapped[name]
		if !ok {
			typ = "urn:" + provider + ":" + name
		}
		if _, object := profile[name].(map[string]any); !object {
			claims = appendClaim(claims, typ, profile[name])
		}
	}
	return claims
}

// text returns a claim that is a non-empty string or number.
func text(all map[string]any, name string) string { return claimText(all[name]) }

// first returns the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
