#!/bin/bash
# What a fuzzing service builds: runs .clusterfuzzlite/build.sh with stand-ins for what the
# service says, and looks at what it leaves.
#
#     service_build.sh FOLDER
#
# Leaves the programs in FOLDER/out. cJSON's source is $CRASHMATRIX_CJSON_SOURCE, where that
# is set, else a stand-in: then it is only seen that the build takes it.
set -euo pipefail
source=$(realpath "$(dirname "$0")/../..")
folder=$(realpath -m "$1")

fail() {
    echo "service_build.sh: $1" >&2
    exit 1
}

# The images of a service have bare folders, and none of the project's own defaults.
export SRC=$folder/src WORK=$folder/work OUT=$folder/out
export CC=clang CXX=clang++ LIB_FUZZING_ENGINE=-fsanitize=fuzzer
export CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -fsanitize=fuzzer-no-link'
export CXXFLAGS=$CFLAGS
rm -rf "$SRC" "$OUT"
mkdir -p "$SRC" "$WORK" "$OUT"
ln -s "$source" "$SRC/crashmatrix"
[ -z "${CRASHMATRIX_CJSON_SOURCE-}" ] || ln -s "$CRASHMATRIX_CJSON_SOURCE" "$SRC/cjson"

"$source/.clusterfuzzlite/build.sh"

# Each target with all that the service takes, and it runs: without the folder that it was
# built in, as in the service's own image.
mv "$WORK" "$WORK.away"
trap 'mv "$WORK.away" "$WORK"' EXIT
for path in "$source"/fuzz/targets/*.c; do
    name=$(basename "$path" .c)
    program=$OUT/fuzz_$name
    [ -x "$program" ] || fail "no program: $program"
    inputs=$folder/inputs/$name
    rm -rf "$inputs"
    mkdir -p "$inputs"
    python3 -m zipfile -e "${program}_seed_corpus.zip" "$inputs"
    [ -n "$(ls "$inputs")" ] || fail "no inputs: ${program}_seed_corpus.zip"
    for kind in seeds regressions; do
        [ ! -d "$source/fuzz/$kind/$name" ] || for input in "$source/fuzz/$kind/$name"/*; do
            cmp "$input" "$inputs/$(basename "$input")"
        done
    done
    for file in "dictionaries/$name.dict" "options/$name.options"; do
        [ ! -e "$source/fuzz/$file" ] || cmp "$source/fuzz/$file" "$OUT/fuzz_$(basename "$file")"
    done
    "$program" -runs=0 "$inputs" >"$folder/$name.log" 2>&1 || {
        tail -n 30 "$folder/$name.log" >&2
        fail "does not run: $program"
    }
    grep -q 'INITED' "$folder/$name.log" || fail "no coverage is seen by $program"
    if ldd "$program" | grep 'not found'; then fail "a library is missing: $program"; fi
done
mv "$WORK.away" "$WORK"
trap - EXIT

# cJSON of a folder is instrumented like the rest.
cjson=$SRC/cjson
if [ ! -e "$cjson" ]; then
    mkdir "$cjson"
    cp /usr/include/cjson/cJSON.h "$cjson"
    cat >"$cjson/cJSON.c" <<'END'
#include "cJSON.h"

const char *cJSON_Version(void)
{
    return "stand-in";
}
END
fi
cmake -S "$source" -B "$WORK/cjson" -G Ninja -DBUILD_TESTING=OFF -DCRASHMATRIX_FUZZ=ON \
    "-DCRASHMATRIX_FUZZ_ENGINE=$LIB_FUZZING_ENGINE" "-DCJSON_SOURCE_DIR=$cjson" >/dev/null
cmake --build "$WORK/cjson" --target crashmatrix_cjson >/dev/null
symbols=$(nm "$WORK/cjson/lib/libcrashmatrix_cjson.a")
grep -q __sanitizer_cov <<<"$symbols" || fail 'cJSON is not instrumented'
[ -e "$WORK/cjson/include/cjson/cJSON.h" ] || fail 'cJSON is not found as <cjson/cJSON.h>'
echo 'every target is there, and runs'
