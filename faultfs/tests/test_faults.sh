#!/bin/bash
# Faults as their users meet them: each kind, what selects the calls, power cuts at
# every boundary, and that one which never comes to happen is an error.
#
#     test_faults.sh BUILD_DIRECTORY/bin BUILD_DIRECTORY/tests
set -eu

bin=$(realpath "$1")
programs=$(realpath "$2")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$scratch/root
trace=$scratch/trace
failures=0
program=$programs/faulty

fail() {
    echo "FAILED: $1" >&2
    sed 's/^/    /' "$scratch/err" >&2
    failures=$((failures + 1))
}

# record OPTION... -- COMMAND...: in a fresh directory. Sets status.
record() {
    rm -rf "$root" "$trace" "$scratch/result"
    mkdir "$root"
    status=0
    "$bin/faultfs-record" --root "$root" --output "$trace" --timeout 20s \
        --result "$scratch/result" "$@" >"$scratch/out" 2>"$scratch/err" || status=$?
}

# faulty "FAULT..." "STEP..." "RESULT; RESULT...": what the steps return.
faulty() {
    local options=() fault
    for fault in $1; do options+=(--fault "$fault"); done
    # shellcheck disable=SC2086  # steps are words
    record "${options[@]}" -- "$program" $2
    [ "$status" = 0 ] || fail "exit status $status, not 0: $*"
    [ -f "$trace" ] || fail "no trace: $*"
    local got
    got=$(sed 's/$/;/' "$scratch/err" | tr '\n' ' ')
    [ "$got" = "$3; " ] || fail "$got and not $3: $1: $2"
}

# result TEXT: is in what --result wrote.
result() {
    tr -d '\n\t' <"$scratch/result" | grep -qF -- "$1" || {
        cat "$scratch/result" >"$scratch/err"
        fail "not in the result: $1"
    }
}

# shown TEXT: this many lines of the trace contain it.
shown() {
    "$programs/show_trace" "$trace" >"$scratch/err"
    [ "$(grep -cF -- "$2" "$scratch/err")" = "$1" ] || fail "not $1 times in the trace: $2"
}

kinds() {
    # Errors: the call is not made.
    faulty 'write=EIO' 'create:f write:5 write:5' 'create 0; write EIO; write 5'
    shown 1 'write none'
    shown 1 'write write node=2 offset=0 size=5'
    result '{"ended":"exited","status":0,"calls":3,"faults":[{"spec":"write=EIO","matched":2,"injected":1}]}'
    faulty 'write=eintr' 'create:f write:5 write:5' 'create 0; write EINTR; write 5'
    faulty 'open=EMFILE' 'create:f create:f' 'create EMFILE; create 0'
    faulty 'mkdir=ENOSPC' 'mkdir:d mkdir:d' 'mkdir ENOSPC; mkdir 0'
    faulty 'rmdir=EBUSY' 'mkdir:d rmdir:d rmdir:d' 'mkdir 0; rmdir EBUSY; rmdir 0'
    faulty 'unlink=EIO' 'create:f unlink:f unlink:f' 'create 0; unlink EIO; unlink 0'
    faulty 'rename=EXDEV' 'create:f rename:f:g rename:f:g' 'create 0; rename EXDEV; rename 0'
    faulty 'link=EMLINK' 'create:f link:f:g link:f:g' 'create 0; link EMLINK; link 0'
    faulty 'symlink=EDQUOT' 'symlink:s symlink:s' 'symlink EDQUOT; symlink 0'
    faulty 'chmod=EPERM' 'create:f chmod:f chmod:f' 'create 0; chmod EPERM; chmod 0'
    faulty 'truncate=EFBIG' 'create:f truncate:9 truncate:9' 'create 0; truncate EFBIG; truncate 0'
    faulty 'fdatasync=EINTR' 'create:f fdatasync fdatasync' 'create 0; fdatasync EINTR; fdatasync 0'
    shown 1 'fdatasync none'
    faulty 'syncfs=EIO' 'create:f syncfs syncfs' 'create 0; syncfs EIO; syncfs 0'
    # A failed close has closed the descriptor; what the kernel refuses is left to it.
    if [ "$program" = "$programs/faulty" ]; then
        faulty 'writev=short:1' 'create:f writenothing' 'create 0; writenothing EFAULT'
        faulty 'close=EIO' 'create:f close close' 'create 0; close EIO; close EBADF'
    fi

    # Short counts.
    faulty 'write=short:3' 'create:f write:5 write:5' 'create 0; write 3; write 5'
    shown 1 'write write node=2 offset=0 size=3'
    faulty 'pwrite=short:3' 'create:f pwrite:5' 'create 0; pwrite 3'
    faulty 'writev=short:7' 'create:f writev:9' 'create 0; writev 7'
    shown 1 'writev write node=2 offset=0 size=7'
    faulty 'writev=short:1' 'create:f writev:9' 'create 0; writev 1'
    faulty 'write=short:6' 'create:f write:5' 'create 0; write 5'
    result '"matched":1,"injected":0'

    # A full disk: a part of the call that does not fit, then nothing any more.
    faulty '*=ENOSPC@12' 'create:f write:5 writev:5 pwrite:5 write:1' \
        'create 0; write 5; writev 5; pwrite 2; write ENOSPC'
    result '"matched":4,"injected":2'
    faulty 'write:g=EDQUOT@5' 'create:f write:9 create:g write:5 write:1 create:f write:1' \
        'create 0; write 9; create 0; write 5; write EDQUOT; create 0; write 1'
    faulty '*=ENOSPC@1' 'create:f writenothing write:2 write:2' \
        'create 0; writenothing EFAULT; write 1; write ENOSPC'
    # Standard output is not in the directory.
    faulty 'write=EIO' 'say:hello create:f write:5' 'say 5; create 0; write EIO'
    shown 1 'write output "hello"'
}

