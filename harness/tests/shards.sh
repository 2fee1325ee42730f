#!/bin/sh
# Explorations in shards, merged; stopped or killed, and continued; and with a budget: the
# same reports, byte for byte, and clear words where they cannot be the same.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

bin=$(cd "$(dirname "$crashmatrix")" && pwd)
crashmatrix=$bin/crashmatrix
target=manifest-seed-order
cd "$work"
"$crashmatrix" record --target $target --scratch "$work/scratch" -o "$work/t.cmt"

# explore FOLDER OPTIONS...: in a folder of its own, so that paths in reports are equal.
explore() {
    explore_folder=$1
    shift
    mkdir -p "$explore_folder"
    (cd "$explore_folder" && "$crashmatrix" explore ../t.cmt --target $target --report r \
        --reproducible "$@" >out 2>errors)
}

# status COMMAND...: prints its exit status.
status() {
    "$@" >/dev/null 2>&1 && echo 0 || echo $?
}

# same ONE OTHER: the two folders hold the same reports.
same() {
    for file in r/report.json r/junit.xml; do
        cmp "$1/$file" "$2/$file" || fail "$2/$file is not that of $1"
    done
    cmp "$1/out" "$2/out" || fail "$2 printed something else than $1"
    valid "$2"
}

# valid FOLDER...: what the reports in them say.
valid() {
    valid_count=$#
    for valid_folder; do
        set -- "$@" "$valid_folder/r/report.json" "$valid_folder/r/junit.xml"
    done
    shift $valid_count
    python3 "$here/report_check.py" "$here/../report.schema.json" "$@" || fail "reports"
}

# parts N OPTIONS...: explores all shards of N, into part1 ... partN, in the order of chance.
parts() {
    parts_count=$1
    shift
    rm -rf part*
    for parts_index in $(seq "$parts_count" | shuf); do
        # shellcheck disable=SC2046 # a number
        [ $(status explore "part$parts_index" --shard "$parts_index/$parts_count" "$@") -le 1 ] ||
            fail "shard $parts_index of $parts_count"
    done
    valid part*
}

# merged FOLDER STATUS PART...: merges them into FOLDER.
merged() {
    merged_folder=$1 merged_expected=$2
    shift 2
    rm -rf "$merged_folder"
    mkdir "$merged_folder"
    merged_status=0
    (cd "$merged_folder" && "$crashmatrix" merge "$@" --report r --reproducible >out) ||
        merged_status=$?
    [ "$merged_status" -eq "$merged_expected" ] || fail "merge of $*: status $merged_status"
}

folders() {
    for folder in part*; do
        echo "../$folder/r"
    done | shuf
}

# Rejects states, and takes little time, also where the target is built with sanitizers.
command='cat db/MANIFEST-CURRENT db/data-2-4 >/dev/null 2>&1 || { echo missing; exit 1; }'

for check in builtin:manifest "$command"; do
    for way in '' --eager; do
        echo "shards, ${way:-observed}, of $check"
        rm -rf whole
        # shellcheck disable=SC2086 # an option or none
        [ "$(status explore whole --check "$check" $way)" -eq 1 ] || fail "the whole"
        for count in 2 7; do
            [ "$check" = builtin:manifest ] || [ $count = 2 ] || continue
            # shellcheck disable=SC2086
            parts $count --check "$check" $way --jobs 2
            # shellcheck disable=SC2046 # words
            merged all 1 $(folders)
            same whole all
        done
    done
done

echo "what was merged can be merged"
merged again 1 ../all/r
same whole again

echo "one shard's pass is no pass"
[ "$(status explore one --model posix-create --check builtin:manifest --shard 2/3)" -eq 0 ] ||
    fail "a shard of posix-create"
expect 0 '^Verdict: shard-pass [(]shard 2 of 3 only' cat one/out
grep -q '"verdict":[[:space:]]*"shard-pass"' one/r/report.json || fail "verdict of a shard"
! grep -q '"pass"' one/r/report.json || fail "a shard says pass"
grep -q '"index":[[:space:]]*2' one/r/report.json || fail "which shard"

echo "what is missing"
merged part 4 ../one/r
expect 0 'shard-missing: .* [(]shard 1 of 3[)]$' cat part/out
expect 0 '^Verdict: incomplete$' cat part/out
valid part

