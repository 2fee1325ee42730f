#!/bin/bash
# The launcher as its users meet it: what it accepts, what it says, its exit
# statuses, and that it never keeps a trace of what it did not fully see.
#
#     test_record.sh BUILD_DIRECTORY/bin BUILD_DIRECTORY/tests
set -eu

record=$(realpath "$1")/faultfs-record
programs=$(realpath "$2")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$scratch/root
trace=$scratch/trace
failures=0
launcher= # an option of the launcher

fail() {
    echo "FAILED: $1" >&2
    sed 's/^/    /' "$scratch/err" >&2
    failures=$((failures + 1))
}

# expect STATUS TEXT COMMAND...: records the command in a fresh directory; TEXT must
# be in what is printed on standard error; a trace is there exactly if STATUS is 0.
expect() {
    local status=$1 text=$2 got=0
    shift 2
    rm -rf "$root" "$trace"
    mkdir "$root"
    # shellcheck disable=SC2086 # none, or one
    "$record" --root "$root" --output "$trace" --timeout "${timeout:-20s}" $launcher -- "$@" \
        >"$scratch/out" 2>"$scratch/err" || got=$?
    [ "$got" = "$status" ] || fail "exit status $got, not $status: $*"
    [ -z "$text" ] || grep -qF -- "$text" "$scratch/err" || fail "\"$text\" was not said: $*"
    [ "$(wc -l <"$scratch/err")" -le 1 ] || fail "more than one line was said: $*"
    if [ "$status" = 0 ]; then
        [ -f "$trace" ] || fail "no trace: $*"
    else
        [ ! -e "$trace" ] || fail "a trace was left: $*"
    fi
}

# Whether some process has exactly this command line.
running() {
    local file
    for file in /proc/[0-9]*/cmdline; do
        [ "$({ tr '\0' ' ' <"$file"; } 2>/dev/null)" = "$1 " ] && return 0
    done
    return 1
}

# calls TEXT...: the last trace has exactly these calls, apart from those of effect none.
calls() {
    printf '%s\n' "$@" >"$scratch/expected"
    "$programs/show_trace" "$trace" | grep -v ' none$' >"$scratch/got" || true
    diff "$scratch/expected" "$scratch/got" >"$scratch/err" || fail "other calls than expected"
}

# Shells and interpreters.
expect 0 '' sh -c 'echo one >f; echo two >>f; mkdir d; mv f d/g; echo done'
calls 'open64 create node=2 name=1/"f" mode=100644' \
    'write write node=2 offset=0 size=4 "one\x0a"' \
    'write write node=2 offset=4 size=4 "two\x0a"' \
    'mkdir create node=3 name=1/"d" mode=40755' \
    'renameat2 rename node=2 name=1/"f" to=3/"g" node2=0' \
    'write output "done\x0a"'
[ "$(cat "$scratch/out")" = "done" ] || fail "standard output was not passed on"
expect 0 '' sh -c 'printf 0123456789 >f; : >f; (echo child >>f) & wait; exec 1>f; echo to the file'
expect 0 '' sh -c '(sleep 0.2; echo late >late) & exit 0'
calls 'open64 create node=2 name=1/"late" mode=100644' \
    'write write node=2 offset=0 size=5 "late\x0a"'
if command -v python3 >/dev/null; then
    expect 0 '' python3 -c 'import os
f = os.open("f", os.O_CREAT | os.O_WRONLY, 0o644)
os.write(f, b"text")
os.fsync(f)
os.write(1, b"saved\n")'
    "$programs/show_trace" "$trace" | grep -q '^write output "saved' || fail "python3: output"
    "$programs/show_trace" "$trace" | grep -q '^fsync fsync node=2$' || fail "python3: fsync"
fi
expect 0 '' sh -c 'true'
calls_none=$("$programs/show_trace" "$trace")
[ -z "$calls_none" ] || fail "calls where there were none"

# What the recorder cannot see, as without the net, is never kept.
launcher=--no-net
expect 3 'recording unsound: standard output: 6 bytes arrived, 0 were recorded' \
    "$programs/unseen" stdout
