#!/bin/sh
# A check that is declared monotone is run less, and comes to the same verdicts; one that
# is declared so and is not is found out.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

cat >"$work/count" <<'END_OF_PROGRAM'
import os, sys
synced = sys.argv[1:] == ["synced"]
f = os.open("counter", os.O_RDWR)
for number in range(1, 17):
    os.pwrite(f, b"%02d" % number, 0)
    if synced:
        os.fsync(f)
    os.write(1, b"%d\n" % number)
END_OF_PROGRAM

# explored STATUS TEXT CHECK synced|not -- OPTIONS...
explored() {
    status=$1 text=$2 check=$3 synced=$4
    shift 5
    expect "$status" "$text" "$crashmatrix" run --scratch "$work/scratch" \
        --setup 'printf 00 >counter' --workload "python3 $work/count $synced" \
        --check "$check" --model posix "$@"
}

runs() {
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["models"][0]["runs"])' \
        "$work/output"
}

# As much as was said, or more: the more was said, the more is asked for.
# shellcheck disable=SC2016 # for the shell that runs it
enough='test "$(cat counter)" -ge "$(wc -l <"$CRASHMATRIX_STDOUT")" || { echo lost; false; }'
explored 0 '"monotone":.false' "$enough" synced -- --json
plain=$(runs)
explored 0 '"monotone":.true' "$enough" synced -- --json --monotone
[ "$(runs)" -lt "$plain" ] || fail "$(runs) runs with --monotone, $plain without"
explored 0 'declared monotone' "$enough" synced -- --monotone
explored 0 '"monotone":.false' "$enough" synced -- --json --monotone --eager
for way in --monotone --eager; do
    explored 1 '^  lost  ' "$enough" not -- "$way"
done

# Not more than was said: the less was said, the more is asked for. With the most output
# each state is accepted, but the audit tries some with less.
# shellcheck disable=SC2016
not_more='test "$(cat counter)" -le "$(wc -l <"$CRASHMATRIX_STDOUT")" || { echo unsaid; false; }'
explored 1 '^  unsaid  ' "$not_more" synced --
explored 4 'with less output: it is not monotone' "$not_more" synced -- --monotone

# Shards of both kinds are not of one exploration; those of one are merged.
explored 0 '^Verdict: shard-pass' "$enough" synced -- --monotone --shard 1/2 --report "$work/one"
for way in '' --monotone; do
    # shellcheck disable=SC2086 # nothing, or one word
    expect 0 '^Verdict: shard-pass' "$crashmatrix" explore "$work/one/trace.cmt" --check "$enough" \
        --model posix --shard 2/2 --report "$work/two$way" $way
done
expect 2 "its monotone is 'no', not 'yes'" "$crashmatrix" merge "$work/one" "$work/two"
expect 0 '"monotone":.true' "$crashmatrix" merge "$work/one" "$work/two--monotone" --json

# Targets say it in their file.
cat >"$work/target.json" <<END_OF_TARGET
{
  "schema": "crashmatrix/target/1",
  "name": "counter",
  "description": "A counter that is printed.",
  "setup": "printf 00 >counter",
  "workload": "python3 $work/count synced",
  "check": "test \"\$(cat counter)\" -ge \"\$(wc -l <\"\$CRASHMATRIX_STDOUT\")\"",
  "models": ["posix"],
  "expect": "pass",
  "monotone": true
}
END_OF_TARGET
expect 0 '"monotone":.true' "$crashmatrix" run --target "$work/target.json" --json \
    --scratch "$work/scratch"
sed 's/"monotone": true/"monotone": "yes"/' "$work/target.json" >"$work/wrong.json"
expect 2 'monotone: must be true or false' "$crashmatrix" run --target "$work/wrong.json" \
    --scratch "$work/scratch"
echo "monotone checks are run less, and others found out"
