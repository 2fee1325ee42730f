#!/bin/bash
# What is done behind the recorder's back is noticed even if it is undone, and
# nothing that the recorder did see is taken for it. Here it is this script that
# uses the directory while a recorded program waits.
#
#     test_names.sh BUILD_DIRECTORY/bin
set -eu

record=$(realpath "$1")/faultfs-record
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

# begin DIRECTORIES COMMAND: starts to record the shell command, followed by waiting
# for end(). Returns when it waits and so many directories are watched.
begin() {
    rm -f "$scratch/started" "$scratch/finish" "$trace"
    "$record" --root "$root" --output "$trace" --timeout 60s -- sh -c "$2
        : >'$scratch/started'
        until [ -e '$scratch/finish' ]; do sleep 0.02; done" 2>"$scratch/err" &
    launcher=$!
    until [ -e "$scratch/started" ] &&
        [ "$(cat "/proc/$launcher/fdinfo/"* 2>/dev/null | grep -c '^inotify wd:')" = "$1" ]; do
        sleep 0.01
        kill -0 "$launcher" || break
    done
}

# finish STATUS TEXT: how the recording ends, and what it says.
finish() {
    local got=0
    : >"$scratch/finish"
    wait "$launcher" || got=$?
    [ "$got" = "$1" ] || fail "exit status $got, not $1"
    [ -z "$2" ] || grep -qF -- "$2" "$scratch/err" || fail "\"$2\" was not said"
}

fresh() {
    rm -rf "$root"
    mkdir "$root"
}

echo "names"
fresh
begin 1 ': >seen'
finish 0 ''
fresh
begin 1 ': >seen'
: >"$root/unseen"
rm "$root/unseen"
finish 3 'recording unsound: unseen was created behind'
fresh
begin 1 'echo text >seen'
rm "$root/seen"
echo text >"$root/seen"
finish 3 'recording unsound: seen was removed behind'
fresh
mkdir "$root/old"
: >"$root/old/file"
begin 2 ': >seen'
mv "$root/old/file" "$root/old/elsewhere"
mv "$root/old/elsewhere" "$root/old/file"
finish 3 'recording unsound: old/'

echo "content"
fresh
echo text >"$root/file"
begin 1 ': >seen; exec 3>>file'
echo more >>"$root/file"
truncate -s 5 "$root/file"
finish 3 'recording unsound: file was changed behind'
fresh
begin 1 'echo text >file; echo text >other'
echo more >>"$root/other"
truncate -s 5 "$root/other"
finish 0 '' # who wrote what to a file that both wrote to cannot be told

echo "directories that are new, and that move"
fresh
begin 2 'mkdir new'
: >"$root/new/unseen"
rm "$root/new/unseen"
finish 3 'recording unsound: new/unseen was created behind'
fresh
mkdir "$root/old"
begin 3 'mv old moved; mkdir moved/new'
: >"$root/moved/new/unseen"
rm "$root/moved/new/unseen"
finish 3 'recording unsound: moved/new/unseen was created behind'
fresh
begin 3 'mkdir a b; : >b/name; rm b/name'
: >"$root/a/name"
rm "$root/a/name"
finish 3 'recording unsound: a/name was created behind'

echo "what was seen"
fresh
mkfifo "$root/fifo"
begin 1 ': >empty; : >empty
    cat fifo >/dev/null & echo text >fifo; wait
    exec 3>unlinked; rm unlinked; echo text >&3
    echo one >one; ln one two; echo more >>two; mv two three; rm one
    mkdir -p a/b; mv a c; : >c/b/x; mv c/b .; : >b/y; rm -r b c'
finish 0 ''
fresh
"$record" --root "$root" --output "$trace" -- python3 -c '
import os
for i in range(500):
    os.mkdir("a")
    os.mkdir("a/n")
    os.rename("a", "b")
    open("b/n/x", "w").close()
    os.mkdir("a")
    open("a/y", "w").close()
    os.rename("b", "a/b")
    os.rename("a/b/n", "n")
    os.unlink("n/x")
    os.rmdir("n")
    os.rmdir("a/b")
    os.unlink("a/y")
    os.rmdir("a")' 2>"$scratch/err" || fail "directories that come and go"

echo "what inotify does not report is said"
grep -q names-unwatched "$trace" && fail "directories that come and go: not all was watched"
fresh
begin 1 'echo text >a; echo text >b'
kill -STOP "$launcher"
python3 - "$root" "$(cat /proc/sys/fs/inotify/max_queued_events)" <<'EOF'
import sys
root, limit = sys.argv[1:]
files = [open(root + name, "r+b", buffering=0) for name in ("/a", "/b")]
for i in range(int(limit) + 10):
    files[i % 2].seek(0)
    files[i % 2].write(b"text\n")
EOF
kill -CONT "$launcher"
finish 0 ''
grep -q names-unwatched "$trace" || fail "dropped events were not noted"
limits=/proc/sys/user
if unshare -Ur sh -c "echo 0 >$limits/max_inotify_watches" 2>"$scratch/err"; then
    for limit in max_inotify_watches max_inotify_instances; do
        fresh
        unshare -Ur sh -c "echo 0 >$limits/$limit
            exec '$record' --root '$root' --output '$trace' -- sh -c ': >f'" 2>"$scratch/err" ||
            fail "no $limit"
        grep -q names-unwatched "$trace" || fail "$limit was not noted"
    done
else
    echo "skipped: no user namespace whose limits could be set"
fi

[ "$failures" = 0 ] || exit 1
echo "all as it should be"
