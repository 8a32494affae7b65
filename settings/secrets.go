package settings

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/internal/secret"
)

// references are the secrets that the settings name, by the path of keys.
func (s *Settings) references() map[string]secret.Reference {
	all := map[string]secret.Reference{"identity.signing_key": s.Identity.SigningKey}
	for i, r := range s.Identity.PreviousKeys {
		all["identity.previous_keys."+strconv.Itoa(i)] = r
	}
	for name, p := range s.Identity.Providers {
		all["identity.providers."+name+".client_secret"] = p.ClientSecret
		all["identity.providers."+name+".private_key"] = p.PrivateKey
	}
	for name, t := range s.Tables {
		if t.Webhook != nil {
			all["tables."+name+".webhook.secret"] = secret.Reference(t.Webhook.Secret)
		}
	}
	if kind, err := s.DatabaseKind(); err == nil && kind == "secret" {
		all["database"] = secret.Reference(s.Database)
	}
	maps.DeleteFunc(all, func(_ string, r secret.Reference) bool { return r == "" })
	return all
}

// CheckSecrets resolves every secret that the settings name, as a start would.
func (s *Settings) CheckSecrets() error {
	var all Errors
	references := s.references()
	for _, key := range slices.Sorted(maps.Keys(references)) {
		if _, err := s.Secrets().Resolve(references[key]); err != nil {
			all = append(all, s.atSecret(err, key))
		}
	}
	if _, err := s.ResolveDatabase(); err != nil && len(all) == 0 {
		all = append(all, s.atSecret(err, "database"))
	}
	if len(all) > 0 {
		return all
	}
	return nil
}

// atSecret makes an error about a secret: without the line, which may hold it.
func (s *Settings) atSecret(err error, key string) *Error {
	e := s.at(err.Error(), strings.Split(key, ".")...)
	e.Excerpt = ""
	return e
}

// ResolveDatabase returns the database's address: the configured one, what a
// reference stands for, or the default, with the path of a SQLite file as it can
// be opened. Errors name the reference, never the address: it may hold a password.
func (s *Settings) ResolveDatabase() (string, error) {
	kind, err := s.DatabaseKind()
	if err != nil {
		return "", fmt.Errorf("database: %w", err)
	}
	dsn := s.Database
	switch {
	case dsn == "":
		dsn = DefaultDatabase
	case kind == "secret":
		value, err := s.Secrets().Resolve(secret.Reference(s.Database))
		if err != nil {
			return "", fmt.Errorf("database: %w", err)
		}
		if dsn = value.Text(); !strings.HasPrefix(dsn, "sqlite:") && !IsPostgres(dsn) {
			return "", fmt.Errorf("database: what %s stands for must begin with sqlite:, postgres:// or postgresql://",
				s.Database)
		}
	}
	if IsPostgres(dsn) {
		return dsn, nil
	}
	path, options, hasOptions := strings.Cut(strings.TrimPrefix(dsn, "sqlite:"), "?")
	dsn = "sqlite:" + s.Path(strings.TrimPrefix(path, "//"))
	if hasOptions {
		dsn += "?" + options
	}
	return dsn, nil
}

// TablesWithSecrets are the tables with the secrets of their webhooks in the place
// of the references to them.
func (s *Settings) TablesWithSecrets() (tables.Config, error) {
	config := make(tables.Config, len(s.Tables))
	for name, t := range s.Tables {
		if t.Webhook != nil && t.Webhook.Secret != "" {
			value, err := s.Secrets().Resolve(secret.Reference(t.Webhook.Secret))
			if err != nil {
				return nil, fmt.Errorf("tables.%s.webhook.secret: %w", name, err)
			}
			hook := *t.Webhook
			hook.Secret = value.Text()
			t.Webhook = &hook
		}
		config[name] = t
	}
	return config, nil
}
