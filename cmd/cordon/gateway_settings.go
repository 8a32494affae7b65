package main

import (
	"bytes"
	"fmt"
	"path/filepath"

	"github.com/cordon-sec/cordon/gateway"
	"github.com/goccy/go-yaml"
)

// readGatewaySettings reads the gateway's part of a cordon.yaml.
func readGatewaySettings(path string, data []byte) (gateway.Config, error) {
	var config gateway.Config
	part, err := yaml.PathString("$.gateway")
	if err != nil {
		return config, err
	}
	node, err := part.ReadNode(bytes.NewReader(data))
	if err != nil {
		return config, fmt.Errorf("%s: no gateway section: %w", path, err)
	}
	if err := yaml.NodeToValue(node, &config, yaml.Strict()); err != nil {
		return config, fmt.Errorf("%s: %w", path, err)
	}
	return config.Relative(filepath.Dir(path)), nil
}