expect 3 'recording unsound: file: name (recorded does not have it, really does)' \
    "$programs/unseen" file
expect 3 'recording unsound: removing file' "$programs/unseen" removed
expect 3 'recording unsound: libfaultfs.so was not loaded' "$programs/unseen_static" stdout
expect 3 'recording unsound: file: name' sh -c "'$programs/unseen_static' file"
launcher=

# What a trace cannot show yet neither.
expect 3 'recording unsound: mmap' "$programs/unseen" mapping
expect 3 'recording unsound: moving a file into the directory' "$programs/unseen" "moved in"
expect 3 'recording unsound: moving a file out of the directory' "$programs/unseen" "moved out"
expect 3 'recording unsound: linking from outside' "$programs/unseen" "linked in"
expect 3 'recording unsound: linking to outside' "$programs/unseen" "linked out"
expect 0 '' install -m 600 /etc/passwd copy
expect 3 'bind on socket is not supported' "$programs/unseen" socket

# The workload fails.
expect 3 'exited with status 7' sh -c 'exit 7'
expect 3 'was killed by signal 9' sh -c 'kill -9 $$'
expect 3 'cannot run nonexistent: ' nonexistent
nap=20.$$ # seconds that nobody else sleeps
timeout=300ms expect 3 'did not end within 0.3 s' sleep "$nap"
timeout=300ms expect 3 'a process that it left behind is still running' \
    sh -c "sleep $nap & exit 0"
running "sleep $nap" && fail "a process was left behind"

# The directory and the trace.
usage() {
    local got=0
    "$record" "$@" >"$scratch/out" 2>"$scratch/err" || got=$?
    echo "$got"
}
mkdir -p "$root"
[ "$(usage --root "$scratch/nothing" --output "$trace" -- true)" = 3 ] || fail "no directory"
[ "$(usage --root "$scratch/err" --output "$trace" -- true)" = 3 ] || fail "not a directory"
[ "$(usage --root "$root" --output "$scratch/no/trace" -- true)" = 3 ] || fail "no place for it"
grep -q 'cannot write' "$scratch/err" || fail "did not say that it cannot write"
[ "$(usage --root "$root" --output "$trace")" = 2 ] || fail "no command"
[ "$(usage --root "$root" -- true)" = 2 ] || fail "no output"
[ "$(usage --output "$trace" -- true)" = 2 ] || fail "no root"
[ "$(usage --rot "$root" --output "$trace" -- true)" = 2 ] || fail "unknown option"
[ "$(usage --root "$root" --output "$trace" --timeout 5x -- true)" = 2 ] || fail "no time"
[ "$(usage --help)" = 0 ] || fail "--help"
grep -q '^Example:' "$scratch/out" || fail "--help without an example"
if [ "$(id -u)" != 0 ]; then
    chmod 555 "$root"
    [ "$(usage --root "$root" --output "$trace" -- sh -c ': >f')" = 3 ] || fail "read-only directory"
    chmod 755 "$root"
fi

# Stopped from outside: the workload ends too, and nothing is left.
stopped() {
    local got=0
    rm -f "$trace" "$scratch/started"
    "$record" --root "$root" --output "$trace" -- \
        sh -c "(: >'$scratch/started'; exec sleep $nap) & exec sleep $nap" &
    while [ ! -e "$scratch/started" ]; do sleep 0.01; done
    kill "-$1" $!
    wait $! || got=$?
    [ "$got" = "$2" ] || fail "exit status $got, not $2, after SIG$1"
    [ ! -e "$trace" ] || fail "a trace was left after SIG$1"
    running "sleep $nap" && fail "a process was left behind by SIG$1"
    true
}
stopped TERM 143
stopped HUP 129

# Many at a time, and killed at any moment.
expect 0 '' "$programs/storm" threads 8
expect 0 '' "$programs/storm" processes 4
expect 0 '' "$programs/storm" kill 60

[ "$failures" = 0 ] || exit 1
echo "all as it should be"
