#!/bin/sh
# What a command looks at is seen, by whatever call it looks: branching on that comes to
# the same labels at the same boundaries as a run for every state.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

# recorded KIND: what there is to be looked at ("", or "pages-").
recorded() {
    "$crashmatrix" record --setup "$programs/looks $1setup" \
        --workload "$programs/looks $1workload" --scratch "$work" -o "$work/$1trace.cmt"
}

# explored NAME OPTIONS...
explored() {
    name=$1
    shift
    "$crashmatrix" explore "$work/${kind}trace.cmt" --json --reproducible --model posix "$@" \
        >"$work/$name.json"
}

# compared CASE: both reports say the same of it, and the observed one needed few runs.
compared() {
    python3 - "$1" "$work/eager.json" "$work/observed.json" <<'EOF'
import json, sys

case, *names = sys.argv[1:]
models, cells = [], []
for name in names:
    report = json.load(open(name))
    models += report["models"]
    assert not any(row["cells"][0]["violations"] for row in report["matrix"]), "rejected"
    cells.append([sorted(row["cells"][0]["labels"]) for row in report["matrix"]])
eager, observed = models
for model in models:
    assert model["exhaustive"] and model["states"]["covered"] == model["states"]["legal"]
assert eager["branching"] == "eager"
if observed["branching"] == "eager":
    print("skipped: commands cannot be watched here")
    sys.exit()
assert cells[0] == cells[1], (cells[0], cells[1])
labels = {label for cell in cells[0] for label in cell}
# Files are read in part only where that can be known: of one of four pages, all changed.
exactly = {"first-page": 2, "page-by-page": 3, "seek": 2, "read-on": 4, "duplicate": 4,
           "vector": 4, "reopened": 2, "pages-status": 1, "mapped-page": 16, "sent": 16,
           "after-child": 16, "after-thread": 16, "nothing": 1}
limit = exactly.get(case, {"step-by-step": 12, "size": 4, "open": 13}.get(case, 200))
assert observed["runs"] <= limit, observed["runs"]
assert case not in exactly or observed["runs"] == limit, observed["runs"]
# What is seen differs between states, unless nothing is looked at.
assert (len(labels) == 1) == (limit == 1), labels
print(f"{case}: {observed['runs']} runs, not {eager['runs']}")
EOF
}

for kind in '' pages-; do
    recorded "$kind"
    for case in $("$programs/looks" "${kind}list"); do
        explored eager --check "$programs/looks $case" --eager
        explored observed --check "$programs/looks $case"
        compared "$case" || fail "$case"
    done
done
