#!/bin/sh
# A shipped target gives what it says it gives; a command and the built-in check
# give the same report, and so do one job and three.
#
# usage: target.sh BIN_DIRECTORY TARGET
set -eu

bin=$1
target=$2
file=$(dirname "$0")/../targets/$target.json
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
    echo "FAILED: $*"
    exit 1
}

# member NAME: a member of the target's file, on a line of its own there.
member() {
    sed -n "s/^  \"$1\": \"\(.*\)\",\{0,1\}\$/\1/p" "$file"
}

# explore STATUS NAME [OPTION]...: explores the recording of the target, and
# leaves the report in NAME.json.
explore() {
    expected=$1
    name=$2
    shift 2
    status=0
    "$bin/crashmatrix" explore "$work/trace.cmt" --target "$target" --json --reproducible "$@" \
        >"$work/$name.json" || status=$?
    [ "$status" -eq "$expected" ] || fail "$*: exit status $status, not $expected"
}

case=$(member check)
case=${case#manifest-target check }
expected=0
[ "$(member expect)" = pass ] || expected=1

"$bin/crashmatrix" record --target "$target" --scratch "$work" -o "$work/trace.cmt"
explore "$expected" eager --check "builtin:$case" --eager
# A process for each state of all models takes long. So the command is run under a few of them:
# if there are many states, for each under one only.
few="" one=""
if grep -q '"models": \["all"' "$file"; then
    few='--model posix --model posix-torn --model process-crash --model btrfs'
    one=$few
    case $target in
    manifest | manifest-slots | manifest-killed | manifest-killed-slots) one='--model posix' ;;
    esac
fi
# shellcheck disable=SC2086 # options or none
explore "$expected" command --eager $one
# shellcheck disable=SC2086
explore "$expected" function --check "builtin:$case" --eager $one
cmp "$work/command.json" "$work/function.json" ||
    fail "the reports of command and built-in check differ"
explore "$expected" builtin --check "builtin:$case"
explore "$expected" one --check "builtin:$case" --jobs 1
explore "$expected" three --check "builtin:$case" --jobs 3
for other in one three; do
    cmp "$work/builtin.json" "$work/$other.json" || fail "the reports of different jobs differ"
done
python3 - "$work/eager.json" <<'END'
import json, sys
models = json.load(open(sys.argv[1]))["models"]
assert models and all(model["exhaustive"] for model in models), "not exhaustive"
END

echo "branching on what the check looks at finds the same"
others=$work/builtin.json
case $target in
manifest-flush*) ;; # its check opens every file: as many runs as states
*)
    # shellcheck disable=SC2086
    explore "$expected" watched $few
    others="$others $work/watched.json"
    ;;
esac
# shellcheck disable=SC2086 # one or two
python3 - "$work/eager.json" $others <<'END'
import json, sys

def found(name):
    report = json.load(open(name))
    models = {}
    for column, model in enumerate(report["models"]):
        assert model["exhaustive"] and model["states"]["legal"] == model["states"]["covered"]
        cells = [row["cells"][column] for row in report["matrix"]]
        models[model["name"]] = (model["runs"],
                                 [(sorted(c["labels"]), c["violations"] > 0) for c in cells],
                                 sorted(v["reason"] for v in model["violations"]))
    return models

eager = found(sys.argv[1])
for name, way in zip(sys.argv[2:], ("built-in check", "command")):
    observed = found(name)
    for model, (_, *what) in observed.items():
        assert what == list(eager[model][1:]), (way, model, eager[model], what)
    runs, fewer = (sum(of[model][0] for model in observed) for of in (eager, observed))
    print(f"{way}, {len(observed)} models: {fewer} runs, not {runs}")
END

case $target in
manifest-seed-order)
    echo "what it loses: names of data files"
    python3 - "$work/command.json" <<'END'
import json, sys
(model,) = json.load(open(sys.argv[1]))["models"]
lost = [model["operations"][i] for v in model["violations"] for i in v["lost"]]
assert len(model["violations"]) >= 5, "too few violations"
assert lost and all(o["class"] == "create" and "/data-" in o["path"] for o in lost), lost
END
    echo "posix-create, where the fsync of a file keeps its name"
    explore 0 create --model posix-create
    ;;
manifest-*-slots)
    echo "records that tear inside"
    explore 0 torn --check "builtin:$case" --model posix-torn --granule 128
    ;;
esac
