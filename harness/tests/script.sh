# Shared by the test scripts, which are called with the directory of the commands
# and that of the test programs. Sets
#
#   crashmatrix   the command
#   programs      directory of the test programs
#   here          directory of the scripts
#   work          an empty directory, removed at the end
#
# shellcheck shell=sh

if [ $# -ne 2 ]; then
    echo "usage: $0 COMMANDS PROGRAMS (two directories of a build)" >&2
    exit 2
fi
# shellcheck disable=SC2034 # these are for the scripts
crashmatrix=$1/crashmatrix
# shellcheck disable=SC2034
programs=$2
# shellcheck disable=SC2034
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# dash does not run the trap above when a signal ends it.
for signal in HUP INT TERM; do
    # shellcheck disable=SC2064 # now
    trap "echo 'FAILED: ended by SIG$signal' >&2; exit 1" $signal
done
mkdir "$work/scratch"

# Ends the test.
fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# expect STATUS PATTERN COMMAND...: the command ends with that status, a line of
# its output or errors matches the pattern (grep -E; an empty one is no demand),
# and nothing is left in the scratch directory. Its output stays in $work/output.
expect() {
    expected=$1
    pattern=$2
    shift 2
    status=0
    "$@" >"$work/output" 2>&1 </dev/null || status=$?
    if [ "$status" -ne "$expected" ] ||
        { [ -n "$pattern" ] && ! grep -Eq -- "$pattern" "$work/output"; }; then
        cat "$work/output" >&2
        fail "expected status $expected and /$pattern/, got status $status: $*"
    fi
    leftovers=$(find "$work/scratch" -mindepth 1)
    if [ -n "$leftovers" ]; then
        fail "left in the scratch directory: $leftovers: $*"
    fi
}
