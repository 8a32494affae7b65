#!/bin/sh
# Fuzzes every target of the module for the given time each (default 5s).
set -eu
time=${1:-5s}
grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' . | grep -v node_modules | LC_ALL=C sort | while read -r file; do
	package=$(dirname "$file")
	sed -nE 's/^func (Fuzz[A-Za-z0-9_]+)\(.*/\1/p' "$file" | while read -r target; do
		echo "fuzz $package $target $time"
		go test -run='^$' -fuzz="^$target\$" -fuzztime="$time" -parallel=2 "$package" </dev/null >fuzz.log 2>&1 || { cat fuzz.log; exit 1; }
	done
done
rm -f fuzz.log
