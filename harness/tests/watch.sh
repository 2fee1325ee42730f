#!/bin/sh
# What a command looks at is seen, by whatever call it looks: branching on that comes to
# the same labels at the same boundaries as a run for every state.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

"$crashmatrix" record --setup "$programs/looks setup" --workload "$programs/looks workload" \
    --scratch "$work" -o "$work/trace.cmt"

# explored NAME OPTIONS...
explored() {
    name=$1
    shift
    "$crashmatrix" explore "$work/trace.cmt" --json --reproducible --model posix "$@" \
        >"$work/$name.json"
}

for case in $("$programs/looks" list); do
    explored eager --check "$programs/looks $case" --eager
    explored observed --check "$programs/looks $case"
    python3 - "$case" "$work/eager.json" "$work/observed.json" <<'EOF' || fail "$case"
import json, sys

case, *names = sys.argv[1:]
models, cells = [], []
for name in names:
    report = json.load(open(name))
    models += report["models"]
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
# What is seen differs between states, unless nothing is looked at.
assert (len(labels) == 1) == (case == "nothing"), labels
limit = {"nothing": 1, "step-by-step": 12, "size": 4}.get(case, 200)
assert observed["runs"] <= limit, observed["runs"]
print(f"{case}: {observed['runs']} runs, not {eager['runs']}")
EOF
done
