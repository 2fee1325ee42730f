#!/bin/sh
# One exploration in shards as a job array of Slurm, and a job that merges them.
#
# usage: ci/shards/slurm.sh SHARDS TRACE FOLDER [OPTIONS of crashmatrix explore...]
#
# Explores TRACE (crashmatrix record) in so many shards; paths must mean the same on all
# nodes. The reports of the shards come into FOLDER/1, FOLDER/2, ..., that of all into
# FOLDER/whole, and what is printed into FOLDER/log-*.
#
# Example:
#   crashmatrix record --target manifest -o manifest.cmt
#   ci/shards/slurm.sh 64 manifest.cmt shards --target manifest
#
#SBATCH --job-name=crashmatrix
#SBATCH --ntasks=1
#SBATCH --requeue
set -eu

# A task of the array. One that was requeued goes on where it was.
if [ -n "${SLURM_ARRAY_TASK_ID-}" ]; then
    trace=$1 folder=$2
    shift 2
    report=$folder/$SLURM_ARRAY_TASK_ID
    [ ! -e "$report/trace.cmt" ] || set -- "$@" --resume
    exec crashmatrix explore "$trace" --report "$report" \
        --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" "$@"
fi

if [ $# -lt 3 ] || ! [ "$1" -gt 0 ] 2>/dev/null; then
    sed -n 's/^# usage/usage/p' "$0" >&2
    exit 2
fi
count=$1 trace=$2 folder=$3
shift 3
mkdir -p "$folder"
array=$(sbatch --parsable --array="1-$count" --output="$folder/log-%a" \
    "$0" "$trace" "$folder" "$@")
# Also when a shard has rejected a state: the merge tells.
sbatch --parsable --dependency="afterany:${array%%;*}" --output="$folder/log-whole" \
    --job-name=crashmatrix-merge \
    --wrap="crashmatrix merge $folder/[1-9]* --report $folder/whole"
