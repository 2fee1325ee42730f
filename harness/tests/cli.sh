#!/bin/sh
# The command line: exit statuses, clear messages on bad input, nothing left
# behind, and results that depend on nothing but the input.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

bug=acknowledged-too-early
setup="$programs/planted $bug setup"
workload="$programs/planted $bug correct"
check="$programs/planted $bug check"

# run_with SETUP WORKLOAD CHECK OPTIONS...
run_with() {
    run_setup=$1
    run_workload=$2
    run_check=$3
    shift 3
    "$crashmatrix" run --setup "$run_setup" --workload "$run_workload" --check "$run_check" "$@"
}

# run OPTIONS...: the correct twin of a planted bug.
run() {
    run_with "$setup" "$workload" "$check" --model posix --scratch "$work/scratch" "$@"
}

# fails STATUS PATTERN SETUP WORKLOAD CHECK OPTIONS...
fails() {
    fails_status=$1
    fails_pattern=$2
    shift 2
    expect "$fails_status" "$fails_pattern" run_with "$@" --model posix --scratch "$work/scratch"
}

echo "usage"
expect 0 'run' "$crashmatrix" --help
expect 0 '[0-9]+\.[0-9]+\.[0-9]+' "$crashmatrix" --version
for subcommand in run record explore show models targets replay; do
    expect 0 "crashmatrix $subcommand" "$crashmatrix" "$subcommand" --help
done
expect 0 'manifest-seed-order' "$crashmatrix" targets
expect 2 'Usage' "$crashmatrix"
expect 2 'no-such-command' "$crashmatrix" no-such-command
expect 2 'no-such-option' run --no-such-option
expect 2 'no-such-model' run --model no-such-model
expect 2 'no-such-[*]' run --model 'no-such-*'
expect 2 'no-such-target' "$crashmatrix" run --target no-such-target
expect 2 '--check' "$crashmatrix" run --workload "$workload" --model posix
expect 2 '--workload' "$crashmatrix" run --check "$check" --model posix
expect 2 'granule' run --granule 0
expect 2 'jobs' run --jobs many
expect 2 'timeout' run --timeout soon

echo "targets"
cat >"$work/target.json" <<END
{ "schema": "crashmatrix/target/1", "name": "sample", "description": "a sample",
  "packages": ["no-such-package"], "needs": ["sh", "no-such-command"],
  "workload": "true", "check": "true", "models": ["posix"], "expect": "pass" }
END
expect 2 "'no-such-command', which is not installed; install no-such-package" \
    "$crashmatrix" run --target "$work/target.json"
expect 2 "'no-such-command', which is not installed; install no-such-package" \
    "$crashmatrix" record --target "$work/target.json" -o "$work/trace.cmt"
sed 's/, "no-such-command"//' "$work/target.json" >"$work/needs.json"
expect 0 'Verdict: pass' "$crashmatrix" run --target "$work/needs.json" --scratch "$work/scratch"
sed 's/\["sh", "no-such-command"\]/"sh"/' "$work/target.json" >"$work/needs.json"
expect 2 'needs.json: needs: must be a list' "$crashmatrix" run --target "$work/needs.json"