selectors() {
    faulty 'write#2=EIO' 'create:f write:1 write:1 write:1' \
        'create 0; write 1; write EIO; write 1'
    faulty 'write#2-3=EIO' 'create:f write:1 write:1 write:1 write:1' \
        'create 0; write 1; write EIO; write EIO; write 1'
    faulty 'write#all=EIO' 'create:f write:1 write:1' 'create 0; write EIO; write EIO'
    faulty 'fsync,write#2=EIO' 'create:f write:1 fsync write:1' \
        'create 0; write 1; fsync EIO; write 1'
    faulty '*#3=EIO' 'create:f write:1 fsync write:1' 'create 0; write 1; fsync EIO; write 1'
    # Of two faults the first acts, and both count.
    faulty 'write#2=EIO *:f#2-3=ENOSPC' 'create:f write:1 write:1 write:1' \
        'create 0; write ENOSPC; write EIO; write 1'
    # Paths: of descriptors, of names, of both names, of what has no name any more.
    faulty 'write:d/*=EIO' 'mkdir:d create:f write:1 create:d/f write:1' \
        'mkdir 0; create 0; write 1; create 0; write EIO'
    faulty 'rename:g=EIO' 'create:f rename:f:h rename:h:g rename:h:g' \
        'create 0; rename 0; rename EIO; rename 0'
    faulty 'rename:f=EIO' 'create:f rename:f:h rename:f:h' 'create 0; rename EIO; rename 0'
    faulty 'write:f=EIO' 'create:f unlink:f write:1' 'create 0; unlink 0; write EIO'
    faulty 'mkdir:d/e=EIO' 'mkdir:d mkdir:./d/../d/e mkdir:d/e' 'mkdir 0; mkdir EIO; mkdir 0'
    faulty 'unlink:?[0-9]=EIO' 'create:a create:b1 unlink:a unlink:b1' \
        'create 0; create 0; unlink 0; unlink EIO'
}

