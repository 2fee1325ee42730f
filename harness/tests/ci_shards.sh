#!/bin/sh
# The ways to explore on many machines (ci/shards): each runs here, with stand-ins for the
# services, and must end in the report of one exploration of all.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

bin=$(cd "$(dirname "$crashmatrix")" && pwd)
shards=$(cd "$here/../../ci/shards" && pwd)
export PATH="$bin:$PATH"
cd "$work"

# whole TARGET TRACE OPTIONS...: what all ways must say.
whole() {
    whole_target=$1 whole_trace=$2
    shift 2
    crashmatrix explore "$whole_trace" --target "$whole_target" --report whole "$@" >/dev/null ||
        [ $? -eq 1 ]
}

# same FOLDER: its report is that of the whole, but for what it took.
same() {
    python3 - whole/report.json "$1/report.json" <<'END' || fail "$1 differs"
import json, sys
one, other = (json.load(open(name)) for name in sys.argv[1:])
del one["timing"], other["timing"]
assert one == other
END
}

crashmatrix record --target manifest-seed-order --scratch scratch -o t.cmt
whole manifest-seed-order t.cmt

echo "GNU parallel"
expect 1 '^Verdict: fail$' "$shards/parallel" 3 t.cmt 'out of it' --target manifest-seed-order
same 'out of it/whole'
expect 1 '^Verdict: fail$' "$shards/parallel" 3 t.cmt 'out of it' --target manifest-seed-order
same 'out of it/whole'
expect 3 'its branching is' "$shards/parallel" 3 t.cmt 'out of it' --target manifest-seed-order --eager
expect 2 'usage' "$shards/parallel" 0 t.cmt out

echo "Slurm, with a stand-in for sbatch"
mkdir stand-in
cat >stand-in/sbatch <<'END'
#!/bin/sh
# Does at once what it is given; an array task by task.
set -eu
array= wrap= output=/dev/null
while [ $# -gt 0 ]; do
    case $1 in
    --array=1-*) array=${1#--array=1-} ;;
    --output=*) output=${1#--output=} ;;
    --wrap=*) wrap=${1#--wrap=} ;;
    --*) ;;
    *) break ;;
    esac
    shift
done
if [ -n "$wrap" ]; then
    sh -c "$wrap" >"$output" 2>&1 || true
else
    for task in $(seq "$array"); do
        SLURM_ARRAY_TASK_ID=$task SLURM_ARRAY_TASK_COUNT=$array "$@" \
            >"$(echo "$output" | sed "s/%a/$task/")" 2>&1 || true
    done
fi
echo 4711
END
chmod +x stand-in/sbatch
expect 0 '4711' env PATH="$PWD/stand-in:$PATH" "$shards/slurm.sh" 3 t.cmt slurm \
    --target manifest-seed-order
expect 0 '^Verdict: fail$' cat slurm/log-whole
same slurm/whole
expect 2 'usage' "$shards/slurm.sh" 3 t.cmt

echo "GitHub and GitLab, with stand-ins for their runners"
python3 "$here/ci_shards.py" "$shards" "$bin" "$work/services" manifest-sweep
for service in github gitlab; do
    # Theirs, since a recording is made once.
    rm -rf whole
    whole manifest-sweep "services/$service/manifest.cmt"
    same "services/$service/crash-matrix"
done
