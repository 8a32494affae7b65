#!/bin/sh
# Fuzzes every target of the module for the given time each (default 30s). What
# a target finds is written by go below its package's testdata/fuzz, to be kept
# as a case. One that fails does not hide the others.
set -eu
cd "$(dirname "$0")/.."
time=${1:-30s}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fuzz PACKAGE TARGET runs one target. On a busy machine the toolchain may
# report its own deadline as a failure, without an input that failed: that is
# tried once more.
fuzz() {
	for try in 1 2; do
		if go test -run='^$' -fuzz="^$2\$" -fuzztime="$time" -parallel=2 "$1" </dev/null >"$work/log" 2>&1; then
			echo "ok    $1 $2"
			return
		fi
		grep -q 'context deadline exceeded' "$work/log" && ! grep -q 'Failing input written' "$work/log" || break
	done
	echo "FAIL  $1 $2"
	cat "$work/log"
	echo "$1 $2" >>"$work/failed"
}

grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' . | grep -v node_modules | LC_ALL=C sort | while read -r file; do
	package=$(dirname "$file")
	sed -nE 's/^func (Fuzz[A-Za-z0-9_]+)\(.*/\1/p' "$file" | while read -r target; do
		fuzz "$package" "$target"
	done
done
if [ -s "$work/failed" ]; then
	echo "these targets failed:"
	cat "$work/failed"
	exit 1
fi
