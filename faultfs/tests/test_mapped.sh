#!/bin/bash
# Stores through shared mappings, by programs with and without the library.
#
#     test_mapped.sh BUILD_DIRECTORY/bin BUILD_DIRECTORY/tests
set -eu

record=$(realpath "$1")/faultfs-record
programs=$(realpath "$2")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$scratch/root
trace=$scratch/trace
failures=0

# recorded CASE OBSERVED [STATIC]: what the trace holds, by both programs, must be what
# is on standard input. All that the file held was observed, or not; by the program
# without the library STATIC.
recorded() {
    local program expected
    grep -v '^ *$' >"$scratch/expected" || true
    for program in mapped mapped_static; do
        # Without the library there is only the net.
        [ "$program" = mapped ] || [ "$(uname -m)" = x86_64 ] || continue
        rm -rf "$root" "$trace"
        mkdir "$root"
        if ! "$record" --root "$root" --output "$trace" -- "$programs/$program" "$1" \
            2>"$scratch/err"; then
            echo "FAILED: $program $1: $(cat "$scratch/err")" >&2
            failures=$((failures + 1))
            continue
        fi
        "$programs/show_trace" "$trace" | grep -v ' none$' | cut -d' ' -f2- >"$scratch/got"
        if ! diff "$scratch/expected" "$scratch/got" >&2; then
            echo "FAILED: $program $1: other records than expected" >&2
            failures=$((failures + 1))
        fi
        expected=$2
        [ "$program" = mapped ] || expected=${3-$2}
        local seen=not
        "$programs/show_trace" -r "$trace" | grep -q '^unobserved mapped-intermediate: .*file' ||
            seen=all
        if [ "$seen" != "$expected" ]; then
            echo "FAILED: $program $1: $seen was observed" >&2
            failures=$((failures + 1))
        fi
    done
}

recorded store not <<'END'
create node=2 name=1/"file" mode=100644
resize node=2 size=12288
write node=2 offset=100 size=5 "hello"
write node=2 offset=8192 size=1 "x"
sync-range-data node=2 offset=0 length=4096
write node=2 offset=0 size=1 "y"
fsync node=2
rename node=2 name=1/"file" to=1/"renamed" node2=0
write node=2 offset=1 size=1 "z"
write node=2 offset=0 size=1 "W"
END

recorded calls not <<'END'
create node=2 name=1/"file" mode=100644
resize node=2 size=12288
write node=2 offset=0 size=1 "a"
write node=2 offset=1 size=2 "BC"
write node=2 offset=3 size=1 "d"
write node=2 offset=8192 size=1 "e"
resize node=2 size=4096
resize node=2 size=12288
write node=2 offset=8193 size=1 "f"
END

recorded said not <<'END'
create node=2 name=1/"file" mode=100644
resize node=2 size=12288
write node=2 offset=0 size=1 "a"
output "stored\x0a"
write node=2 offset=4096 size=1 "b"
END

recorded processes not <<'END'
create node=2 name=1/"file" mode=100644
resize node=2 size=12288
write node=2 offset=0 size=1 "c"
write node=2 offset=4096 size=1 "p"
END

recorded protected not <<'END'
create node=2 name=1/"file" mode=100644
resize node=2 size=12288
write node=2 offset=5 size=1 "x"
END

recorded closed not <<'END'
create node=2 name=1/"file" mode=100644
resize node=2 size=12288
write node=2 offset=5 size=1 "x"
sync
unlink node=2 name=1/"file"
write node=2 offset=6 size=1 "y"
END

{
    echo 'create node=2 name=1/"file" mode=100644'
    echo 'resize node=2 size=209715200'
    for i in $(seq 0 19); do
        echo "write node=2 offset=$((i << 20)) size=1 \"x\""
        echo 'fdatasync node=2'
    done
} | recorded sparse not

recorded harmless all <<'END'
create node=2 name=1/"file" mode=100644
resize node=2 size=12288
END

# Nothing was stored, or nothing that is still there. Only by the kernel's word can it
# be known that nothing was: for a process with the library, of a kernel that has it.
tracked=all
"$programs/mapped" tracks || tracked=not
silent() {
    recorded "$1" "$2" not <<'END'
create node=2 name=1/"file" mode=100644
resize node=2 size=12288
END
}
for case in restored forked killed moved replaced kernel; do
    silent "$case" not
done
for case in untouched children; do
    silent "$case" "$tracked"
done

[ "$failures" = 0 ] || exit 1
echo "all as it should be"
