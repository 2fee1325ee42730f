#!/bin/bash
# The manifest command, as people and scripts use it: results, messages, exit
# statuses. Usage: test_manifest_command.sh MANIFEST
set -eu

manifest=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failures=0

fail() {
    echo "FAILED: $*" >&2
    failures=$((failures + 1))
}

# expect STATUS PATTERN COMMAND...: its exit status, and a pattern that its output
# or its messages contain.
expect() {
    local status=$1 pattern=$2 actual=0
    shift 2
    "$@" >out 2>err || actual=$?
    [ "$actual" -eq "$status" ] || fail "$*: status $actual, expected $status: $(cat out err)"
    grep -q -- "$pattern" out err || fail "$*: no '$pattern' in: $(cat out err)"
}

# is_json: the last output is one line of JSON.
is_json() {
    [ "$(wc -l <out)" -eq 1 ] || fail "not one line: $(cat out)"
    grep -q '^{"code":"[A-Z_]*".*}$' out || fail "not JSON: $(cat out)"
}

# Help, version, wrong usage.
expect 0 'Usage: manifest COMMAND' "$manifest" --help
expect 0 '^manifest [0-9]' "$manifest" --version
expect 2 'Usage: manifest COMMAND' "$manifest"
expect 2 'no such command: frob' "$manifest" frob
for command in init commit show verify; do
    expect 0 'Example' "$manifest" "$command" --help
    expect 2 'expected a directory' "$manifest" "$command"
    expect 2 "unrecognized option '--frob'" "$manifest" "$command" --frob db
    expect 2 "manifest $command --help" "$manifest" "$command" --frob db
done
expect 2 'one argument too many: x' "$manifest" init db x
expect 2 'nothing to commit' "$manifest" commit db
expect 2 'expected KEY=FILE' "$manifest" commit db --vector rows
expect 2 'expected KEY=FILE' "$manifest" commit db --vector =rows
expect 2 '--remove takes' "$manifest" commit db --remove vector
expect 2 '--remove takes' "$manifest" commit db --remove lsm:x
expect 2 '--wait takes' "$manifest" commit db --wait -1 --lsm rows
expect 2 'not a version number: x1' "$manifest" show db x1
[ ! -e db ] || fail "wrong usage left something behind"

# Nothing there.
expect 5 'NO_DATABASE' "$manifest" show db
expect 5 'NO_DATABASE' "$manifest" commit db --lsm rows
expect 5 '"code":"NO_DATABASE"' "$manifest" verify db --json
is_json
mkdir empty
expect 5 'MANIFEST-CURRENT is missing' "$manifest" verify empty
expect 5 'MANIFEST-CURRENT is missing' "$manifest" commit empty --lsm rows
[ -z "$(ls empty)" ] || fail "looking left something behind: $(ls empty)"

# Init.
expect 0 'created, with version 1' "$manifest" init db
expect 3 'EXISTS' "$manifest" init db
expect 0 'files         none' "$manifest" show db
expect 0 '{"code":"OK","version":1}' "$manifest" init other --json
is_json

# Commit, show, verify.
printf 'some rows\n' >rows
printf 'an index\n' >index
: >nothing
expect 3 'none: cannot be read' "$manifest" commit db --lsm rows --text t=none
[ "$(ls db)" = "$(printf 'MANIFEST-000001\nMANIFEST-CURRENT\nMANIFEST-LOCK')" ] ||
    fail "a failed commit left something behind: $(ls db)"
expect 0 'committed version 2' "$manifest" commit db --lsm rows --vector a/b=index --text é=nothing
expect 0 'version       2, current' "$manifest" show db
grep -q '^vector *a/b *vector-a_b-000002 *9  0x' out || fail "show: $(cat out)"
grep -q '^durability *unknown' out || fail "show: $(cat out)"
cmp rows db/lsm-000002 || fail "the rows are not the same"
expect 0 'version 2: verified' "$manifest" verify db
expect 0 '"code":"OK","version":3' "$manifest" commit --json --remove vector:a/b db --lsm index
is_json
expect 0 '"files":\[{"kind":"lsm","key":"","name":"lsm-000003","size":9,"crc32c":[0-9]*},{"kind":"text"' \
    "$manifest" show db --json
is_json
expect 0 '^version       2$' "$manifest" show db 2
expect 0 '"current":false' "$manifest" show --json db 2
expect 5 'NO_VERSION' "$manifest" show db 4
expect 3 'there is no vector file' "$manifest" commit db --remove vector:a/b
expect 0 'committed version 4' "$manifest" commit db --remove lsm
expect 0 'version 4: verified' "$manifest" verify db

# Leftovers are notes, not faults.
: >db/MANIFEST-000009
: >db/MANIFEST-CURRENT.0.tmp
expect 0 '^note: MANIFEST-000009' "$manifest" verify db
expect 0 '"finding":"TEMPORARY","fault":false,"name":"MANIFEST-CURRENT.0.tmp"' \
    "$manifest" verify db --json
is_json
rm db/MANIFEST-000004
expect 0 'kept copy     missing' "$manifest" show db
expect 0 'committed version 10' "$manifest" commit db --lsm rows
if [ -e db/MANIFEST-000009 ] || [ -e db/MANIFEST-CURRENT.0.tmp ]; then fail "leftovers are left"; fi
[ -e db/MANIFEST-000004 ] || fail "the kept copy was not written again"

# Faults.
printf 'other row\n' >db/lsm-000010
expect 1 '^fault: lsm-000010: has CRC32C' "$manifest" verify db
expect 1 'CORRUPT' "$manifest" show db
expect 1 'CORRUPT' "$manifest" commit db --lsm rows
expect 1 '"code":"CORRUPT","version":10,"message":"lsm-000010' "$manifest" verify db --json
is_json
printf '\033]0;hostile\007' >db/MANIFEST-CURRENT
expect 1 'MANIFEST-CURRENT: line 1, column 1' "$manifest" show db

# Results that nobody can read.
if [ -e /dev/full ]; then
    actual=0
    "$manifest" show other >/dev/full 2>err || actual=$?
    [ "$actual" -eq 3 ] || fail "a full standard output: status $actual"
fi

[ "$failures" -eq 0 ] || exit 1
echo "all passed"
