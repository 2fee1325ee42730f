#!/bin/sh
# Writers of several processes and threads are explored soundly, however they happen to
# interleave: what they promised rightly is never missed, and a promise that rests on an
# fsync of another process is believed if that began after the write had returned.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

# explored STATUS TEXT TURN OPTIONS...
explored() {
    status=$1 text=$2 turn=$3
    shift 3
    expect "$status" "$text" "$crashmatrix" run --scratch "$work/scratch" \
        --setup "$programs/concurrent setup" --workload "$programs/concurrent workload $turn" \
        --check "$programs/concurrent check" --model all "$@"
}

for round in 1 2 3 4 5; do
    explored 0 '^Verdict: pass' together
    echo "round $round: $(grep -E '^  posix +covered' "$work/output")"
done
explored 0 '^Verdict: pass' after
explored 1 '^  the record of the turn is lost' before --model posix
grep -q '^  posix .* exhaustive' "$work/output" || fail "not exhaustive"
! grep -q 'a promised record is lost\|without its block' "$work/output" || fail "an innocent accused"
