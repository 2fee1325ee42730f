#!/bin/bash
# Many calls at the same time, by symbols and through the net: none is lost, none is
# recorded twice, nobody waits for ever, whenever a process is killed.
#
#     test_storm.sh BUILD_DIRECTORY/bin BUILD_DIRECTORY/tests [KILLS]
set -eu

record=$(realpath "$1")/faultfs-record
programs=$(realpath "$2")
kills=${3:-20}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

# storm PROGRAM KIND COUNT SIZE: SIZE: bytes that must be in "counted" at the end, or ''.
storm() {
    rm -rf "$scratch/root" "$scratch/trace"
    mkdir "$scratch/root"
    if ! "$record" --root "$scratch/root" --output "$scratch/trace" --timeout 300s -- \
        "$programs/$1" "$2" "$3" >/dev/null 2>"$scratch/err"; then
        echo "FAILED: $1 $2 $3: $(cat "$scratch/err")" >&2
        failures=$((failures + 1))
        return
    fi
    local size routes
    size=$(stat -c %s "$scratch/root/counted")
    [ -z "$4" ] || [ "$size" = "$4" ] || {
        echo "FAILED: $1 $2 $3: $size bytes, not $4" >&2
        failures=$((failures + 1))
    }
    routes=$("$programs/show_trace" -r "$scratch/trace" | head -n 2 | tr '\n' ' ')
    echo "$1 $2 $3: recorded exactly, $routes"
}

for program in storm storm_static; do
    [ "$program" = storm ] || [ "$(uname -m)" = x86_64 ] || continue
    storm "$program" threads 16 $((16 * 150 * 10))
    storm "$program" processes 100 $((100 * 15 * 10))
    storm "$program" signals 4 $((4 * 150 * 10))
    storm "$program" kill "$kills" ''
done
[ "$failures" = 0 ]
