#!/bin/sh
# What needs no run: formatting, vet, staticcheck, the modules' tidiness, and
# that the engine builds for WebAssembly.
set -eu
cd "$(dirname "$0")/.."
unformatted=$(gofmt -l $(git ls-files '*.go'))
if [ -n "$unformatted" ]; then
	echo "not formatted (gofmt -w):"
	echo "$unformatted"
	exit 1
fi
go vet ./...
go tool staticcheck ./...
go mod tidy -diff
(cd bench && go mod tidy -diff && go vet ./...)
GOOS=js GOARCH=wasm go vet ./policy/... ./pin ./project ./plugin/engine/...