# A failed sync: what was dirty is lost, and every description of that moment hears of it once.
failed_syncs() {
    faulty 'fsync=EIO' 'create:f open2:f write:5 fsync fsync fsync2 fsync2 fsyncdup' \
        'create 0; open2 0; write 5; fsync EIO; fsync 0; fsync2 EIO; fsync2 0; fsyncdup 0'
    shown 1 'fsync sync-failed'
    shown 1 'fsync none'
    shown 3 'fsync fsync node=2'
    faulty 'fsync=ENOSPC' 'create:f write:5 open2:f fsync2 fsyncdup fsyncdup fsync' \
        'create 0; write 5; open2 0; fsync2 ENOSPC; fsyncdup ENOSPC; fsyncdup 0; fsync 0'
    faulty 'fdatasync=EIO' 'create:f write:5 fdatasync fsync' \
        'create 0; write 5; fdatasync EIO; fsync 0'
    shown 1 'fdatasync sync-failed'
    # Two failures that a description did not hear of are one to it.
    faulty 'fsync#1-2=EIO' 'create:f open2:f write:5 fsync fsync fsync fsync2 fsync2' \
        'create 0; open2 0; write 5; fsync EIO; fsync EIO; fsync 0; fsync2 EIO; fsync2 0'
    shown 2 'fsync sync-failed'
    # What is opened later does not hear of it; nor does another file.
    faulty 'fsync=EIO' 'create:f write:5 fsync open:f fsync' \
        'create 0; write 5; fsync EIO; open 0; fsync 0'
    faulty 'fsync=EIO' 'create:g open2:g create:f write:5 fsync fsync2 fsync' \
        'create 0; open2 0; create 0; write 5; fsync EIO; fsync2 0; fsync 0'
    # A child has the same description.
    faulty 'fsync=EIO' 'create:f write:5 fsync fork:1 fsync' \
        'create 0; write 5; fsync EIO; fsync 0'
    faulty 'msync=EIO' 'create:f write:5 map:5 store msync msync' \
        'create 0; write 5; map 0; store 0; msync EIO; msync 0'
    shown 1 'msync sync-failed'
    shown 1 'msync sync-range-data node=2 offset=0 length=5'
    faulty 'msync=EBUSY' 'create:f write:5 map:5 store msync msync' \
        'create 0; write 5; map 0; store 0; msync EBUSY; msync 0'
    shown 0 'msync sync-failed'
    faulty 'syncfs=EIO' 'create:f write:5 syncfs syncfs' 'create 0; write 5; syncfs EIO; syncfs 0'
    shown 1 'syncfs sync-failed'
    shown 2 'syncfs sync'
    faulty 'sync_file_range=EIO' 'create:f write:5 syncrange:3' \
        'create 0; write 5; syncrange EIO'
    shown 1 'sync_file_range sync-failed'
    # With EINTR nothing was tried.
    faulty 'fsync=EINTR' 'create:f open2:f fsync fsync2' 'create 0; open2 0; fsync EINTR; fsync2 0'
    shown 1 'fsync none'
}

# All processes, and all threads, count together.
together() {
    record --fault 'write#7-10=EIO' -- "$program" create:f "$1:5" write:1 write:1 write:1
    [ "$(grep -c 'write EIO' "$scratch/err")" = 4 ] || fail "$1: not 4 of 15 failed"
    [ "$(grep -c 'write 1' "$scratch/err")" = 11 ] || fail "$1: not 11 of 15 succeeded"
    result '"matched":15,"injected":4'
}

# Exactly what the last trace, shown in got, says was printed was passed on.
output_is_recorded() {
    [ "$(cat "$scratch/out")" = "$(sed -n 's/^write output "\(.*\)"/\1/p' "$scratch/got" |
        tr -d '\n')" ] || fail "$1: other output than recorded"
}

