#!/bin/sh
# crashmatrix cut: the command is really stopped, and the directory holds what was
# asked for.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

# A file replaced without a sync of the directory; the last step comes after the word.
cat >"$work/save" <<'END'
import os
f = os.open("new", os.O_CREAT | os.O_WRONLY)
os.write(f, b"new")
os.fsync(f)
os.rename("new", "file")
os.write(1, b"saved\n")
os.unlink("other")
END

# cut N OPTIONS...: in a fresh directory.
cut() {
    at=$1
    shift
    rm -rf "$work/db"
    mkdir "$work/db"
    echo old >"$work/db/file"
    echo other >"$work/db/other"
    "$crashmatrix" cut --at "$at" --root "$work/db" "$@" -- python3 "$work/save"
}

# holds FILE TEXT, or holds FILE when it must not be there.
holds() {
    if [ $# = 1 ]; then
        [ ! -e "$work/db/$1" ] || fail "$1 is there"
    else
        [ "$(cat "$work/db/$1")" = "$2" ] || fail "$1 does not hold '$2'"
    fi
}

echo "boundaries"
expect 0 'boundary 0 ' cut 0
holds new
expect 0 'boundary 1 ' cut 1
holds new ''
expect 0 'boundary 2 .*lost 0 of' cut 2
holds new new
holds file old
expect 0 'boundary 4 ' cut 4
holds file new
expect 0 '^saved' cut 5
holds other other
expect 0 'boundary 6 ' cut 6
holds other
expect 3 'ended after 6 calls' cut 8

echo "what is lost"
expect 0 'lost 3 of 3' cut 2 --lose all
holds new
expect 0 'lost 2 of 4' cut 4 --lose all
holds file old
expect 0 'lost 3 of 5' cut 6 --lose all
holds other other
expect 0 'lost 0 of' cut 6 --lose all --model process-crash
holds other
holds file new
expect 0 'lost 1 of 5' cut 6 --lose posix.00000000.6:3
holds file old
holds other
holds new new

echo "what cannot be"
expect 2 'no power cut' cut 4 --lose posix.00000000.4:1
expect 2 'boundary' cut 4 --lose posix.00000000.3:0
expect 2 'lose' cut 4 --lose some
expect 2 '--at' cut x
expect 2 'COMMAND' "$crashmatrix" cut --at 3
expect 2 'model' cut 3 --model 'posix*'
expect 2 'no-such-directory' "$crashmatrix" cut --at 3 --root "$work/no-such-directory" -- true

echo "nobody is left, and nothing is done after the cut"
cat >"$work/family" <<'END'
import os, time
for child in range(5):
    if os.fork() == 0:
        for step in range(1000):
            open("file%d-%d" % (child, step), "w").write("x")
        time.sleep(600)
time.sleep(600)
END
for at in 10 57 200; do
    rm -rf "$work/db"
    mkdir "$work/db"
    expect 0 "boundary $at " "$crashmatrix" cut --at "$at" --root "$work/db" -- \
        python3 "$work/family"
    before=$(find "$work/db" | wc -l)
    [ "$(pgrep -c -f "$work/family")" = 0 ] || fail "a process was left behind"
    [ "$(find "$work/db" | wc -l)" = "$before" ] || fail "somebody went on"
done

