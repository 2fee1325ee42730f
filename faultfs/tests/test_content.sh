#!/bin/bash
# What a file holds when it is synced is compared with the record: a change by
# somebody else is noticed although it was undone, and nothing else is.
#
#     test_content.sh BUILD_DIRECTORY/bin BUILD_DIRECTORY/tests
set -eu

record=$(realpath "$1")/faultfs-record
programs=$(realpath "$2")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$scratch/root
trace=$scratch/trace
failures=0

fail() {
    echo "FAILED: $1" >&2
    sed 's/^/    /' "$scratch/err" >&2
    failures=$((failures + 1))
}

# reach SIGN: waits for the program to get there; false if it ended before.
reach() {
    until [ -e "$scratch/$1" ]; do
        kill -0 "$launcher" 2>/dev/null || return 1
        sleep 0.005
    done
}

# put BYTE OFFSET: changes one byte of the file, and nothing else.
put() {
    printf %s "$1" | dd of="$root/file" bs=1 seek="$2" conv=notrunc status=none
}

# expect STATUS OFFSET PROGRAM MODE SIZE OPTION...: records it, while the byte at
# OFFSET is another one at the first sync (none, if OFFSET is "-").
expect() {
    local status=$1 offset=$2 program=$3 mode=$4 size=$5 got=0 before
    shift 5
    rm -rf "$root" "$trace" "$scratch"/{written,sync,synced,finish}
    mkdir "$root"
    "$record" --root "$root" --output "$trace" "$@" -- \
        "$programs/$program" "$mode" "$size" "$scratch" 2>"$scratch/err" &
    launcher=$!
    reach written || true
    if [ "$offset" != - ]; then
        before=$(dd if="$root/file" bs=1 skip="$offset" count=1 status=none)
        put X "$offset"
    fi
    : >"$scratch/sync"
    reach synced || true
    [ "$offset" = - ] || put "$before" "$offset"
    : >"$scratch/finish"
    wait "$launcher" || got=$?
    [ "$got" = "$status" ] || fail "exit status $got, not $status: $program $mode $size $offset $*"
    [ "$got" = 0 ] || grep -q 'unsound: content of file at its sync, call [0-9]* (fsync)' \
        "$scratch/err" || fail "not said: $program $mode $size $offset"
}

for program in synced synced_static; do
    echo "$program"
    for mode in rw w lock; do
        expect 0 - $program $mode 100
    done
    for size in 0 1 16384 16385 65536 65537 1000003; do
        expect 0 - $program rw $size
        expect 0 - $program rw $size --check-content all
    done
    for mode in rw w; do
        expect 3 0 $program $mode 1
        expect 3 65535 $program $mode 65536
        expect 3 16383 $program $mode 1000003
        expect 3 1000002 $program $mode 1000003
        expect 3 500000 $program $mode 1000003 --check-content all
    done
done

echo "many syncs"
for mode in O_RDWR O_WRONLY; do
    rm -rf "$root"
    mkdir "$root"
    "$record" --root "$root" --output "$trace" -- python3 -c "
import os
file = os.open('file', os.O_CREAT | os.$mode)
for i in range(1000):
    os.pwrite(file, bytes([i % 251]) * 4096, i * 7919 % 300000)
    os.fsync(file)" 2>"$scratch/err" || fail "many syncs, $mode"
done

echo "usage"
got=0
"$record" --root "$root" --output "$trace" --check-content some -- true 2>"$scratch/err" || got=$?
[ "$got" = 2 ] || fail "--check-content some"

[ "$failures" = 0 ] || exit 1
echo "all as it should be"