# The trace up to each boundary, for every boundary.
cuts() {
    local steps=(mkdir:d create:d/f write:5 say:written fsync say:synced rename:d/f:g unlink:g)
    local at count
    record -- "$program" "${steps[@]}"
    "$programs/show_trace" "$trace" >"$scratch/full"
    count=$(wc -l <"$scratch/full")
    [ "$count" = 8 ] || fail "$count calls and not 8"
    for at in $(seq 0 "$count"); do
        record --cut "$at" -- "$program" "${steps[@]}"
        [ "$status" = 0 ] || fail "exit status $status, not 0: cut at $at"
        "$programs/show_trace" "$trace" >"$scratch/got"
        head -n "$at" "$scratch/full" | diff - "$scratch/got" >"$scratch/err" || fail "cut at $at"
        result "{\"ended\":\"cut\",\"status\":0,\"calls\":$at,\"faults\":[]}"
        output_is_recorded "cut at $at"
    done
    record --cut 9 -- "$program" "${steps[@]}"
    [ "$status" = 3 ] || fail "cut after the end: exit status $status"
    grep -qF 'the command ended after 8 calls, before the cut at 9' "$scratch/err" ||
        fail "did not say that it ended before the cut"
    [ ! -e "$trace" ] || fail "a trace was left of a run that was not cut"

    # The n-th call of all, before it and after it: output is none of them.
    local n=0 boundary=0 line
    while read -r line; do
        boundary=$((boundary + 1))
        case $line in *' output '*) continue ;; esac
        n=$((n + 1))
        record --fault "*#$n=cut-before" -- "$program" "${steps[@]}"
        "$programs/show_trace" "$trace" >"$scratch/got"
        head -n $((boundary - 1)) "$scratch/full" | diff - "$scratch/got" >"$scratch/err" ||
            fail "before call $n"
        record --fault "*#$n=cut-after" -- "$program" "${steps[@]}"
        "$programs/show_trace" "$trace" >"$scratch/got"
        head -n "$boundary" "$scratch/full" | diff - "$scratch/got" >"$scratch/err" ||
            fail "after call $n"
    done < <(cat "$scratch/full")
}

cuts_mapped() {
    local at count
    # Stores through a mapping are calls once a scan finds them, before the cut or with it.
    record -- "$program" create:f write:9000 map:9000 store fsync unlink:f
    "$programs/show_trace" "$trace" >"$scratch/full"
    for at in 1 2 3 4 5; do
        record --cut "$at" -- "$program" create:f write:9000 map:9000 store fsync unlink:f
        [ "$status" = 0 ] || fail "mapping: exit status $status, not 0: cut at $at"
        "$programs/show_trace" "$trace" >"$scratch/got"
        count=$(wc -l <"$scratch/got")
        [ "$count" -ge "$at" ] || fail "mapping: $count calls: cut at $at"
        head -n "$count" "$scratch/full" | diff - "$scratch/got" >"$scratch/err" ||
            fail "mapping: cut at $at"
    done
}

# storm COMMAND...: cut at boundaries of all kinds.
storm() {
    local at lines
    for at in $(seq 3 3 150); do
        record --cut "$at" -- "$@"
        [ "$status" = 0 ] || fail "exit status $status: cut at $at: $*"
        "$programs/show_trace" "$trace" >"$scratch/got"
        lines=$(wc -l <"$scratch/got")
        [ "$lines" = "$at" ] || fail "$lines calls: cut at $at: $*"
        output_is_recorded "cut at $at: $*"
    done
}

# Threads and processes that write, print and sync all the time.
busy=(write:1 say:x fsync write:9 say:yy fdatasync write:1 say:x fsync write:9 say:yy fdatasync
    write:1 say:x fsync write:9)
storms() {
    storm "$program" create:f threads:10 "${busy[@]}"
    storm "$program" create:f fork:10 "${busy[@]}"
}

never() {
    record --fault "$1" -- "$program" create:f write:1 write:1
    [ "$status" = 3 ] || fail "exit status $status, not 3: $1"
    grep -qF "the fault $1 never happened: $2 such calls" "$scratch/err" || fail "said otherwise: $1"
    [ ! -e "$trace" ] || fail "a trace was left: $1"
}

kinds
failed_syncs
faulty 'fsync=EIO' 'create:f write:5 fsync open2:f fsync2' \
    'create 0; write 5; fsync EIO; open2 0; fsync2 0'
selectors
together fork
together threads
cuts
cuts_mapped
storms
never 'rmdir=EIO' 0
never 'write#3=EIO' 2
never 'write:g=EIO' 0
never 'write=ENOSPC@2' 2
never 'write#3=cut-before' 2