# A shipped target that is not for all models says why.
for file in "$here"/../targets/*.json; do
    grep -q '"models": \["all"\],' "$file" || grep -q '"restriction": "..*",' "$file" ||
        fail "$file: no reason for its models"
done
expect 0 'models: all but vfat' "$crashmatrix" targets

echo "models"
sed '0,/{/s//{ "surprise": 1,/' "$here/../models/posix.json" >"$work/surprise.json"
expect 2 'surprise' run --model "$work/surprise.json"
echo '{' >"$work/broken.json"
expect 2 'broken\.json' run --model "$work/broken.json"
expect 2 'missing\.json' run --model "$work/missing.json"

echo "programs that fail"
fails 3 'setup' false "$workload" "$check"
fails 3 'workload' "$setup" false "$check"
# shellcheck disable=SC2016 # for the shell that runs it
fails 3 'workload' "$setup" 'kill -9 $$' "$check"
fails 3 'unsound: moving a file into' "$setup" 'echo text >../outside; mv ../outside f' "$check"
fails 1 'exit status 7' "$setup" "$workload" 'exit 7'
# shellcheck disable=SC2016
fails 1 '^Verdict: fail' "$setup" "$workload" 'kill -SEGV $$'

echo "a check that hangs"
fails 1 '^Verdict: fail' "$setup" "$workload" 'sleep 600' --timeout 1s --report "$work/hangs"
grep -q '"status":[[:space:]]*"timeout"' "$work/hangs/report.json" || fail "no time-out reported"

echo "an exploration that is interrupted"
expect 4 '^Verdict: incomplete' timeout --preserve-status -s INT 3 "$crashmatrix" run \
    --setup "$setup" --workload "$workload" --check 'sleep 600' --timeout 600s \
    --scratch "$work/scratch" --model posix

echo "what was not seen"
uring="$workload; python3 -c 'import ctypes; ctypes.CDLL(None).syscall(425, 4, bytes(120))'"
if [ "$(uname -m)" = x86_64 ] && [ "$(python3 -c 'print(1)')" = 1 ]; then
    expect 4 'io-uring: .*[(]python3[)]$' run_with "$setup" "$uring" "$check" --model posix
    expect 0 'io-uring: .*[(]python3[)], accepted$' run_with "$setup" "$uring" "$check" --model posix \
        --accept io-uring --report "$work/accepted"
    grep -q '"complete":[[:space:]]*true' "$work/accepted/report.json" || fail "not complete"
    expect 1 'io-uring' run_with "$setup" "$uring" 'exit 7' --model posix
fi
expect 2 'nothing' run --accept nothing
expect 2 'interrupted' run --accept interrupted

echo "directories"
expect 2 '/proc' run_with "$setup" "$workload" "$check" --model posix --scratch /proc
expect 2 'no-such' run_with "$setup" "$workload" "$check" --model posix \
    --scratch "$work/no-such"
expect 2 '/proc/report' run --report /proc/report

echo "traces"
expect 0 '' "$crashmatrix" record --setup "$setup" --workload "$workload" \
    --scratch "$work/scratch" -o "$work/trace.cmt"
expect 0 'fsync account' "$crashmatrix" show "$work/trace.cmt"
expect 0 '^Verdict: pass' "$crashmatrix" explore "$work/trace.cmt" --check "$check" \
    --model posix
expect 2 'no-such' "$crashmatrix" show "$work/no-such.cmt"
expect 2 'id' "$crashmatrix" replay nonsense --trace "$work/trace.cmt" --check "$check"
expect 2 'trace' "$crashmatrix" replay posix.00000000.1:0 --trace "$work/trace.cmt" \
    --check "$check"
# Here some lengths are enough; test_trace cuts at every byte.
size=$(wc -c <"$work/trace.cmt")
length=0
while [ "$length" -lt "$size" ]; do
    head -c "$length" "$work/trace.cmt" >"$work/cut.cmt"
    expect 2 'cut\.cmt' "$crashmatrix" show "$work/cut.cmt"
    length=$((length + 23))
done

echo "numbers of calls"
# A store takes effect as soon as it may have been made, before calls that end before it.
cat >"$work/store.py" <<'EOT'
import mmap, os
file = os.open("f", os.O_RDWR)
memory = mmap.mmap(file, 7)
memory[0:3] = b"new"
os.rename("other", "renamed")
os.fsync(file)
EOT
expect 0 '' "$crashmatrix" record --setup 'sh -c "printf 1234567 >f; touch other"' \
    --workload "python3 $work/store.py" --scratch "$work/scratch" -o "$work/store.cmt"
expect 1 'data of f' "$crashmatrix" explore "$work/store.cmt" --check '! grep -q new f' \
    --model posix
number=$(sed -n 's/.*kept: data of f 0+3 (mmap, call \([0-9]*\)).*/\1/p' "$work/output")
expect 0 "^ *${number:-none}  .*  mmap f 0\\+3 " "$crashmatrix" show "$work/store.cmt"

echo "results that depend on nothing else"
for jobs in 1 2; do
    expect 0 '^Verdict: pass' run --jobs "$jobs" --reproducible --report "$work/jobs-$jobs"
done
for report in report.json junit.xml; do
    cmp "$work/jobs-1/$report" "$work/jobs-2/$report" || fail "$report depends on --jobs"
done
run --json --reproducible >"$work/json"
cmp "$work/json" "$work/jobs-1/report.json" || fail "--json differs from report.json"
