#!/bin/sh
# Where calls were made: function, file and line, whatever the language and the
# compiler's options, and nothing instead of something wrong.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

sources=$here/sites

# record COMMAND: what it does becomes $work/trace.cmt.
record() {
    expect 0 '' "$crashmatrix" record --workload "$1" --scratch "$work/scratch" -o "$work/trace.cmt"
}

# at CALL SITE: show gives that call that site (a regular expression).
at() {
    expect 0 "^ +[0-9]+  p[0-9]+ t[0-9]+  $1 .*  \[$2\]\$" "$crashmatrix" show "$work/trace.cmt"
}

# line_of FILE MARK: the line with that mark.
line_of() {
    grep -n "AT: $2\b" "$sources/$1" | cut -d: -f1
}

# compile OPTIONS...: $work/program, in the directory of the sources.
compile() (
    cd "$sources"
    "${CC:-cc}" "$@" -o "$work/program" calls.c
)

# The places of calls.c.
expect_c() {
    record "$work/program"
    at creat "main\\(\\) calls\\.c:$(line_of calls.c creat)"
    at write "main\\(\\) calls\\.c:$(line_of calls.c write)"
    at fsync "main\\(\\) calls\\.c:$(line_of calls.c write)"
    at '(__open_2|open)' "opened\\(\\) calls\\.c:$(line_of calls.c open)"
    at rename "publish\\(\\) calls\\.c:$(line_of calls.c rename)"
}

echo "C"
for options in -g '-g -O2' '-g -O2 -D_FORTIFY_SOURCE=2' '-g -O2 -gdwarf-4' '-g -no-pie'; do
    echo "  $options"
    # shellcheck disable=SC2086 # words
    compile $options
    expect_c
done
if command -v clang >/dev/null; then
    # It writes no table of addresses.
    (CC=clang && compile -g -O2)
    expect_c
else
    echo "  skipped: no clang"
fi

echo "reports"
compile -g -O2
rename_line=$(line_of calls.c rename)
expect 1 "kept: rename of new -> name \\(rename, call 7\\) \\[publish\\(\\) calls\\.c:$rename_line\\]" \
    "$crashmatrix" run --workload "$work/program" --check '! test -e name' --model posix \
    --scratch "$work/scratch" --report "$work/report"
grep -Fq "kept: rename of new -&gt; name (rename, call 7) [publish() calls.c:$rename_line]" \
    "$work/report/junit.xml" || fail "junit.xml"
python3 - "$work/report/report.json" "$rename_line" <<'EOF' || fail "report.json"
import json, sys
operations = json.load(open(sys.argv[1]))["models"][0]["operations"]
site = [operation["site"] for operation in operations if operation["class"] == "rename"][0]
found = [site[key] for key in ("function", "file", "line", "problem")]
sys.exit(0 if found == ["publish", "calls.c", int(sys.argv[2]), None] else f"found {site}")
EOF
python3 "$here/report_check.py" "$here/../report.schema.json" "$work/report/report.json" ||
    fail "schema"

echo "without debug information"
compile -O2
record "$work/program"
at creat 'main\(\) in program\+0x[0-9a-f]+'
strip "$work/program"
at creat 'program\+0x[0-9a-f]+'

echo "debug information in a file of its own"
compile -g -O2
objcopy --only-keep-debug "$work/program" "$work/program.debug"
strip "$work/program"
objcopy --add-gnu-debuglink="$work/program.debug" "$work/program"
expect_c

echo "another file than was recorded"
compile -g -O1 -DCHANGED
at creat 'program\+0x[0-9a-f]+: program has changed since the recording'
rm "$work/program"
at creat 'program\+0x[0-9a-f]+: program is gone or cannot be read'
mkfifo "$work/program"
at creat 'program\+0x[0-9a-f]+: program is gone or cannot be read'
rm "$work/program"
compile -g -Wl,--build-id=none
record "$work/program"
at creat "main\\(\\) calls\\.c:$(line_of calls.c creat): program has no build-id, so it may have changed"

echo "C++"
if command -v "${CXX:-c++}" >/dev/null; then
    for options in -g '-g -O2'; do
        # shellcheck disable=SC2086
        (cd "$sources" && "${CXX:-c++}" $options -o "$work/program" calls.cc)
        record "$work/program"
        at open "main\\(\\) calls\\.cc:$(line_of calls.cc open)"
        at write "store::Log::put<int>\\(\\) calls\\.cc:$(line_of calls.cc write)"
        at fsync "store::Log::commit\\(\\) calls\\.cc:$(line_of calls.cc fsync)"
        at ftruncate "store::\\(anonymous\\)::shorten\\(\\) calls\\.cc:$(line_of calls.cc ftruncate)"
        at unlink ".*operator\\(\\)\\(\\) calls\\.cc:$(line_of calls.cc unlink)"
        at 'write stream' '.*(libstdc|basic_file).*'
    done
else
    echo "  skipped: no C++ compiler"
fi

echo "Rust"
if command -v rustc >/dev/null && rustc -g -O -o "$work/program" "$sources/calls.rs" \
    2>"$work/output"; then
    record "$work/program"
    at fsync '.*sync.*library/std/src/.*:[0-9]+'
    at rename '.*rename.*library/std/src/.*:[0-9]+'
else
    echo "  skipped: no rustc, or one that does not work"
fi

echo "Python"
record "python3 -c 'import os; f = os.open(\"f\", os.O_CREAT | os.O_WRONLY); os.fsync(f)'"
# The interpreter's own function, as far as it has symbols.
at fsync '([a-z_]+\(\) .*\.c:[0-9]+|([a-z_]+\(\) in )?(lib)?python3[^ ]*\+0x[0-9a-f]+)'
