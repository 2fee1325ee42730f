#!/bin/sh
# Signals that come to a check meanwhile do not make calls fail that they would not make fail
# without the harness, however its calls are watched; and those fail that they would.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

# The second one has a file of several granules: then reads and forks are watched, too.
"$crashmatrix" record --setup 'sh -c "echo abc >file"' --workload 'echo done >>file; echo done' \
    --scratch "$work/scratch" -o "$work/names.cmt"
"$crashmatrix" record --setup 'sh -c "echo abc >file; head -c 16384 /dev/zero >pages"' \
    --workload 'yes | dd of=pages bs=4096 count=2 conv=notrunc 2>/dev/null; echo done' \
    --scratch "$work/scratch" -o "$work/reads.cmt"

# A shell that forks in all ways, with a handler that interrupts what it does.
cat >"$work/forks" <<'EOT'
trap : CHLD
i=0
while [ $i -lt 5 ]; do
    word=$(head -n 1 file | cat) || exit 1
    case $word in abc | '') ;; *) echo "read $word"; exit 1 ;; esac
    i=$((i + 1))
done
EOT

for trace in names reads; do
    for how in --eager --spawn --jobs=2; do
        for case in files forks children last pipe; do
            expect 0 'pass, exhaustive' "$crashmatrix" explore "$work/$trace.cmt" --model posix \
                $how --check "$programs/interrupted $case"
        done
        expect 0 'pass, exhaustive' "$crashmatrix" explore "$work/$trace.cmt" --model posix \
            $how --check "/bin/sh $work/forks"
    done
done
