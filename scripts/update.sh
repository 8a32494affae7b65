#!/bin/sh
# Rewrites every file that a test compares with. The descriptions of cordon.yaml
# and the columns of the own tables are built in, so that their pages follow in a
# second run.
set -eu
cd "$(dirname "$0")/.."
packages=$(git ls-files '*_test.go' | xargs grep -l '/internal/golden"' | xargs -n 1 dirname | sort -u | sed 's|^|./|')
failed=
for tests in 'TestDescriptions$|TestOwnColumns$' 'Page$|Reference|Examples$|TestFixtures$|TestScripts$|Design'; do
	# shellcheck disable=SC2086 # packages are words on purpose
	go test -count=1 -run "$tests" $packages -update >/dev/null || failed=yes
done
git status --short
[ -z "$failed" ] || { echo "some tests fail for another reason: run make test" >&2; exit 1; }
