#!/bin/sh
# Power cuts during recovery: a recovery that is unsafe, one that is so only if it is cut
# twice, and the correct one; their reports, the same for any --jobs; what replay makes of
# their ids; and clear words for what does not go together.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

mender=$programs/mender
# Recordings of recoveries are synced.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm

# mend STATUS TEXT RECOVERY NESTED OPTIONS...
mend() {
    mend_status=$1 mend_text=$2 mend_how=$3 mend_nested=$4
    shift 4
    expect "$mend_status" "$mend_text" "$crashmatrix" run --scratch "$work/scratch" \
        --setup "sh -c 'echo old >data'" --workload "$mender install" \
        --recover "$mender $mend_how" --check "$mender check" --nested "$mend_nested" "$@"
}

mend 0 '^Verdict: pass' unsafe 0 --model all --model '!alice'
mend 1 '^  there is no data ' unsafe 1 --model posix --model posix-torn
mend 0 'this holds for any number of them' safe fixpoint
mend 0 'more cuts might leave something new' impatient 1
mend 1 'then the next recovery, cut after' impatient 2
mend 1 '^  there is no data ' impatient fixpoint

# Where the removal of a name cuts or frees the file, that was looked at, too.
for model in alice ext2 vfat; do
    mend 1 'exhaustive' unsafe 1 --model $model
done

# Branching on everything finds the same.
mend 1 '^  there is no data ' unsafe 1 --eager
mend 0 'this holds for any number of them' safe fixpoint --eager
mend 0 'this holds for any number of them' safe fixpoint --spawn

# The reports, for any number of jobs.
for jobs in 1 3; do
    mend 1 '' impatient 2 --report "$work/r" --reproducible --jobs $jobs --keep
    python3 "$here/report_check.py" "$here/../report.schema.json" "$work/r/report.json" \
        "$work/r/junit.xml" || fail "reports"
    cp "$work/r/report.json" "$work/report.$jobs"
    cp "$work/r/junit.xml" "$work/junit.$jobs"
done
cmp "$work/report.1" "$work/report.3" || fail "reports differ by jobs"
cmp "$work/junit.1" "$work/junit.3" || fail "reports differ by jobs"
grep -q 'name="cuts during recovery">' "$work/junit.1" || fail "no case for cuts during recovery"

# Each id replays, with the recovery and without: then it is only rebuilt.
ids=$(grep -o 'posix[.][0-9a-f.:+,/-]*' "$work/junit.1" | sort -u)
[ -n "$ids" ] || fail "no ids"
for id in $ids; do
    expect 1 '^rejected: ' "$crashmatrix" replay "$id" --trace "$work/r/trace.cmt" \
        --recover "$mender impatient" --check "$mender check"
    [ -d "$work/r/states/$(echo "$id" | tr / _)" ] || fail "$id was not kept"
done
id=$(echo "$ids" | grep '/.*/' | head -n 1)
expect 2 'the recovery does not do what it did then' "$crashmatrix" replay "$id" \
    --trace "$work/r/trace.cmt" --recover "$mender safe" --check "$mender check"
expect 2 'give the recovery, too' "$crashmatrix" replay "$id" --trace "$work/r/trace.cmt" \
    --check "$mender check"

# A recovery that fails is a violation; one that is no function of the state is told of.
mend 1 '^  recover: next: No such file' unsafe 1
expect 1 '^  recover: exit status 9 ' "$crashmatrix" run --scratch "$work/scratch" \
    --workload "$mender install" --recover 'exit 9' --check true
# shellcheck disable=SC2016 # for the recovery's shell
expect 4 'nondeterministic-recovery' "$crashmatrix" run --scratch "$work/scratch" \
    --workload 'touch a' --recover 'date +%N >b' --check true --nested 1

# A budget bounds it, which is said.
mend 4 'bounded by the budget' safe fixpoint --budget 20

# What does not go together.
expect 2 '--nested needs --recover' "$crashmatrix" run --scratch "$work/scratch" \
    --workload true --check true --nested 1
expect 2 'neither a whole number from 0 to 64 nor fixpoint' "$crashmatrix" run \
    --workload true --check true --recover true --nested often
expect 2 'not done in shards' "$crashmatrix" run --workload true --check true --recover true \
    --nested 1 --shard 1/2 --report "$work/s"
expect 2 'recovers by itself' "$crashmatrix" run --scratch "$work/scratch" \
    --workload true --check builtin:manifest --recover true
