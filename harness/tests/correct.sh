#!/bin/sh
# No false alarm: programs of many styles that are right pass under every model that
# promises what they rely on, and only what is not promised makes them fail.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

if command -v "${CXX:-c++}" >/dev/null; then
    "${CXX:-c++}" -o "$work/log" "$here/correct/log.cc"
fi
python3 "$here/correct/judge.py" "$crashmatrix" "$programs" "$work" || fail "correct programs"
