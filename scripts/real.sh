#!/bin/sh
# make real: the tests that begin with lane.Real, or that repeat something as often
# as lane.Rounds says, each in its package; kill -9 ten times; whether the benchmark's
# contenders answer alike; and the command's and the stores' own tests with the race
# detector.
cd "$(dirname "$0")/.."
downloads=$(date +%s)
sh scripts/prerequisites.sh real
go mod download
(cd bench && go mod download)
echo "downloads           $(($(date +%s) - downloads)) s"
. scripts/stages.sh
export CORDON_LANE=real

# marked prints "./package TestName" for each test that begins with lane.Real, or
# asks lane.Rounds.
marked() {
	# Outside a checkout, as in an unpacked archive, the tree itself is looked through.
	{ git ls-files '*_test.go' 2>/dev/null ||
		find . -name '*_test.go' ! -path '*/testdata/*' ! -path '*/node_modules/*' | sed 's,^\./,,'; } | xargs awk '
		/^func / { name = "" }
		/^func Test[A-Za-z0-9_]*\(/ { name = $2; sub(/\(.*/, "", name) }
		name != "" && (/^\tlane\.Real\(t\)/ || /lane\.Rounds\(/) {
			dir = FILENAME; sub(/\/[^\/]*$/, "", dir); print "./" dir, name
		}' | sort -u
}

# toolchains runs them, except those that the last stage runs with all others of
# their package.
toolchains() {
	marked | awk '$1 != "./cmd/cordon" { print $1 }' | sort -u | while read -r package; do
		tests=$(marked | awk -v p="$package" '$1 == p { printf "%s%s", sep, $2; sep = "|" }')
		report -timeout 20m -run "^($tests)\$" "$package" || exit 1
	done
}

with() { go run ./backend/store/storetest/pgtest/with sh -c '. scripts/stages.sh && "$@"' sh "$@"; }

stage checked sh scripts/check.sh
stage toolchains toolchains
stage "kill -9" with report -timeout 15m -run '^TestKill$' ./backend/clienttest
stage contenders sh -c 'cd bench && go run ./backend -check -postgres own'
stage "command, raced" report -race -timeout 15m ./cmd/cordon
stage "stores, raced" with report -race -timeout 20m ./backend/store/sqlite ./backend/store/postgres
finish "make real"
