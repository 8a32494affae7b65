#!/bin/sh
# What needs no run. "quick" leaves out what make real does: the benchmarks'
# module, and the engine's build for WebAssembly, which tests of the plugin use.
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
[ "${1:-}" != quick ] || exit 0
(cd bench && go mod tidy -diff && go vet ./...)
GOOS=js GOARCH=wasm go vet ./policy/... ./pin ./project ./plugin/engine/...
