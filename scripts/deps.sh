#!/bin/sh
# Prints the packages outside the standard library that the command links.
set -eu
go list -deps -f '{{if not .Standard}}{{.ImportPath}}{{end}}' ./cmd/cordon | grep -v '^github.com/cordon-sec/cordon' | LC_ALL=C sort
