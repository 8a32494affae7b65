package main

import (
	"path/filepath"

	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/settings"
)

// readGatewaySettings reads the gateway's part of a cordon.yaml. Its relative
// paths begin at the file's folder.
func readGatewaySettings(path string, data []byte) (config.Config, error) {
	all, err := settings.Parse(path, data)
	if err != nil {
		return config.Config{}, err
	}
	if err := all.CheckGateway(); err != nil {
		return config.Config{}, err
	}
	return all.Gateway.Relative(filepath.Dir(path)), nil
}
