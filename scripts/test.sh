#!/bin/sh
# make test: everything that is quick.
cd "$(dirname "$0")/.."
downloads=$(date +%s)
sh scripts/prerequisites.sh
go mod download
echo "downloads           $(($(date +%s) - downloads)) s"
. scripts/stages.sh

quick=$(sed -n 's/^\(\.[^ ]*\).*/\1/p' scripts/norace.txt)
# shellcheck disable=SC2046,SC2086 # patterns and packages are words on purpose
raced() { go list ./... | grep -vxF "$(go list $quick)"; }

tests() {
	go run ./backend/store/storetest/pgtest/with sh -c '. scripts/stages.sh && report "$@"' sh "$@"
}

# compiled builds the tests twice at once, with the race detector and without:
# the largest dependency is one package, which only one core can compile.
compiled() {
	# shellcheck disable=SC2046 # packages are words on purpose
	go test -race -run '^$' $(raced) >"$work/race" 2>&1 &
	race=$!
	go vet ./... || { wait "$race" || true; return 1; }
	wait "$race" || { cat "$work/race"; return 1; }
	go run ./internal/testreport -fresh </dev/null >/dev/null
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

stage compiled compiled
stage checked sh scripts/check.sh quick
# shellcheck disable=SC2046 # packages are words on purpose
stage "tests, raced" tests -race -timeout 10m $(raced)
# What of the stores is about several at once: their queues, groups, guards, promises.
shared='TestStore/^(contexts|withdrawn|panic|panic_beside|panic_is_logged|deadline|race|sync|once|step_beside)$'
shared="$shared|TestStore/^(unknown_outcome|order_of_webhooks|unread_answers|room_for_answers|room_beside_one|sessions)$"
stage "stores, raced" tests -race -timeout 10m -run "$shared" ./backend/store/sqlite ./backend/store/postgres
# shellcheck disable=SC2086
stage "tests, pure" tests -timeout 10m $quick
finish "make test"
