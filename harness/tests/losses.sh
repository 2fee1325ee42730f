#!/bin/sh
# Bugs that need more than one operation lost: a small overwrite that tears, and two
# files that must not both be old. Their correct twins are not accused.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

cat >"$work/overwrite" <<'END_OF_PROGRAM'
import os, sys
files, synced = sys.argv[1].split(","), sys.argv[2:] == ["synced"]
for name in files:
    f = os.open(name, os.O_WRONLY)
    os.pwrite(f, b"world!", 0)
    if synced:
        os.fsync(f)
os.write(1, b"done\n")
END_OF_PROGRAM

# explored STATUS TEXT CHECK FILES [synced] -- OPTIONS...
explored() {
    status=$1 text=$2 check=$3 files=$4
    shift 4
    synced=
    [ "$1" = -- ] || { synced=$1; shift; }
    shift
    expect "$status" "$text" "$crashmatrix" run --scratch "$work/scratch" \
        --setup 'printf hello! >one; printf hello! >two' \
        --workload "python3 $work/overwrite $files $synced" --check "$check" "$@"
}

# shellcheck disable=SC2016 # for the shell that runs it
whole='case "$(cat one)" in hello!) ! grep done "$CRASHMATRIX_STDOUT" ;; world!) ;; *) echo torn; false ;; esac'
explored 0 '^Verdict: pass' "$whole" one synced -- --model posix
explored 1 '^  torn  \(56 states\)' "$whole" one synced -- --model posix-torn --granule 1
# Every combination of bytes, two of which are the same in both words.
expect 1 ' 64 legal states, 16 distinct' "$crashmatrix" run --scratch "$work/scratch" \
    --setup 'printf hello! >one' --workload "python3 $work/overwrite one" \
    --check 'cat one; false' --model posix-torn --granule 1 --eager

# shellcheck disable=SC2016
both='if grep -q done "$CRASHMATRIX_STDOUT" && test "$(cat one two)" = hello!hello!; then echo both; exit 1; fi'
for way in '' --eager; do
    # shellcheck disable=SC2086 # nothing, or one word
    explored 1 '^  both  \(1 state\)' "$both" one,two -- --model posix $way
    # shellcheck disable=SC2086
    explored 0 '^Verdict: pass' "$both" one,two synced -- --model posix $way
done
echo "both are found"
