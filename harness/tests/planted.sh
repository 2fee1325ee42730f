#!/bin/sh
# Every planted bug is caught, for the reason and the lost operation that it
# stands for, and its twin without the bug is clean.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

set --
for bug in $("$programs/planted" list); do
    for twin in buggy correct; do
        report=$work/$bug-$twin
        case $twin in
        buggy) status=1 verdict=fail ;;
        correct) status=0 verdict=pass ;;
        esac
        expect "$status" "^Verdict: $verdict" "$crashmatrix" run --model posix \
            --setup "$programs/planted $bug setup" \
            --workload "$programs/planted $bug $twin" \
            --check "$programs/planted $bug check" \
            --scratch "$work/scratch" --report "$report"
        set -- "$@" "$report/report.json" "$report/junit.xml"
    done
    "$programs/planted" "$bug" expect >"$work/expected"
    python3 "$here/planted_expect.py" "$work/$bug-buggy/report.json" "$work/expected" \
        >"$work/violations" || fail "$bug: not what was planted"
    # Each violation can be replayed from its id, to the same reason.
    while IFS="$(printf '\t')" read -r id reason; do
        expect 1 "$reason" "$crashmatrix" replay "$id" \
            --trace "$work/$bug-buggy/trace.cmt" --check "$programs/planted $bug check"
    done <"$work/violations"
    echo "$bug: caught; twin: clean"
done
python3 "$here/report_check.py" "$here/../report.schema.json" "$@" || fail "reports"
