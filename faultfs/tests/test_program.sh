#!/bin/bash
# Real programs are recorded exactly: the launcher's self-check agrees, and what the
# program made is as it should be.
#
#     test_program.sh BUILD_DIRECTORY/bin BUILD_DIRECTORY/tests NAME
#     test_program.sh --list                 the names
#
# Exit status: 0 recorded exactly; 1 not; 77 the program is not installed here. The
# last line says how many calls came by which route.

# shellcheck disable=SC2317 # functions are called by their names
set -eu

sources=$(dirname "$(realpath "$0")")/programs
names='git sqlite-rollback sqlite-wal python-sqlite python-files tar cp dd sort sed shell perl
    patch ofstream rsync busybox inline lmdb lmdb-writemap postgresql go stdio-unbuffered
    stdio-buffered node'
if [ "${1-}" = --list ]; then
    for name in $names; do echo "$name"; done
    exit 0
fi
if [ $# != 3 ]; then
    echo 'usage: test_program.sh BIN TESTS NAME | --list' >&2
    exit 2
fi

record=$(realpath "$1")/faultfs-record
programs=$(realpath "$2")
name=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$scratch/root
trace=$scratch/trace
mkdir "$root"
export HOME="$scratch" LC_ALL=C

fail() {
    echo "FAILED: $name: $1" >&2
    exit 1
}

needs() {
    for command in "$@"; do
        command -v "$command" >/dev/null || {
            echo "skipped: $command is not installed"
            exit 77
        }
    done
}

# run COMMAND...: records it in the directory; its output goes to $scratch/out.
run() {
    "${as[@]}" "$record" --root "$root" --output "$trace" --timeout 120s -- "$@" \
        >"$scratch/out" 2>"$scratch/err" || fail "$(tail -n 3 "$scratch/err")"
    [ -f "$trace" ] || fail 'no trace'
}
as=() # what the recording is started by

# has TEXT: a call of the trace that looks so.
has() {
    "$programs/show_trace" "$trace" | grep -q -- "$1" || fail "no call like: $1"
}

# by ROUTE: some calls came by it.
by() {
    "$programs/show_trace" -r "$trace" | grep -q "^$1 [1-9]" || fail "no call by route $1"
}

# only_by ROUTE...: no calls came by any other.
only_by() {
    local route
    for route in symbol net mapping; do
        case " $* " in
        *" $route "*) ;;
        *) "$programs/show_trace" -r "$trace" | grep -q "^$route 0$" || fail "calls by $route" ;;
        esac
    done
}

program_git() {
    needs git
    export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org
    export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org GIT_CONFIG_NOSYSTEM=1
    # shellcheck disable=SC2016 # for the shell that is recorded
    run sh -c 'git init -q . && for i in 1 2 3; do seq $i >file$i; git add . &&
        git commit -q -m "number $i"; done && git gc -q && git repack -q -a -d'
    git -C "$root" fsck --strict >/dev/null 2>&1 || fail 'git fsck'
    [ "$(git -C "$root" log --oneline | wc -l)" = 3 ] || fail 'commits are missing'
    by symbol
}

sqlite_statements='create table t(a integer primary key, b text);
    insert into t(b) values(hex(randomblob(2000))); insert into t(b) select b from t;
    update t set b = "x" where a = 1; create index i on t(b); delete from t where a = 2; vacuum;'

program_sqlite-rollback() {
    needs sqlite3
    run sqlite3 data.db "$sqlite_statements"
    [ "$(sqlite3 "$root/data.db" 'pragma integrity_check')" = ok ] || fail 'integrity_check'
    has 'name=1/"data.db-journal"'
    has 'sync '
}

program_sqlite-wal() {
    needs sqlite3
    run sqlite3 data.db "pragma journal_mode=wal; $sqlite_statements pragma wal_checkpoint;"
    [ "$(sqlite3 "$root/data.db" 'pragma integrity_check')" = ok ] || fail 'integrity_check'
    has 'name=1/"data.db-wal"'
    by mapping
}

program_python-sqlite() {
    needs python3
    run python3 -c 'import sqlite3
connection = sqlite3.connect("data.db")
with connection:
    connection.execute("create table t(a)")
    connection.executemany("insert into t values(?)", ((i,) for i in range(100)))
print("saved", flush=True)'
    has '^write output "saved'
    has 'sync '
}

