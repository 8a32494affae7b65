package auth

import (
	"fmt"
	"slices"
	"strings"
)

// admit checks the user and the application of an aad token against those that
// are let in, as App Service's defaultAuthorizationPolicy does (Microsoft,
// "Configure your App Service app to use Microsoft Entra sign-in"): the
// application must be listed, and the user by identity or by group. What a token
// does not say counts as not listed.
func (p *openID) admit(audience []string, all map[string]any) error {
	c := p.config
	if len(c.AllowedApplications) > 0 {
		app := first(text(all, "azp"), text(all, "appid"))
		if app == "" && slices.Contains(audience, c.ClientID) {
			app = c.ClientID // an ID token: we asked for it
		}
		if v1 := text(all, "appid"); v1 != "" && v1 != app || !listed(c.AllowedApplications, app) {
			return fmt.Errorf("%w (application)", errNotAdmitted)
		}
	}
	if len(c.AllowedIdentities) == 0 && len(c.AllowedGroups) == 0 || listed(c.AllowedIdentities, text(all, "oid")) {
		return nil
	}
	groups, _ := all["groups"].([]any)
	for _, group := range groups {
		if name, ok := group.(string); ok && listed(c.AllowedGroups, name) {
			return nil
		}
	}
	if groupOverage(all) && len(c.AllowedGroups) > 0 {
		return fmt.Errorf("%w (the token does not list the groups: the user has too many; let the provider send "+
			"only those that are assigned to the application)", errNotAdmitted)
	}
	return fmt.Errorf("%w (user)", errNotAdmitted)
}

// groupOverage reports whether Entra left the groups out because there are too
// many of them.
func groupOverage(all map[string]any) bool {
	names, _ := all["_claim_names"].(map[string]any)
	_, elsewhere := names["groups"]
	return elsewhere || text(all, "hasgroups") == "true"
}

// listed compares ids without letter case, as Entra does.
func listed(list []string, id string) bool {
	return id != "" && slices.ContainsFunc(list, func(entry string) bool { return strings.EqualFold(entry, id) })
}
