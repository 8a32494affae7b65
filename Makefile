# make test does everything on a bare Debian with Go: it installs what is
# missing, checks, fuzzes briefly, and runs every test with the race detector.

.PHONY: test check fuzz wasm soak deps generate build

build:
	go build -trimpath -o bin/cordon ./cmd/cordon

test: prerequisites check wasm fuzz
	go test -race -timeout 15m ./...

.PHONY: prerequisites
prerequisites:
	sh scripts/prerequisites.sh

check:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$unformatted" ]; then echo "not formatted (gofmt -w):"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...
	go mod tidy -diff
	cd bench && go mod tidy -diff && go vet ./...

wasm:
	GOOS=js GOARCH=wasm go vet ./policy/... ./pin ./project ./plugin/engine/...

fuzz:
	sh scripts/fuzz.sh 5s

# The Cordova plugin as it is published: plugin/cordova-plugin-cordon-*.tgz.
.PHONY: plugin
plugin:
	cd plugin && npm pack

# The long forms: hours of fuzzing, full crash and load counts.
soak:
	sh scripts/prerequisites.sh
	CORDON_SOAK=1 go test -race -timeout 6h -count=1 ./...
	sh scripts/fuzz.sh 10m

deps:
	GOOS=linux GOARCH=amd64 sh scripts/deps.sh > deps.txt

generate:
	go generate ./...
	CORDON_UPDATE_DOCS=1 go test -count=1 -run 'Page$$' ./project ./cmd/cordon
