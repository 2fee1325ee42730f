#!/bin/sh
# Files that cannot be read, under the model vfat: commands get an error, in whatever way
# they are run; the states can be replayed, laid out, left by a cut, and recovered from.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

# A block is there before, two more are appended, and the file is synced.
grow='dd if=/dev/zero bs=8192 count=1 oflag=append conv=notrunc,fsync of=f status=none'
judge="sh -c 'test ! -e f || cat f >/dev/null || { echo it cannot be read; exit 1; }'"

# explore STATUS TEXT OPTIONS...
explore() {
    status=$1 text=$2
    shift 2
    expect "$status" "$text" "$crashmatrix" run --scratch "$work/scratch" \
        --setup "sh -c 'head -c 4096 /dev/zero >f'" --workload "$grow" --check "$judge" "$@"
}

explore 0 '^Verdict: pass' --model posix
for option in --keep --eager --spawn; do
    explore 1 'cannot be read' --model vfat --report "$work/report" $option
done
grep -q 'lost: chain of f to 12288' "$work/output" || fail "not for the chain"
grep -q 'unreadable: f fails to open; FAT would' "$work/output" || fail "it is not said why"
grep -q '"unreadable":[[:space:]]*"f"' "$work/report/report.json" || fail "the data do not say why"
grep -q 'unreadable: f fails to open' "$work/report/junit.xml" || fail "JUnit does not say why"
id=$(sed -n "s/^ *replay: .*\(vfat\.[0-9a-f]*\.[^ ]*\).*/\1/p" "$work/output" | head -n 1)

expect 1 'cannot be read' "$crashmatrix" replay "$id" --trace "$work/report/trace.cmt" \
    --check "$judge"
expect 0 '' "$crashmatrix" replay "$id" --trace "$work/report/trace.cmt" --into "$work/state"
[ -S "$work/state/f" ] || fail "there is no socket"
if cat "$work/state/f" >/dev/null 2>&1; then fail "it can be read"; fi

mkdir "$work/there"
head -c 4096 /dev/zero >"$work/there/f"
expect 0 'lost' "$crashmatrix" cut --root "$work/there" --at "$(echo "$id" | sed 's/.*\.\(.*\):.*/\1/')" \
    --lose "$id" -- sh -c "$grow"
[ -S "$work/there/f" ] || fail "cut: there is no socket"

# A recovery that removes such a file may be cut, too; one that only looks changes nothing.
explore 0 'this holds for any number' --model vfat --nested fixpoint \
    --recover "sh -c 'cat f >/dev/null || rm -f f'"
explore 1 'cannot be read' --model vfat --nested fixpoint --recover "sh -c 'cat f >/dev/null || :'"
explore 1 'cannot be read' --model vfat --nested fixpoint --recover "sh -c 'cat f >/dev/null || mv f g; mv g f'"
