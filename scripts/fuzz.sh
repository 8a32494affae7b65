#!/bin/sh
# Fuzzes every target of the module for the given time each (default 5s).
set -eu
time=${1:-5s}

# fuzz PACKAGE TARGET runs one target. On a busy machine the toolchain may
# report its own deadline as a failure, without an input that failed: that is
# tried once more.
fuzz() {
	echo "fuzz $1 $2 $time"
	for try in 1 2; do
		if go test -run='^$' -fuzz="^$2\$" -fuzztime="$time" -parallel=2 "$1" </dev/null >fuzz.log 2>&1; then return; fi
		grep -q 'context deadline exceeded' fuzz.log && ! grep -q 'Failing input written' fuzz.log || break
	done
	cat fuzz.log
	exit 1
}

grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' . | grep -v node_modules | LC_ALL=C sort | while read -r file; do
	package=$(dirname "$file")
	sed -nE 's/^func (Fuzz[A-Za-z0-9_]+)\(.*/\1/p' "$file" | while read -r target; do
		fuzz "$package" "$target"
	done
done
rm -f fuzz.log
