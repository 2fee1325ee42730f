#!/bin/bash -eu
# Builds every fuzz target for a fuzzing service (ClusterFuzzLite, OSS-Fuzz), which says by
# which compilers and flags, what the engine is and where the results go:
#
#   $CC $CXX $CFLAGS $CXXFLAGS   compilers and all flags for instrumentation
#   $LIB_FUZZING_ENGINE          what a target is linked with
#   $SRC                         holds crashmatrix/, and cjson/ and simdjson/ where their
#                                sources are to be had
#   $WORK                        for intermediate files
#   $OUT                         gets, for each target, fuzz_NAME, fuzz_NAME_seed_corpus.zip,
#                                fuzz_NAME.dict and fuzz_NAME.options; and libraries in lib/
#
# https://google.github.io/clusterfuzzlite/build-integration/

source=${SRC:?}/crashmatrix
work=${WORK:?}/crashmatrix

options=()
if [ -d "$SRC/cjson" ]; then
    options+=("-DCJSON_SOURCE_DIR=$SRC/cjson")
fi
if [ -d "$SRC/simdjson" ]; then
    options+=("-DSIMDJSON_SOURCE_DIR=$SRC/simdjson/singleheader")
fi

# The service's flags are all that there is: newer compilers warn of more. A program looks for
# its libraries beside itself.
# shellcheck disable=SC2016 # $ORIGIN is the dynamic linker's
cmake -S "$source" -B "$work" -G Ninja -DCMAKE_BUILD_TYPE=None -DBUILD_TESTING=OFF \
    -DCRASHMATRIX_WERROR=OFF -DCRASHMATRIX_FUZZ=ON -DCRASHMATRIX_JSON_ORACLE=REQUIRED \
    "-DCRASHMATRIX_FUZZ_ENGINE=$LIB_FUZZING_ENGINE" \
    -DCMAKE_BUILD_RPATH='$ORIGIN/lib' "${options[@]}"
cmake --build "$work" --target fuzz_targets

# Where the targets run nothing is installed; the C library is of the same image. What is
# there already, for another target, is found there.
bring_libraries() {
    mkdir -p "$OUT/lib"
    ldd "$1" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' |
        { grep -v -E '/(libc|libm|libpthread|libdl|librt|libresolv|libgcc_s)\.so' || true; } |
        { grep -v -F "$(realpath "$OUT")/lib/" || true; } | xargs -r cp -L -t "$OUT/lib"
}

# Seeds and regressions of a target; no two may have one name.
pack_inputs() {
    local inputs folder
    inputs=$(mktemp -d)
    for folder in "$source/fuzz/seeds/$1" "$source/fuzz/regressions/$1"; do
        [ ! -d "$folder" ] || cp -n "$folder"/* "$inputs"
    done
    rm -f "$OUT/fuzz_$1_seed_corpus.zip"
    zip -q -j "$OUT/fuzz_$1_seed_corpus.zip" "$inputs"/*
    rm -rf "$inputs"
}

for path in "$source"/fuzz/targets/*.c; do
    name=$(basename "$path" .c)
    cp "$work/fuzz/fuzz_$name" "$OUT/"
    bring_libraries "$OUT/fuzz_$name"
    pack_inputs "$name"
    for file in "dictionaries/$name.dict" "options/$name.options"; do
        [ ! -e "$source/fuzz/$file" ] || cp "$source/fuzz/$file" "$OUT/fuzz_$(basename "$file")"
    done
done