program_python-files() {
    needs python3
    run python3 -c 'import os, shutil, tempfile
with tempfile.NamedTemporaryFile("w", dir=".", delete=False) as file:
    file.write("text" * 1000)
    file.flush()
    os.fsync(file.fileno())
os.replace(file.name, "data")
directory = os.open(".", os.O_DIRECTORY)
os.fsync(directory)
with open("data", "a") as file:
    file.write("more")
os.makedirs("a/b/c")
shutil.copy2("data", "a/b/c/copy")
shutil.rmtree("a")
print("saved")'
    [ "$(wc -c <"$root/data")" = 4004 ] || fail 'the file is not what it should be'
    has '^fsync fsync node=1$'
}

tree_make() {
    mkdir -p "$scratch/tree/a/b"
    seq 20000 >"$scratch/tree/numbers"
    ln -s ../numbers "$scratch/tree/a/link"
    ln "$scratch/tree/numbers" "$scratch/tree/a/b/hard"
    chmod 600 "$scratch/tree/numbers"
    truncate -s 1M "$scratch/tree/a/sparse"
}

program_tar() {
    needs tar
    tree_make
    tar -cf "$scratch/tree.tar" -C "$scratch/tree" .
    run tar -xf "$scratch/tree.tar"
    diff -r "$scratch/tree" "$root" || fail 'not the same'
}

program_cp() {
    tree_make
    run cp -r "$scratch/tree" .
    diff -r "$scratch/tree" "$root/tree" || fail 'not the same'
    rm -rf "${root:?}"/*
    run cp -a "$scratch/tree" .
}

program_dd() {
    run sh -c 'dd if=/dev/zero of=a bs=4k count=64 conv=fsync && dd if=a of=a bs=1k seek=3 count=2 \
        conv=notrunc,fdatasync && dd if=/dev/urandom of=b bs=1 count=1000 oflag=dsync'
    [ "$(wc -c <"$root/a")" = 262144 ] || fail 'not as long as it should be'
    has 'sync-range-data node=3 offset=999 length=1'
    has '^fsync fsync'
}

program_sort() {
    run sh -c 'seq 5000 >a; sort -rn a -o a; sort -R -S 32K -T . a >b; sort -u a b -o c'
    [ "$(head -n 1 "$root/a")" = 5000 ] || fail 'not sorted'
}

program_sed() {
    run sh -c 'seq 1000 >a; sed -i s/1/one/ a; sed -i.old s/2/two/ a; awk "{print > \"b\"}" a'
    grep -q '^two$' "$root/a" || fail 'not edited'
    has 'rename '
}

program_shell() {
    needs bash
    run bash -c 'set -e; cat <<END >a
text
END
for i in 1 2 3; do echo $i >>a; done
exec 5>b; echo five >&5; exec 5>&-
(cd /; echo relative) | tee c >d
mkdir -p e/f; mv a e/f; ln -s e/f g; cp g/a h; truncate -s 2 h; install -m 600 h i
mktemp -p . >/dev/null; chmod 750 e; touch j; rm j; rmdir "$(mktemp -d -p .)"; ln h k; : >|h
set -o noclobber; ! (echo no >h) 2>/dev/null
wait'
    [ "$(cat "$root/e/f/a")" = "$(printf 'text\n1\n2\n3')" ] || fail 'not written'
}

program_perl() {
    needs perl
    run perl -e 'use IO::Handle; use File::Copy;
        open(my $f, ">", "a") or die; print $f "x" x 20000; $f->flush; $f->sync or die; close $f;
        rename "a", "b" or die; copy("b", "c") or die; truncate("c", 5) or die;
        $| = 1; print "saved\n"; unlink "b" or die;'
    has '^write output "saved'
}

program_patch() {
    needs patch diff
    seq 100 >"$root/file"
    sed s/50/fifty/ "$root/file" >"$scratch/new"
    diff -u "$root/file" "$scratch/new" >"$scratch/patch" || true
    run patch -b -i "$scratch/patch" file
    diff "$root/file" "$scratch/new" || fail 'not patched'
}

program_ofstream() {
    needs c++
    c++ -O1 -o "$scratch/program" "$sources/ofstream.cc"
    run "$scratch/program"
    [ "$(wc -l <"$root/data")" = 10000 ] || fail 'not as long as it should be'
    by net
    has '^write output "saved'
}

program_rsync() {
    needs rsync
    tree_make
    run rsync -aH "$scratch/tree/" copy
    diff -r "$scratch/tree" "$root/copy" || fail 'not the same'
    echo changed >"$scratch/tree/numbers"
    run rsync -aH --delete --inplace "$scratch/tree/" copy
    diff -r "$scratch/tree" "$root/copy" || fail 'not the same'
}

program_busybox() {
    needs busybox
    ! ldd "$(command -v busybox)" >/dev/null 2>&1 || {
        echo 'skipped: busybox is not a static program here'
        exit 77
    }
    run busybox sh -c 'echo text >a; busybox cp a b; busybox mv b c; mkdir d; busybox dd if=a of=d/e;
        busybox sed -i s/text/other/ c; busybox rm a; sync'
    [ "$(cat "$root/c")" = other ] || fail 'not edited'
    only_by net
}

program_inline() {
    [ -x "$programs/bypass" ] || {
        echo 'skipped: for x86-64 only'
        exit 77
    }
    run "$programs/bypass" plain
    by net
}

lmdb_run() {
    needs cc
    cc -O1 -o "$scratch/program" "$sources/lmdb.c" -llmdb 2>/dev/null || {
        echo 'skipped: there is no liblmdb to build with'
        exit 77
    }
    run "$scratch/program" . "$@"
    [ "$(wc -l <"$scratch/out")" = 3 ] || fail 'not committed'
    by mapping
}

program_lmdb() {
    lmdb_run
    has 'fdatasync node='
}

program_lmdb-writemap() {
    lmdb_run writemap
    has '^msync '
}

postgresql_bin() {
    local directory
    for directory in /usr/lib/postgresql/*/bin; do
        [ -x "$directory/initdb" ] && echo "$directory" && return
    done
    needs initdb postgres pgbench
    dirname "$(command -v initdb)"
}

