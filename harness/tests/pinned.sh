#!/bin/sh
# What a check depends on besides the state is the same in each run, or marked: random numbers
# are pinned, and what other runs find (files, sockets, shared memory) makes the verdict
# incomplete, unless that is accepted. What is neither, the audit may find.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

outside=$work/outside
mkdir "$outside"
echo constant >"$outside/constant"
mkfifo "$outside/fifo"
"$crashmatrix" record --setup 'printf 1 >a' --workload 'sh -c "printf 2 >b; mv b a; printf 3 >c"' \
    --scratch "$work/scratch" -o "$work/trace.cmt"

# explored STATUS PATTERN CHECK OPTIONS...
explored() {
    explored_status=$1 explored_text=$2 explored_check=$3
    shift 3
    expect "$explored_status" "$explored_text" "$crashmatrix" explore "$work/trace.cmt" \
        --check "$explored_check" "$@"
}

explored 0 branching "cat a" --json
if grep -q '"branching":[[:space:]]*"eager"' "$work/output"; then
    echo "skipped: commands cannot be watched here"
    exit 77
fi

# All that is printed as a label of the one state in which nothing is lost, and of all.
labels() {
    "$crashmatrix" explore "$work/trace.cmt" --json --reproducible --check "$@" |
        python3 -c 'import json, sys
rows = json.load(sys.stdin)["matrix"]
print(*sorted({label for row in rows for label in row["cells"][0]["labels"]}))'
}

"$programs/pinned" list >"$work/cases"
while read -r kind name; do
    check="$programs/pinned $name $outside"
    for way in --jobs=2 --spawn --eager; do
        # Which calls are asked about depends on the way: when only changes are of interest
        # nobody hears of what is opened for reading.
        case $way-$kind-$name in
            --eager-random-stir) status=4 text=unpinned-random ;;
            --spawn-executed-*) status=0 text='^Verdict: pass' ;;
            *-executed-*) continue ;;
            --eager-random-* | --eager-*-fifo | --eager-same-devices) continue ;;
            *-same-*) status=0 text='^Verdict: pass' ;;
            *-outside-*) status=4 text=outside-reached ;;
            *-random-*) status=4 text=unpinned-random ;;
        esac
        [ $way != --jobs=2 ] || way='--jobs 2'
        echo >"$outside/once"
        # shellcheck disable=SC2086 # words
        explored $status "$text" "$check" $way
        if [ $status -ne 0 ]; then
            echo >"$outside/once"
            # shellcheck disable=SC2086
            explored 0 "$text.*accepted" "$check" $way --accept $text ||
                fail "$name: not accepted"
        fi
    done
    echo "$kind: $name"
done <"$work/cases"

echo "one label in all states, and runs; also where the program is executed"
one=$(labels "$programs/pinned addresses $outside" --spawn)
[ "$(echo "$one" | wc -w)" -eq 1 ] || fail "addresses: $one"
for name in dice devices; do
    one=$(labels "$programs/pinned $name $outside")
    [ "$(echo "$one" | wc -w)" -eq 1 ] || fail "$name: $one"
    [ "$one" = "$(labels "$programs/pinned $name $outside" --spawn --jobs 1)" ] || fail "$name"
done
one=$(labels "$programs/pinned dice $outside" --eager)
[ "$(echo "$one" | wc -w)" -eq 1 ] || fail "dice, eagerly: $one"
# shellcheck disable=SC2016 # for the shell that runs it
one=$(labels 'echo label: $(python3 -c "print(hash(\"a\"))") $(cat a c >/dev/null 2>&1)')
[ "$(echo "$one" | wc -w)" -eq 1 ] || fail "hashes of Python: $one"
# shellcheck disable=SC2016
one=$(labels 'echo label: $(head -c 8 /dev/urandom | od -An -tx8; cat a c 2>&1)')
[ "$(echo "$one" | wc -w)" -eq 1 ] || fail "a shell's: $one"

echo "what is told of it is kept, and merged"
check="$programs/pinned log $outside"
for shard in 1 2; do
    expect 4 outside-reached "$crashmatrix" explore "$work/trace.cmt" --check "$check" \
        --shard $shard/2 --report "$work/part$shard"
done
expect 4 "outside-reached: .* [(]changes $outside/log[)]" \
    "$crashmatrix" merge "$work/part1" "$work/part2"
expect 4 outside-reached "$crashmatrix" explore "$work/trace.cmt" --check "$check" \
    --report "$work/whole" --budget 1
# A check that changes nothing any more: what was decided before is no more certain for that.
expect 4 outside-reached "$crashmatrix" explore "$work/trace.cmt" --check "$check" \
    --report "$work/whole" --resume

echo "what is neither pinned nor marked, the audit finds, also if eager"
cat >"$work/process" <<'END_OF_SCRIPT'
echo "label: $$"
END_OF_SCRIPT
for way in '' --eager; do
    # shellcheck disable=SC2086
    explored 4 'nondeterministic-check' "sh $work/process" $way
done
for way in '' --eager; do
    # shellcheck disable=SC2086
    explored 0 '^Verdict: pass' "cat a" $way
done