echo "what does not belong together"
rm -rf two three
explore two --model posix-create --check builtin:manifest --shard 1/3
cp -r one three
expect 2 'both shard 2 of 3' "$crashmatrix" merge one/r three/r
expect 2 'one of 2 shards, but others are of 3' "$crashmatrix" merge one/r part1/r
rm -rf three
explore three --model posix-create --check builtin:manifest --shard 3/3 --seed 5
expect 2 "its seed is '5', not '1'" "$crashmatrix" merge one/r two/r three/r
rm -rf three
explore three --model posix-create --check 'manifest-target check manifest' --shard 3/3
expect 2 "its check is 'manifest-target check manifest', not" "$crashmatrix" merge one/r two/r three/r
rm -rf three
explore three --model posix-create --check builtin:manifest --shard 3/3 --granule 1024
expect 2 "its (model|option --granule) is" "$crashmatrix" merge one/r two/r three/r
rm -rf three
"$crashmatrix" record --target manifest --scratch "$work/scratch" -o "$work/other.cmt"
mkdir three
(cd three && "$crashmatrix" explore ../other.cmt --target $target --model posix-create \
    --check builtin:manifest --shard 3/3 --report r >/dev/null)
expect 2 "its trace is" "$crashmatrix" merge one/r two/r three/r
sed 's/"own-creation"\(.*\)/"own-creation"\1/; s/"either"/"both"/; s/"zeros"/"garbage"/' \
    "$here/../models/posix-create.json" >other.json
expect 2 "its model digest is" "$crashmatrix" merge one/r two/r --model ./other.json
expect 2 "under model 'posix-create': give it" "$crashmatrix" merge one/r --model posix
expect 2 'holds no progress files' "$crashmatrix" merge one
expect 2 'another folder than those' "$crashmatrix" merge one/r --report one/r
expect 2 'DIR... is missing' "$crashmatrix" merge
expect 2 "shard: '0/3' is not" "$crashmatrix" explore t.cmt --shard 0/3
expect 2 "shard: '4/3' is not" "$crashmatrix" explore t.cmt --shard 4/3
expect 2 'shard needs --report' "$crashmatrix" explore t.cmt --check builtin:manifest --shard 1/3
expect 2 'in shards' "$crashmatrix" run --target $target --faults all --shard 1/3 --report f
head -c 100 one/r/progress/posix-create.cmx >cut.cmx
mv cut.cmx one/r/progress/posix-create.cmx
expect 2 'is not a whole progress file' "$crashmatrix" merge one/r two/r

echo "a check that says other things elsewhere"
rm -rf here there
printf '#!/bin/sh\ncat db/MANIFEST-CURRENT >/dev/null\necho "label: one"\n' >changing
chmod +x changing
explore here --model posix --check "$work/changing" --shard 1/2
sed -i 's/one/two/' changing
explore there --model posix --check "$work/changing" --shard 2/2
expect 2 'do not agree on states that every shard' "$crashmatrix" merge here/r there/r

echo "a run of one's own, with its own model file"
sed 's/"name": "posix-create"/"name": "mine"/' "$here/../models/posix-create.json" >mine.json
for index in 1 2; do
    expect 0 'shard-pass' "$crashmatrix" explore t.cmt --model ./mine.json --check /bin/true \
        --shard $index/2 --report own$index
done
expect 2 "no model matches 'mine'" "$crashmatrix" merge own1 own2
expect 0 '^Verdict: pass' "$crashmatrix" merge own1 own2 --model ./mine.json

echo "budgets"
rm -rf few many
[ "$(status explore few --model posix-create --check builtin:manifest --budget 5)" -eq 4 ] ||
    fail "a budget of 5"
expect 0 '^Verdict: incomplete' cat few/out
expect 0 'budget: the budget was used up .* [(]posix-create[)]$' cat few/out
expect 0 ', 5 runs: incomplete, bounded by the budget, not exhaustive' cat few/out
valid few
[ "$(status explore many --model posix-create --check builtin:manifest --budget 5 --accept budget)" \
    -eq 0 ] || fail "an accepted budget"
