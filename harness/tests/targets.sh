#!/bin/sh
# The shipped targets: each gives what it says it gives; a command and the
# built-in check give the same report, and so do one job and three.
#
# usage: targets.sh BIN_DIRECTORY TESTS_DIRECTORY
set -eu

bin=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*"
    exit 1
}

# explore STATUS NAME [OPTION]...: explores the recording of the target, and
# leaves the report in NAME.json.
explore() {
    expected=$1
    name=$2
    shift 2
    status=0
    "$bin/crashmatrix" explore "$work/trace.cmt" --json --reproducible "$@" \
        >"$work/$name.json" || status=$?
    [ "$status" -eq "$expected" ] || fail "$*: exit status $status, not $expected"
}

for target in manifest manifest-init manifest-seed-order; do
    echo "$target"
    builtin=builtin:manifest
    [ "$target" != manifest-init ] || builtin=builtin:manifest-init
    expected=0
    [ "$target" != manifest-seed-order ] || expected=1
    models=all
    # Without the directory's sync, only models whose fsync of a file keeps its
    # name are safe; the others must fail.
    [ "$target" != manifest-seed-order ] || models=posix
    "$bin/crashmatrix" record --target "$target" --scratch "$work" -o "$work/trace.cmt"
    explore "$expected" command --target "$target" --model "$models"
    explore "$expected" builtin --target "$target" --model "$models" --check "$builtin"
    explore "$expected" one --target "$target" --model "$models" --check "$builtin" --jobs 1
    explore "$expected" three --target "$target" --model "$models" --check "$builtin" --jobs 3
    for other in builtin one three; do
        cmp "$work/command.json" "$work/$other.json" ||
            fail "$target: the reports of command and $other differ"
    done
done

echo "what manifest-seed-order loses"
python3 - "$work/command.json" <<'END'
import json, sys
(model,) = json.load(open(sys.argv[1]))["models"]
lost = [model["operations"][i] for v in model["violations"] for i in v["lost"]]
assert model["exhaustive"] and len(model["violations"]) >= 5, "too few violations"
assert lost and all(o["class"] == "create" and "/data-" in o["path"] for o in lost), lost
END

echo "posix-create, where the fsync of a file keeps its name"
explore 0 create --target manifest-seed-order --model posix-create
