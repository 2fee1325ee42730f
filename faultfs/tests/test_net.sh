#!/bin/bash
# The safety net: calls that pass the preloaded library by are made by the launcher,
# just as the kernel would make them, and recorded.
#
#     test_net.sh BUILD_DIRECTORY/bin BUILD_DIRECTORY/tests
set -eu

record=$(realpath "$1")/faultfs-record
programs=$(realpath "$2")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$scratch/root
trace=$scratch/trace
failures=0

[ "$(uname -m)" = x86_64 ] || { echo "skipped: the net is there on x86-64 only"; exit 77; }

fail() {
    echo "FAILED: $1" >&2
    sed 's/^/    /' "$scratch/err" >&2
    failures=$((failures + 1))
}

# run EXPECTED_STATUS [OPTION] -- COMMAND...: records the command in a fresh directory.
run() {
    local status=$1 got=0
    shift
    rm -rf "$root" "$trace"
    mkdir "$root"
    "$record" --root "$root" --output "$trace" --timeout 30s "$@" \
        >"$scratch/out" 2>"$scratch/err" || got=$?
    [ "$got" = "$status" ] || fail "exit status $got, not $status: $*"
    [ "$got" = 0 ] || return 0
    "$programs/show_trace" -r "$trace" >"$scratch/routes"
}

# Everything as it is without the recorder, by a dynamic and by a static program.
for case in plain stdio umask directory user descriptors memory pieces copies programs threads \
    signals fifo 'user namespace' 'process namespace' root; do
    rm -rf "$root"
    mkdir "$root"
    got=0
    (cd "$root" && "$programs/bypass" "$case" >/dev/null 2>"$scratch/err") || got=$?
    [ "$got" != 77 ] || { echo "skipped: $case is not possible here"; continue; }
    [ "$got" = 0 ] || fail "$case without the recorder"
    for program in bypass bypass_static; do
        run 0 -- "$programs/$program" "$case"
        ! grep -q '^unobserved' "$scratch/routes" || fail "$program $case: $(cat "$scratch/routes")"
        grep -q '^net [1-9]' "$scratch/routes" || fail "$program $case: no call by the net"
    done
    grep -q '^symbol 0$' "$scratch/routes" || fail "the static program: a call by symbol"
done

# The record of it, with standard output in its place.
run 0 -- "$programs/bypass_static" stdio
printf '%s\n' 'openat create node=2 name=1/"a" mode=100644' \
    'write write node=2 offset=0 size=6 "one 1\x0a"' 'fsync fsync node=2' \
    'write output "printed\x0a"' 'write output "directly\x0a"' >"$scratch/expected"
"$programs/show_trace" "$trace" | diff "$scratch/expected" - >"$scratch/err" ||
    fail "not what the program did"
[ "$(cat "$scratch/out")" = "printed
directly" ] || fail "standard output was not passed on"

# An environment without the library, and one that it cannot be loaded from.
run 0 -- env -i "$programs/bypass" plain
grep -q '^symbol 0$' "$scratch/routes" || fail "env -i: a call by symbol"
run 0 -- env LD_PRELOAD= "$programs/bypass" plain

# What the launcher refuses is counted.
for kind in io-uring kernel-aio foreign-abi; do
    run 0 -- "$programs/bypass_static" "$kind"
    grep -q "^unobserved $kind: bypass_static" "$scratch/routes" || fail "$kind was not noted"
done

# Without seccomp only the library's calls are seen, which is said; what passed it by
# makes the record unsound.
run 0 --no-net -- sh -c 'echo text >f; mv f g'
grep -q '^net 0$' "$scratch/routes" || fail "a net in spite of --no-net"
grep -q '^unobserved no-seccomp: ' "$scratch/routes" || fail "no-seccomp was not noted"
run 3 --no-net -- "$programs/bypass" stdio
grep -q 'standard output: 17 bytes arrived, 0 were recorded' "$scratch/err" || fail "not said"
run 3 --no-net -- "$programs/bypass_static" stdio
grep -q 'libfaultfs.so was not loaded' "$scratch/err" || fail "not said"

# Set-user-id programs lose their privilege where the filter has to take it.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    chmod 755 "$scratch"
    cp /bin/true "$scratch/privileged"
    chmod 4755 "$scratch/privileged"
    nobody=$scratch/nobody
    mkdir -p "$nobody/root"
    chown -R 65534:65534 "$nobody"
    setpriv --reuid 65534 --regid 65534 --clear-groups \
        "$record" --root "$nobody/root" --output "$nobody/trace" -- \
        sh -c "'$scratch/privileged'; echo text >f; '$programs/bypass_static' plain" \
        >"$scratch/out" 2>"$scratch/err" || fail "recording as an unprivileged user"
    "$programs/show_trace" -r "$nobody/trace" >"$scratch/routes"
    grep -q "^unobserved set-uid: $scratch/privileged (1)" "$scratch/routes" ||
        fail "the set-user-id program was not noted"
    grep -q '^net [1-9]' "$scratch/routes" || fail "no net for an unprivileged user"
fi

[ "$failures" = 0 ] || exit 1
echo "all as it should be"
