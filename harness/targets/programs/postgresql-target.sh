#!/bin/bash
# PostgreSQL as a target: a stand-alone backend, or a server of several processes, which
# recovers, runs one transaction and ends with a checkpoint. As an unprivileged user, since it
# refuses to run as root.
#
#     postgresql-target init        a cluster with two accounts
#     postgresql-target transfer    one transaction; its word is a row that says "transferred"
#     postgresql-target serve       the same by a client of a server, which is stopped then
#     postgresql-target check       what an application may rely on, after recovery
#
# For bash: the end of a child does not interrupt its system calls.
set -eu
export LC_ALL=C

as=
if [ "$(id -u)" = 0 ]; then
    as='setpriv --reuid 65534 --regid 65534 --clear-groups'
fi

transfer='begin; update account set amount = amount - 40 where id = 1;
update account set amount = amount + 40 where id = 2; commit;'

# program NAME: where Debian keeps it, or wherever it is found.
program() {
    for path in /usr/lib/postgresql/*/bin/"$1"; do
        [ ! -x "$path" ] || break
    done
    [ -x "$path" ] || path=$(command -v "$1")
    echo "$path"
}

# Statements, each of them ended by an empty line, on standard input.
backend() {
    # shellcheck disable=SC2086 # words
    exec $as "$(program postgres)" --single -j -D data postgres
}

# A client of the server whose socket is in that folder.
client() {
    # shellcheck disable=SC2086 # words
    $as "$(program psql)" -h "$sockets" -U postgres -Atq -v ON_ERROR_STOP=1 -c "$1"
}

# The server forks a process for each client, and some more.
serve() {
    sockets=$(mktemp -d)
    trap 'rm -rf "$sockets"' EXIT
    [ -z "$as" ] || chown 65534:65534 "$sockets"
    # shellcheck disable=SC2086 # words
    $as "$(program postgres)" -D data -k "$sockets" -c listen_addresses= 2>/dev/null &
    server=$!
    until client 'select' >/dev/null 2>&1; do
        kill -0 "$server" # or it is not there
        sleep 0.1
    done
    client "$transfer"
    echo '"transferred"'
    kill -INT "$server" # ends clients, writes the checkpoint
    wait "$server"
}

# said AMOUNTS: whether the backend answered that these are the two amounts.
said() {
    printf '%s\n' "$answer" | grep -qF "\"$1\""
}

# Nothing runs after a power cut. The file would be looked at for a process that does, whose
# number may belong to another by now; and an empty one, which a cut at the start leaves, must
# be removed by hand, as the server says.
check() {
    rm -f data/postmaster.pid
    status=0
    answer=$(printf "select string_agg(amount::text, ',' order by id) from account;\n\n" |
        backend 2>&1) || status=$?
    if [ "$status" -ne 0 ]; then
        echo "the cluster does not start: $(printf '%s\n' "$answer" | sed -n 's/.*FATAL: *//p')"
        exit 1
    fi
    if said 60,40; then
        echo 'label: new'
    elif ! said 100,0; then
        echo 'the table is damaged'
        printf '%s\n' "$answer"
        exit 1
    elif grep -qF '"transferred"' "$CRASHMATRIX_STDOUT"; then
        echo 'an acknowledged transaction is lost'
        exit 1
    else
        echo 'label: old'
    fi
}

init() {
    [ -z "$as" ] || chown 65534:65534 .
    # shellcheck disable=SC2086 # words
    $as "$(program initdb)" -D data -U postgres -A trust --wal-segsize=1 -N >/dev/null
    # Small, so that the recording is small.
    cat >>data/postgresql.conf <<CONFIGURATION
shared_buffers = 1MB
max_wal_size = 4MB
min_wal_size = 2MB
CONFIGURATION
    printf '%s;\n\n' 'create table account(id int primary key, amount int)' \
        'insert into account values (1, 100), (2, 0)' | backend 2>/dev/null
}

case ${1-} in
init) init ;;
transfer)
    printf '%s\n\n' "$transfer" "select 'transferred';" | backend 2>/dev/null
    ;;
serve) serve ;;
check) check ;;
*)
    echo 'usage: postgresql-target init | transfer | serve | check' >&2
    exit 2
    ;;
esac
