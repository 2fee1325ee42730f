#!/bin/bash
# The manifest command, as people and scripts use it: results, messages, exit
# statuses. Usage: test_manifest_command.sh MANIFEST [COMPLETION]
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
for command in init commit show verify versions diff orphans gc backup restore recover; do
    expect 0 'Example' "$manifest" "$command" --help
    expect 2 'expected a directory' "$manifest" "$command"
    expect 2 "unrecognized option.*frob" "$manifest" "$command" --frob db
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
expect 2 'not a version number: +1' "$manifest" diff db +1
expect 2 'expected a version' "$manifest" diff db
expect 2 'expected --keep N' "$manifest" gc db
expect 2 '--keep takes a number from 1' "$manifest" gc db --keep 0
expect 2 'expected --to VERSION' "$manifest" recover db
expect 2 'expected the folder' "$manifest" backup db
expect 2 'expected the folder' "$manifest" restore db
expect 2 '--commit-point takes' "$manifest" init db --commit-point both
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

# History.
expect 0 '^10 .* 2 * 10$' "$manifest" versions db
[ "$(awk '{ print $1 }' out)" = "$(printf '%s\n' VERSION 1 2 3 4 10)" ] || fail "versions: $(cat out)"
expect 0 '"current":10,"versions":\[{"version":1,"code":"OK","timestamp":[0-9]*,"files":0,"bytes":0}' \
    "$manifest" versions db --json
is_json
expect 0 '^+ lsm .* lsm-000003$' "$manifest" diff db 2 3
grep -q '^- lsm .* lsm-000002$' out || fail "diff: $(cat out)"
expect 0 '"removed":\[{"kind":"lsm","key":"","name":"lsm-000002".*"added":\[{"kind":"lsm"' \
    "$manifest" diff db 2 3 --json
is_json
expect 5 'NO_VERSION' "$manifest" diff db 2 7
expect 0 'committed version 11' "$manifest" commit db --from 2
expect 0 'committed version 12' "$manifest" commit db --from 3 --lsm rows
expect 5 'NO_VERSION' "$manifest" commit db --from 7
: >db/lsm-000099
: >db/"$(printf 'not\377utf8\033')"
ln -s nowhere db/dangling
expect 0 '^UNREFERENCED *0  lsm-000099$' "$manifest" orphans db
grep -q '^FOREIGN .*dangling$' out || fail "orphans: $(cat out)"
expect 0 '"kind":"UNREFERENCED",.*"name":"lsm-000099","removable":true' "$manifest" orphans db --json
is_json
expect 0 '^removed 0 manifests and 1 other files, 0 bytes$' "$manifest" orphans db --remove
[ -L db/dangling ] || fail "a foreign name was removed"

# Copies.
expect 0 'version 3 is in the backup: 2 files copied' "$manifest" backup db copies 3
expect 0 '"version":12,"base":3,"copied":1,' "$manifest" backup db copies --json
is_json
expect 0 'version 12 on top of version 3: whole' "$manifest" verify --backup copies
expect 0 '"versions":\[{"version":3,"base":null,"code":"OK"' "$manifest" verify --backup copies --json
is_json
expect 3 'the folder is a database' "$manifest" backup db other
expect 5 'NO_DATABASE' "$manifest" restore new empty
expect 5 'NO_VERSION' "$manifest" restore new copies 4
[ ! -e new ] || fail "a restore of nothing made something"
expect 0 'restored, as version 3' "$manifest" restore new copies 3
expect 0 '^{"code":"OK","version":12}$' "$manifest" restore new copies --json
expect 0 'version 12: verified' "$manifest" verify new
cmp db/lsm-000012 new/lsm-000012 || fail "the restored rows are not the same"
printf 'x' >copies/lsm-000003
expect 1 '^version 3 .*fault: lsm-000003' "$manifest" verify --backup copies
expect 1 'CORRUPT' "$manifest" restore new copies 3

# Clean-up.
expect 0 '^removed 5 manifests and [1-9]' "$manifest" gc db --keep 2
expect 0 '^version       11$' "$manifest" show db 11
expect 5 'NO_VERSION' "$manifest" show db 10
expect 0 '^{"code":"OK","manifests":1,"files":[0-9]*,"bytes":[0-9]*}$' "$manifest" gc db --keep 1 --json
expect 0 'version 12: verified' "$manifest" verify db
expect 0 'committed version 13' "$manifest" commit db --lsm rows

# Slots.
expect 0 'created, with version 1' "$manifest" init slots --commit-point slots
expect 0 'committed version 2' "$manifest" commit slots --lsm rows
expect 0 'commit point  slots' "$manifest" show slots
expect 0 '"commit_point":"slots","durability":"unknown","copy_missing":false,"fell_back":false' \
    "$manifest" show slots --json
: >slots/MANIFEST-SLOT-B
expect 0 '^slots .*one is not valid' "$manifest" show slots
expect 0 '^note: MANIFEST-SLOT-B' "$manifest" verify slots

# Recovery by hand.
expect 3 'INVALID' "$manifest" recover db --to 12
printf 'x' >db/lsm-000013
expect 1 'CORRUPT' "$manifest" show db
expect 5 'NO_VERSION' "$manifest" recover db --to 11
expect 1 'CORRUPT' "$manifest" recover db --to 13
expect 0 'recovered, as version 14' "$manifest" recover db --to 12
expect 0 'version 14: verified' "$manifest" verify db
expect 0 'committed version 15' "$manifest" commit db --lsm rows

# Faults.
printf 'other row\n' >db/lsm-000015
expect 1 '^fault: lsm-000015: has CRC32C' "$manifest" verify db
expect 1 'CORRUPT' "$manifest" show db
expect 1 'CORRUPT' "$manifest" commit db --lsm rows
expect 1 '"code":"CORRUPT","version":15,"message":"lsm-000015' "$manifest" verify db --json
is_json
printf '\033]0;hostile\007' >db/MANIFEST-CURRENT
expect 1 'MANIFEST-CURRENT: line 1, column 1' "$manifest" show db

# Completion knows the same subcommands and options.
if [ $# -gt 1 ]; then
    # shellcheck source=/dev/null
    . "$2"
    complete_line() {
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        _manifest
    }
    complete_line manifest ''
    for command in "${COMPREPLY[@]}"; do
        case $command in -*) continue ;; esac
        "$manifest" "$command" --help >out || fail "completion offers $command"
        complete_line manifest "$command" --
        for option in "${COMPREPLY[@]}"; do
            case $option in
            --help | --spatial | --text | --timestamp | --column) ;;
            *) grep -q -- "$option" out || fail "completion offers $command $option" ;;
            esac
        done
        complete_line manifest "$command" --
        for option in $(grep -o -- '\[--[a-z-]*' out | tr -d '['); do
            printf '%s\n' "${COMPREPLY[@]}" | grep -qx -- "$option" ||
                fail "completion misses $command $option"
        done
    done
fi

# Results that nobody can read.
if [ -e /dev/full ]; then
    actual=0
    "$manifest" show other >/dev/full 2>err || actual=$?
    [ "$actual" -eq 3 ] || fail "a full standard output: status $actual"
fi

[ "$failures" -eq 0 ] || exit 1
echo "all passed"
