#!/bin/sh
# Whatever a run of a check does, the next ones find what they would find in a new scratch
# directory and a new process: the same labels at the same boundaries as without the deed,
# as when each program is executed, and as when each state has a run of its own.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

if ! unshare --mount true 2>/dev/null && ! unshare --user --mount true 2>/dev/null; then
    echo "skipped: without mount namespaces inode numbers and times are not pinned"
    exit 77
fi

"$crashmatrix" record --setup 'sh -c "printf 12345 >a; mkdir sub; echo inner >sub/inner"' \
    --workload 'printf abc >b; ln b sub/second; mkdir c; mv a sub/a; echo done; rm sub/inner' \
    --scratch "$work" -o "$work/trace.cmt"

# explored NAME OPTIONS... (Two deeds mount, which other runs might find.)
explored() {
    name=$1 explored_status=0
    shift
    "$crashmatrix" explore "$work/trace.cmt" --json --reproducible --model posix \
        --accept outside-reached "$@" >"$work/$name.json" 2>"$work/errors" || explored_status=$?
    [ $explored_status -le 1 ] && return
    cat "$work/errors" >&2
    said "$work/$name.json" >&2
    fail "status $explored_status of $name: $*"
}

# said REPORT: why its verdict is what it is.
said() {
    python3 -c 'import json, sys
report = json.load(open(sys.argv[1]))
print(report["verdict"], *report["trace"]["unobserved"], *report["models"][0]["violations"], sep="\n")' \
        "$1" || cat "$1"
}

explored first --eager --spawn --check "$programs/poison nothing"
for deed in $("$programs/poison" list); do
    explored "$deed" --check "$programs/poison $deed"
    explored "$deed-eager" --eager --jobs 1 --check "$programs/poison $deed"
    explored "$deed-spawn" --spawn --jobs 1 --check "$programs/poison $deed"
done
python3 - "$work/first.json" "$work"/*.json <<'EOF' || fail "after some deed"
import json, sys

def cells(name):
    report = json.load(open(name))
    rows = [row["cells"][0] for row in report["matrix"]]
    labels = [sorted(label for label in row["labels"]) for row in rows]
    reasons = {v["reason"] for m in report["models"] for v in m["violations"]}
    return labels, reasons

first, _ = cells(sys.argv[1])
known = {label for row in first for label in row}
assert len(known) > 20, known
for name in sys.argv[2:]:
    labels, reasons = cells(name)
    if reasons:
        # A check that crashes says its label in the reason.
        seen = {reason.split("label: ")[1] for reason in reasons}
        assert seen == known, (name, seen, known)
    else:
        assert labels == first, (name, labels, first)
print(f"{len(known)} states, as they should be after every deed")
EOF
