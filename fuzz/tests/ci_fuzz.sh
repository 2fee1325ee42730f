#!/bin/bash
# ci/fuzz by itself: what it refuses, and with a stand-in for libFuzzer what it makes of a
# finding, of Ctrl-C, and of what an interrupted campaign has left.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
    printf 'ci_fuzz.sh: %s\n' "$*" >&2
    exit 1
}

# expect STATUS TEXT ARGUMENT...: of ci/fuzz ARGUMENT...
expect() {
    local wanted=$1 text=$2 status=0 output
    shift 2
    output=$(ci/fuzz "$@" 2>&1) || status=$?
    [ "$status" -eq "$wanted" ] || fail "ci/fuzz $*: status $status, not $wanted: $output"
    [[ $output = *"$text"* ]] || fail "ci/fuzz $*: does not say '$text': $output"
}

expect 0 'usage: ci/fuzz COMMAND' --help
for command in list run minimise coverage replay; do
    expect 0 "usage: ci/fuzz $command" "$command" --help
    expect 2 'no such option: --colour' "$command" --colour
    expect 2 'no such target: jsno' "$command" jsno
done
expect 0 'usage: ci/fuzz controls' controls --help
expect 2 'what shall be done?'
expect 2 'no such command: dance' dance
expect 2 'not a number of seconds: 1h' run --seconds 1h
expect 2 'not a number of processes: 0' run --jobs 0
expect 2 '--out needs a value' run --out
expect 2 'no such folder' run --programs "$folder/nothing"
expect 2 'neither gcc nor clang: tcc' replay --compiler tcc
expect 2 'needs a target' minimise
expect 2 'no corpus' minimise json "$folder/nothing"
expect 0 'json ' list

# ---- The list of what is not reached ----

# Of b.c one line of second is not reached, of a.c nothing is missing.
cat >"$folder/lcov" <<'END'
SF:/x/impl/src/a.c
FN:1,whole
DA:1,4
end_of_record
SF:/x/impl/src/b.c
FN:10,b.c:second
FN:2,first
DA:3,1
DA:11,0
DA:12,7
end_of_record
END

# compare STATUS TEXT ROW...: of the list with these rows.
compare() {
    local wanted=$1 text=$2 status=0 output
    shift 2
    printf '%s\n' "$@" >"$folder/list"
    output=$(fuzz/compare_coverage "$folder/lcov" "$folder/list") || status=$?
    [ "$status" -eq "$wanted" ] || fail "compare_coverage $*: status $status, not $wanted: $output"
    [[ $output = *"$text"* ]] || fail "compare_coverage $*: does not say '$text': $output"
}

# shellcheck disable=SC2016 # the backquotes are Markdown's
{
    compare 0 '' '| b.c | `second` | a reason |'
    compare 1 'not listed: second' '| a | table |'
    compare 1 'not listed: second' '| a.c | `second` | of another file |'
    compare 1 'listed for b.c, but reached, or listed twice: first' \
        '| b.c | `first`, `second` | a reason |'
    compare 1 'listed twice: second' '| b.c | `second` | a reason |' '| b.c | `second` | another |'
}
status=0
fuzz/compare_coverage "$folder/nothing" fuzz/COVERAGE.md 2>/dev/null || status=$?
[ "$status" -eq 2 ] || fail "compare_coverage of nothing: status $status"

# ---- With a stand-in ----

# Does what STAND_IN says, and is as wordy as libFuzzer.
cat >"$folder/fuzz_json" <<'END'
#!/bin/bash
for argument; do
    case $argument in
    -runs=0)
        echo '#5 INITED cov: 7 ft: 9 corp: 2/4b'
        exit 0
        ;;
    -artifact_prefix=*) prefix=${argument#*=} ;;
    -dict=* | -fork=3) echo "$argument" ;;
    esac
done
echo '#1234: cov: 8 ft: 9 corp: 2 exec/s 617 oom/timeout/crash: 0/0/1 time: 2s job: 1'
case $STAND_IN in
finding) echo input >"${prefix}crash-0123" ;;
endless)
    mkdir -p "$TMPDIR/libFuzzerTemp/C1"
    echo unmerged >"$TMPDIR/libFuzzerTemp/C1/abcd"
    exec sleep 60
    ;;
broken) exit 1 ;;
esac
echo 'INFO: exiting: 0 time: 2s'
END
chmod +x "$folder/fuzz_json"
run=(run --programs "$folder" --out "$folder/out" --seconds 1 --jobs 3 json)

export STAND_IN=nothing
expect 0 ' 1234 ' "${run[@]}"
grep -q -- -fork=3 "$folder/out/json/log" || fail '--jobs is not passed on'
grep -q -- -dict=fuzz/dictionaries/json.dict "$folder/out/json/log" || fail 'no dictionary'
grep -q '7 -> 7 (+0)' "$folder/out/summary" || fail 'no table is kept'
STAND_IN=broken
expect 1 'did not come to its end on json' "${run[@]}"

# interrupt SIGNAL: whose number is not ignored, as it is in what a shell runs behind its back.
interrupt() {
    STAND_IN=endless python3 - "$@" <<'END'
import signal, subprocess, sys, time
reset = lambda: [signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGTERM)]
process = subprocess.Popen(["ci/fuzz", *sys.argv[3:]], preexec_fn=reset)
for _ in range(600):
    if subprocess.run(["test", "-s", sys.argv[2]]).returncode == 0:
        break
    time.sleep(0.1)
process.send_signal(getattr(signal, sys.argv[1]))
sys.exit(process.wait())
END
}

for signal in SIGINT SIGTERM; do
    rm -rf "$folder/out"
    status=0
    interrupt "$signal" "$folder/out/json/running/libFuzzerTemp/C1/abcd" "${run[@]}" \
        >"$folder/output" || status=$?
    [ "$status" -eq 130 ] || fail "$signal: status $status"
    grep -q ' 1234 ' "$folder/output" || fail "$signal: no table: $(cat "$folder/output")"
    [ "$(cat "$folder/out/json/corpus/abcd")" = unmerged ] || fail "$signal: an input is lost"
    [ ! -e "$folder/out/json/running" ] || fail "$signal: leftovers"
done

# It goes on: nothing of before is lost, and a finding stays one until it is taken away.
STAND_IN=finding
expect 1 'findings/crash-0123' "${run[@]}"
STAND_IN=nothing
expect 1 '1 findings:' "${run[@]}"
[ -e "$folder/out/json/corpus/abcd" ] || fail 'the corpus of before is lost'
rm "$folder/out/json/findings/crash-0123"
expect 0 ' 1234 ' "${run[@]}"
