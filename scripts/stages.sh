# Stages of a run, each with a line of its seconds. Sourced by the scripts of
# the lanes.
set -eu
export CORDON_STAGES_BEGAN="${CORDON_STAGES_BEGAN:-$(date +%s)}"

# A run writes nothing into the tree.
tree() { git status --porcelain --ignored 2>/dev/null | grep -v '^!! bin/$' || true; }
tree_before=$(tree)

# stage NAME COMMAND... runs a command and says how long it took. The first one
# that fails ends the run.
stage() {
	stage_name=$1
	shift
	stage_began=$(date +%s)
	if "$@"; then
		printf 'stage %-14s %4d s\n' "$stage_name" $(($(date +%s) - stage_began))
	else
		printf 'stage %-14s FAILED after %d s\n' "$stage_name" $(($(date +%s) - stage_began))
		exit 1
	fi
}

# finish LANE checks the tree and says how long the whole took, downloads apart.
finish() {
	if [ "$(tree)" != "$tree_before" ]; then
		echo "the run wrote into the tree:"
		tree
		exit 1
	fi
	printf '%s: green in %d s, downloads apart\n' "$1" $(($(date +%s) - CORDON_STAGES_BEGAN))
}

# report runs go test with what it is given and says it in short. The exit status
# closes what testreport reads: without it, the run was cut.
report() { { go test -json "$@" && echo "exit 0" || echo "exit $?"; } | go run ./internal/testreport; }
