package gateway

import "github.com/cordon-sec/cordon/gateway/config"

// The configuration has a package of its own; these names stay for one release.
type (
	// Config is config.Config.
	//
	// Deprecated: use config.Config.
	Config = config.Config
	// TLSConfig is config.TLS.
	//
	// Deprecated: use config.TLS.
	TLSConfig = config.TLS
	// AppConfig is config.App.
	//
	// Deprecated: use config.App.
	AppConfig = config.App
	// CredentialConfig is config.Credential.
	//
	// Deprecated: use config.Credential.
	CredentialConfig = config.Credential
	// PrivateConfig is config.Private.
	//
	// Deprecated: use config.Private.
	PrivateConfig = config.Private
	// PinConfig is config.Pin.
	//
	// Deprecated: use config.Pin.
	PinConfig = config.Pin
	// CAConfig is config.CA.
	//
	// Deprecated: use config.CA.
	CAConfig = config.CA
	// Timeouts is config.Timeouts.
	//
	// Deprecated: use config.Timeouts.
	Timeouts = config.Timeouts
	// Limits is config.Limits.
	//
	// Deprecated: use config.Limits.
	Limits = config.Limits
	// Problem is config.Problem.
	//
	// Deprecated: use config.Problem.
	Problem = config.Problem
)

// DefaultListen is config.DefaultListen.
//
// Deprecated: use config.DefaultListen.
const DefaultListen = config.DefaultListen
