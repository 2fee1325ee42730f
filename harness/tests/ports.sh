#!/bin/sh
# crashmatrix port: libmanifest passes as a port, wrong ports are caught rule by rule, and
# what cannot be checked is no pass.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

right=$programs/wrong_port # without $WRONG_PORT

# port ADAPTER OPTION...: one model, unless others are asked for, and no timings.
port() {
    adapter=$1
    shift
    case " $* " in *' --model '*) ;; *) set -- --model posix "$@" ;; esac
    "$crashmatrix" port --adapter "$adapter" --scratch "$work/scratch" --reproducible "$@"
}

# caught WRONG PART OPTIONS SAID: a wrong port fails there, and that is said. WRONG: as in
# wrong_ports.txt.
caught() {
    case $1 in
    platform*) adapter="env WRONG_PORT=${1#platform } $right" ;;
    adapter*) adapter=$(wrong "${1#adapter }") ;;
    esac
    # shellcheck disable=SC2086 # options are words
    expect 1 '^Verdict: fail' port "$adapter" --only "$2" $3
    grep -F "$4" "$work/output" | grep -q '^      ' || {
        cat "$work/output" >&2
        fail "$1: not caught as one that says '$4'"
    }
}

# wrong HOW: the adapter itself is wrong.
wrong() {
    echo "$here/wrong_adapter.sh $1 $right"
}

echo "libmanifest, with both commit points"
expect 0 '^Verdict: pass' port "$right" --report "$work/right" --only '*/interchange' \
    --only '*/init' --only '*/commit' --only '*/second-commit' --only '*/open'
grep -q '^  pass  .* slots/second-commit ' "$work/output" || fail "slots were left out"
python3 "$here/ports_check.py" "$here/../port.schema.json" "$work/right" pass || fail "reports"
cp "$work/right/report.json" "$work/first.json"
expect 0 '^Verdict: pass' port "$right" --report "$work/right" --only '*/interchange' \
    --only '*/init' --only '*/commit' --only '*/second-commit' --only '*/open'
cmp -s "$work/first.json" "$work/right/report.json" || fail "two equal runs, two reports"
expect 0 '^Verdict: pass' port "$right" --only 'slots/cleanup' --only 'slots/sweep' \
    --only 'slots/recover' --only 'slots/backup' --only 'slots/restore' --model vfat
expect 0 'commit-faults .* [0-9]+ calls that fail' port "$right" --only 'slots/commit-faults' \
    --faults 'fsync#1=EIO'

expect 0 '^  pass  .* slots/commit-nested' port "$right" --only 'slots/commit-nested' --nested 1 \
    --model ext4

echo "ports that leave a rule out"
grep -v '^#' "$here/wrong_ports.txt" >"$work/wrong_ports"
while IFS='|' read -r _ wrong_port part options said; do
    said=${said# } wrong_port=$(echo "$wrong_port" | xargs) part=$(echo "$part" | xargs)
    caught "$wrong_port" "$part" "$options" "$said"
done <"$work/wrong_ports"
python3 "$here/wrong_ports.py" "$here/../PORTS.md" ||
    fail "PORTS.md does not have the table that wrong_ports.py prints"

echo "twins of wrong ones"
expect 0 '^Verdict: pass' port "$(wrong sets-aside)" --only rename/commit --model ext4
expect 0 '^Verdict: pass' port "$(wrong tidies)" --only rename/commit-nested --nested 1 --model ext4

echo "adapters that are broken"
expect 3 'is no line of JSON with a code: committed, I think' port "$(wrong garbage)"
expect 3 'did not end within 1000 ms' port "$(wrong hangs)" --timeout 1s
expect 1 "the adapter's commit: exit status 3 instead of 0" port "$(wrong dies)" \
    --only rename/commit
expect 3 '^Verdict: error' port "$(wrong refuses)" --only rename/commit
expect 3 'cannot run /no/such' port /no/such/adapter

echo "ports that lack something"
expect 4 '^  unsupported rename/backup' port "$(wrong lacks)" --only 'rename/backup' \
    --only rename/open
grep -q '^Verdict: unsupported' "$work/output" || fail "that is no pass"
expect 0 '^Verdict: pass' port "$(wrong lacks)" --only 'rename/backup' --only rename/open \
    --accept unsupported --report "$work/lacks"
python3 "$here/ports_check.py" "$here/../port.schema.json" "$work/lacks" pass || fail "reports"
expect 4 '^  unsupported slots' port "$(wrong lacks)" --only 'slots/commit' --accept unsupported
expect 4 'none of the chosen models supports it: a renamed file may be empty' port "$right" \
    --only rename/commit --model vfat
expect 4 'the port has not what [0-9]* of [0-9]* vectors need' port "$(wrong lacks)" --only vectors

echo "a report that shows what failed"
expect 1 '^      replay: ' port "env WRONG_PORT=no-sync-after-switch $right" \
    --only rename/commit --report "$work/wrong"
python3 "$here/ports_check.py" "$here/../port.schema.json" "$work/wrong" fail || fail "reports"
replay=$(sed -n "s/^ *replay: //p" "$work/output" | head -n 1)
expect 1 'version 2 was acknowledged' sh -c "PATH=$(dirname "$crashmatrix"):\$PATH; $replay"

echo "usage"
expect 2 'adapter is missing' "$crashmatrix" port
expect 2 'need python3, which is not installed' env PATH=/nowhere "$crashmatrix" port \
    --adapter "$right"
expect 2 "neither rename, slots nor both" port "$right" --commit-point raw
expect 2 "no part matches 'slots/\*'" port "$right" --commit-point rename --only 'slots/*'
expect 2 'not a kind that can be accepted' port "$right" --accept everything
expect 0 'rename/second-commit' "$crashmatrix" port --help

echo "stopped"
(
    "$crashmatrix" port --adapter "$right" --scratch "$work/scratch" --report "$work/stopped" \
        --only '*/backup' >"$work/stopped.txt" 2>&1 &
    while [ ! -e "$work/stopped/rename/backup/trace.cmt" ]; do sleep 0.1; done
    kill -TERM $!
    status=0
    wait $! || status=$?
    [ "$status" -eq 4 ] || fail "a run that is stopped ended with $status"
)
grep -q '^  incomplete  interrupted' "$work/stopped.txt" || fail "that it was stopped was not said"
[ -z "$(find "$work/scratch" -mindepth 1)" ] || fail "left in the scratch directory"
