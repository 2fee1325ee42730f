#!/bin/sh
# crashmatrix run --faults: programs that treat an error wrongly are caught, and their
# correct twins are not accused.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

# with BUG OPTIONS...
with() {
    bug=$1
    shift
    "$crashmatrix" run --setup 'echo old >file' --workload "$programs/careless $bug" \
        --check "$programs/careless check" --model posix --scratch "$work/scratch" "$@"
}

echo "a program that treats every error as one"
expect 0 '^Verdict: pass' with none --faults all --report "$work/none"
grep -Eq '^ +[0-9]+  fsync tmp .* ok ' "$work/output" || fail "no row for fsync"
grep -Eq ' cases: [0-9]+ ok, 0 FAIL, 0 not decided' "$work/output" || fail "not all ok"
grep -q '"spec":[[:space:]]*"fsync#1=EIO"' "$work/none/report.json" || fail "not in report.json"
grep -q '<testcase classname="faults" name="fsync#1=EIO"/>' "$work/none/junit.xml" ||
    fail "not in junit.xml"
grep -q '"spec":[[:space:]]*"write#1=short:7"' "$work/none/report.json" || fail "no short write"
[ -z "$(ls "$work/none/faults")" ] || fail "traces were kept without need"

echo "programs that do not"
expect 0 '^Verdict: pass' with error-ignored
expect 1 'fsync#1=EIO: FAIL' with error-ignored --faults all --report "$work/ignored"
grep -q 'exit status 0' "$work/output" || fail "how the workload ended was not said"
grep -Eq '^ +[0-9]+  fsync tmp .*FAIL' "$work/output" || fail "no FAIL in the matrix"
replay=$(sed -n 's/^ *replay: crashmatrix replay \([^ ]*\) --trace \([^ ]*\).*/\1 \2/p' "$work/output" |
    head -n 1)
expect 1 'rejected' "$crashmatrix" replay "${replay% *}" --trace "${replay#* }" \
    --check "$programs/careless check"
expect 1 'fsync#1=EIO: FAIL' with sync-again --faults 'fsync#1=EIO'
expect 1 'write#1=short:7: FAIL' with short-write --faults 'write#1=short:7'
expect 0 '^Verdict: pass' with short-write --faults 'fsync#1=EIO'

echo "specifications"
expect 0 '1 cases: 1 ok' with none --faults 'write:tmp=ENOSPC@10'
expect 0 '2 cases: 2 ok' with none --faults 'rename=EXDEV' --faults '*#all=EROFS'
expect 4 'unlink=EIO: \?: .*never happened' with none --faults 'unlink=EIO'
expect 2 'EWRONG' with none --faults 'write=EWRONG'
expect 2 'unknown option' "$crashmatrix" explore x --faults all
