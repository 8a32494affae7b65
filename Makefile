# make test does everything that is quick, on a bare Debian with Go: it installs
# what is missing, checks, and runs the tests. CONTRIBUTING.md tells of the lanes.

.DEFAULT_GOAL := help
FUZZTIME ?= 30s

.PHONY: help
help: ## list the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/\1\t\2/p' Makefile | awk -F '\t' '{ printf "%-14s %s\n", $$1, $$2 }'

.PHONY: build
build: ## build bin/cordon
	go build -trimpath -o bin/cordon ./cmd/cordon

.PHONY: test
test: ## check, and run all tests that are quick: at most 8 minutes
	@sh scripts/test.sh

.PHONY: real
real: ## run real toolchains, clients and kill -9: at most 25 minutes
	@sh scripts/real.sh

.PHONY: soak
soak: ## the long forms: hours
	@sh scripts/prerequisites.sh
	CORDON_LANE=soak go run ./backend/store/storetest/pgtest/with go test -race -timeout 6h -count=1 ./...
	sh scripts/fuzz.sh 10m

.PHONY: fuzz
fuzz: ## fuzz every target for FUZZTIME (30s) each
	@sh scripts/fuzz.sh $(FUZZTIME)

.PHONY: slow
slow: ## list the slowest tests of the last make test
	@go run ./internal/testreport -slow 30

.PHONY: check
check: ## formatting, vet, staticcheck, tidiness, WebAssembly
	@sh scripts/check.sh

.PHONY: prerequisites
prerequisites: ## install what the tests need, or say what is missing
	@sh scripts/prerequisites.sh

.PHONY: plugin
plugin: ## pack the Cordova plugin as it is published
	cd plugin && npm pack

.PHONY: deps
deps: ## write deps.txt anew
	GOOS=linux GOARCH=amd64 sh scripts/deps.sh > deps.txt

.PHONY: generate
generate: update ## write what is generated: code, pages of the reference
	go generate ./...

.PHONY: update
update: ## rewrite the files that tests compare with (golden files, pages of the reference, the schema's texts)
	sh scripts/update.sh
