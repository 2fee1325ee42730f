#!/bin/sh
# Models and runs with a fault share the runs of a check: the reports are those of runs that
# each made itself (--apart), byte by byte, but for how many were made.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

# Recordings are synced.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm

# same WHAT STATUS OPTION...: of `crashmatrix explore`, of one recording.
same() {
    what=$1 status=$2
    shift 2
    for how in --apart ''; do
        # shellcheck disable=SC2086 # no word if it is empty
        expect "$status" '"verdict"' "$crashmatrix" explore "$work/trace" "$@" $how --json \
            --reproducible --jobs 2
        mv "$work/output" "$work/report$how"
    done
    cmp "$work/report" "$work/report--apart" || fail "$what: another report"
    expect "$status" '[0-9]+ runs made, [1-9][0-9]* that would have seen the same' \
        "$crashmatrix" explore "$work/trace" "$@"
    expect "$status" 'explored in [0-9.]+ s$' \
        "$crashmatrix" explore "$work/trace" "$@" --apart
}

record() {
    "$crashmatrix" record --setup "$1" --workload "$2" -o "$work/trace" --scratch "$work/scratch"
}

# Of a file of several granules one is read; it is renamed.
cat >"$work/write" <<'END'
head -c 1100 /dev/zero | tr '\0' x >file
sync file
printf y | dd of=file bs=1 seek=600 conv=notrunc status=none
echo promised
mv file renamed
END
cat >"$work/read" <<'END'
name=file
[ ! -e renamed ] || name=renamed
dd if=$name bs=2 skip=300 count=1 status=none || exit 1
END
record 'echo old >old' "sh $work/write"
same parts 1 --check "sh $work/read" --model 'ext*' --model 'posix*'
same spawned 1 --check "sh $work/read" --spawn --model ext2 --model ext4
grep -q '"reason"' "$work/report" || fail "nothing was found"

# A recovery that is cut, too, where names hold content and where they do not.
mender=$programs/mender
record "sh -c 'echo old >data'" "$mender install"
same recovery 1 --recover "$mender unsafe" --check "$mender check" --nested 1 \
    --model posix --model ext2 --model ext4 --model alice

# Calls that fail.
for how in --apart ''; do
    # shellcheck disable=SC2086 # no word if it is empty
    expect 1 '"faults"' "$crashmatrix" run --setup 'echo old >file' \
        --workload "$programs/careless error-ignored" --check "$programs/careless check" \
        --model posix --faults all $how --json --reproducible --scratch "$work/scratch"
    mv "$work/output" "$work/report$how"
done
cmp "$work/report" "$work/report--apart" || fail "faults: another report"