expect 0 '^Verdict: bounded' cat many/out
grep -q '"accepted":[[:space:]]*true' many/r/report.json || fail "accepted is not recorded"
valid many
[ "$(status explore many --check builtin:manifest --budget 100)" -eq 1 ] || fail "1 wins over 4"
expect 4 'bounded by the budget' "$crashmatrix" explore t.cmt --check 'sleep 0.05' --eager \
    --budget 300ms
expect 2 "budget: 'much' is neither" "$crashmatrix" explore t.cmt --budget much
expect 2 "seed: '0' is not" "$crashmatrix" explore t.cmt --seed 0

echo "resumed: a run with a budget goes on"
rm -rf whole
explore whole --model posix-create --check builtin:manifest
explore few --model posix-create --check builtin:manifest --resume
same whole few

echo "resumed: stopped and killed at any moment"
check="sleep 0.01; $command"
rm -rf whole pieces
[ "$(status explore whole --check "$check" --eager)" -eq 1 ] || fail "the whole"
resume=
for signal in KILL INT KILL TERM; do
    seconds=1.$(shuf -i 0-9 -n 1)
    mkdir -p pieces
    # shellcheck disable=SC2086 # an option or none
    (cd pieces && timeout --preserve-status -s $signal $seconds "$crashmatrix" explore ../t.cmt \
        --target $target --report r --reproducible --check "$check" --eager $resume \
        >out 2>errors) || true
    resume=--resume
done
expect 0 '' test -e pieces/r/progress/posix.cmx
[ "$(status explore pieces --check "$check" --eager --resume)" -eq 1 ] || fail "the last piece"
same whole pieces

echo "resumed: what differs is refused, what is missing named"
expect 2 "its check is '.*', not '/bin/true'" "$crashmatrix" explore t.cmt --target $target \
    --check /bin/true --eager --resume --report pieces/r
expect 2 'is not the trace' "$crashmatrix" explore other.cmt --target $target \
    --check builtin:manifest --resume --report pieces/r
cat >script <<'END_OF_SCRIPT'
ls -R . >/dev/null
END_OF_SCRIPT
cp "$(command -v ls)" mine
PATH=$work:$PATH
export PATH
# A script; a program that a shell looks for; both as the argument of another one.
for check in "sh $work/script" 'mine -R . >/dev/null && true' "env PATH=$PATH mine -R ."; do
    rm -rf changed
    expect 4 '^Verdict: incomplete' "$crashmatrix" explore t.cmt --check "$check" \
        --report changed --budget 1
    expect 4 '^Verdict: incomplete' "$crashmatrix" explore t.cmt --check "$check" \
        --report changed --resume --budget 2
    cp script before
    echo true | tee -a script >>mine
    expect 2 "the check's program, or a script of it, has changed" "$crashmatrix" explore t.cmt \
        --check "$check" --report changed --resume
    cp before script
    cp "$(command -v ls)" mine
    expect 4 '^Verdict: incomplete' "$crashmatrix" explore t.cmt --check "$check" \
        --report changed --resume --budget 3
done
# Shards may be of machines on which the program is another one.
for shard in 1 2; do
    echo "test -d . # $shard" >script
    expect 0 '^Verdict: shard-pass' "$crashmatrix" explore t.cmt --check "sh $work/script" \
        --shard $shard/2 --report machine$shard
done
expect 0 '^Verdict: pass' "$crashmatrix" merge machine1 machine2
expect 2 'no recording to continue' "$crashmatrix" run --target $target --resume --report nowhere
expect 2 'resume needs --report' "$crashmatrix" run --target $target --resume

echo "resumed: without a new recording"
setup="$programs/planted acknowledged-too-early setup"
workload="$programs/planted acknowledged-too-early correct"
check="$programs/planted acknowledged-too-early check"
run() {
    "$crashmatrix" run --setup "$setup" --workload "$workload" --check "$check" \
        --scratch "$work/scratch" --report run "$@"
}
expect 4 '^Verdict: incomplete' run --budget 1
sum=$(cksum <run/trace.cmt)
expect 0 '^Verdict: pass' run --resume
[ "$sum" = "$(cksum <run/trace.cmt)" ] || fail "recorded again"
expect 0 '^Verdict: pass' run