# As an unprivileged user, since it refuses to run as root.
program_postgresql() {
    local bin
    bin=$(postgresql_bin) || exit $?
    [ -x "$bin/pgbench" ] || needs pgbench
    cat >"$scratch/workload" <<END
set -e
export PATH="$bin:\$PATH" LC_ALL=C
initdb -D data -U postgres --auth=trust >/dev/null
pg_ctl -D data -w -o "-k $scratch -h ''" start >/dev/null
createdb -h "$scratch" -U postgres test
pgbench -h "$scratch" -U postgres -q -i -s 1 test 2>/dev/null
pgbench -h "$scratch" -U postgres -c 4 -j 2 -T 3 test >/dev/null
psql -h "$scratch" -U postgres -tAc 'select count(*) > 0 from pgbench_history' test
pg_ctl -D data -w -m fast stop >/dev/null
END
    if [ "$(id -u)" = 0 ]; then
        needs setpriv
        chown -R 65534:65534 "$scratch"
        as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    fi
    run sh "$scratch/workload"
    [ "$(tail -n 1 "$scratch/out")" = t ] || fail 'nothing was committed'
    has 'sync '
}

program_go() {
    needs go
    (cd "$scratch" && CGO_ENABLED=0 GOCACHE="$scratch/cache" GOFLAGS=-mod=mod GO111MODULE=off \
        go build -o "$scratch/program" "$sources/files.go") || fail 'go build'
    run "$scratch/program"
    for i in 0 1 2 3 4 5 6 7; do
        [ "$(cat "$root/file$i")" = "content of file$i" ] || fail "file$i is not written"
    done
    only_by net
    has '^write output "saved'
}

stdio_run() {
    needs cc
    cc -O1 -o "$scratch/program" "$sources/acknowledge.c"
    run "$scratch/program" "$@"
    "$programs/show_trace" "$trace" | grep -E ' (fsync|rename|output) ' | cut -d' ' -f2,3 \
        >"$scratch/order"
}

program_stdio-unbuffered() {
    stdio_run
    grep -A 1 '^rename' "$scratch/order" | grep -c '^output "c' | grep -qx 2 ||
        fail 'acknowledgements are not where they were'
}

program_stdio-buffered() {
    stdio_run buffered
    [ "$(grep -c '^output' "$scratch/order")" = 1 ] || fail 'not one write'
    tail -n 1 "$scratch/order" | grep -q '^output' || fail 'not at the end'
}

program_node() {
    needs node
    run node -e 'const fs = require("fs");
fs.writeFileSync("a", "text"); const f = fs.openSync("a", "r+"); fs.fsyncSync(f);
fs.renameSync("a", "b"); fs.promises.writeFile("c", "more").then(() => console.log("saved"));'
    has '^[a-z_0-9]* output "saved'
}

for known in $names; do
    [ "$known" != "$name" ] || {
        "program_$name"
        "$programs/show_trace" -r "$trace" | tr '\n' ' ' | sed 's/ $//'
        echo
        exit 0
    }
done
echo "test_program.sh: there is no program '$name'; see --list" >&2
exit 2
