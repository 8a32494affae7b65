#!/bin/sh
# Makes sure that what the tests need is on the machine. As root on a Debian
# it installs what is missing; otherwise it names exactly what to install. With
# "real" also what only make real needs.
set -eu

missing=""
need() { # need PACKAGE COMMAND...: one of the commands must be there
	package=$1
	shift
	for command in "$@"; do
		if command -v "$command" >/dev/null 2>&1; then return; fi
	done
	missing="$missing $package"
}

need gcc gcc cc
need git git
need chromium chromium chromium-browser google-chrome
need squid /usr/sbin/squid squid
need groff groff nroff
need curl curl
[ "${1:-}" != real ] || need openjdk-17-jdk-headless javac
if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null 2>&1; then
	missing="$missing postgresql"
fi
node_major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/' || true)
if [ "${node_major:-0}" -lt 20 ]; then
	echo "prerequisites: Node.js 20 or newer is not here; the JavaScript parts are skipped" >&2
	if [ -n "${CI:-}" ]; then
		echo "prerequisites: in CI Node.js 20 or newer is required: install it from https://nodejs.org" >&2
		exit 1
	fi
elif ! command -v npm >/dev/null 2>&1; then
	missing="$missing npm"
fi

[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "prerequisites: installing$missing" >&2
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q >/dev/null
	# shellcheck disable=SC2086 # the names are words on purpose
	apt-get install -q -y --no-install-recommends $missing >/dev/null
	exit 0
fi
echo "prerequisites: missing; install with: sudo apt-get install$missing" >&2
case " $missing " in
*" gcc "*) echo "prerequisites: without gcc the race detector cannot run" >&2 && exit 1 ;;
esac
echo "prerequisites: continuing without; tests that need them say that they skip" >&2