# faultfs-run: what is the command's own stays so.
# run STATUS COMMAND...: in a fresh directory.
run() {
    local expected=$1
    shift
    rm -rf "$root"
    mkdir "$root"
    status=0
    (cd "$root" && echo input | "$bin/faultfs-run" "$@") >"$scratch/out" 2>"$scratch/err" ||
        status=$?
    [ "$status" = "$expected" ] || fail "exit status $status, not $expected: faultfs-run $*"
}
run 0 --fault 'write:f=EIO' -- "$programs/faulty" create:f write:5 write:5
[ "$(tr '\n' ' ' <"$scratch/err")" = 'create 0 write EIO write 5 ' ] || fail "faultfs-run: results"
run 5 --fault 'write:f=EIO' sh -c 'cat; pwd; echo x >f; exit 5'
[ "$(cat "$scratch/out")" = "input"$'\n'"$(realpath "$root")" ] || fail "faultfs-run: its output"
run 143 --fault 'write=EIO' sh -c 'echo x >f; kill -TERM $$'
run 137 --fault '*#3=cut-after' "$programs/faulty" create:f write:1 write:2 write:4
[ "$(stat -c %s "$root/f")" = 3 ] || fail "faultfs-run: not cut after the third call"
run 3 --fault 'rmdir=EIO' -- true
grep -qF 'the fault rmdir=EIO never happened: 0 such calls' "$scratch/err" || fail "faultfs-run: never"
run 3 --fault 'rmdir=EIO' -- nonexistent
run 2 --fault 'rmdr=EIO' -- true
grep -qF '"rmdr" is not the name of a call' "$scratch/err" || fail "faultfs-run: wrong fault"
run 2 -- true
run 2 --fault 'rmdir=EIO'
run 2 --falt 'rmdir=EIO' -- true
mkdir -p "$scratch/other"
run 0 --root "$scratch/other" --fault 'write=EIO' \
    "$programs/faulty" create:f write:5 "create:$scratch/other/f" write:5
[ "$(tr '\n' ' ' <"$scratch/err")" = 'create 0 write 5 create 0 write EIO ' ] ||
    fail "faultfs-run: another directory"
run 0 --help
grep -qF -- "--fault 'fsync,fdatasync:*.log#2=EIO'" "$scratch/out" || fail "faultfs-run --help"
# The library comes before what else is to be preloaded; without it nothing is run.
# shellcheck disable=SC2016  # for the inner shell
ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=libm.so.6 run 0 --fault 'open:f=EIO' sh -c 'echo "$LD_PRELOAD"; (: >f); : >f'
case $(cat "$scratch/out") in */libfaultfs.so:libm.so.6) ;; *) fail "LD_PRELOAD" ;; esac
mkdir "$scratch/alone"
cp "$bin/faultfs-run" "$scratch/alone"
got=0
"$scratch/alone/faultfs-run" --fault 'open=EIO' -- touch "$scratch/touched" 2>"$scratch/err" || got=$?
[ "$got" = 3 ] || fail "faultfs-run without its library: exit status $got"
[ ! -e "$scratch/touched" ] || fail "faultfs-run ran without its library"
grep -qF 'libfaultfs.so is not there' "$scratch/err" || fail "did not say that it misses the library"

# Wrong usage of faultfs-record.
record --fault 'write=EXX' -- true
[ "$status" = 2 ] || fail "a wrong fault: exit status $status"
record --cut x -- true
[ "$status" = 2 ] || fail "a wrong cut: exit status $status"

# The same where every call is caught by the net.
program=$programs/faulty_static
record -- "$program" create:f
if [ "$status" = 0 ]; then
    kinds
    failed_syncs
    selectors
    together fork
    together threads
    cuts
    cuts_mapped
    storms
    # Some through the library, some through the net.
    storm sh -c "'$programs/faulty' create:f fork:5 ${busy[*]} &
        '$programs/faulty_static' create:g fork:5 ${busy[*]}; wait"
else
    echo "there is no net here: nothing was tried with a static program"
fi

[ "$failures" = 0 ] || exit 1
echo "all as it should be"
