#!/bin/sh
# manifest-target's subcommands, without any power cut: what is committed is
# accepted, what is damaged is not.
#
# usage: test_manifest_target.sh PATH-OF-MANIFEST-TARGET
set -eu

target=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export CRASHMATRIX_STDOUT="$work/stdout"

fail()
{
    echo "test_manifest_target.sh: $*" >&2
    exit 1
}

# expect STATUS TEXT COMMAND...: the exit status and the first line printed.
expect()
{
    wanted_status=$1
    wanted_text=$2
    shift 2
    status=0
    "$@" >"$work/printed" 2>&1 || status=$?
    [ "$status" = "$wanted_status" ] || fail "$*: exit status $status"
    text=$(head -n 1 "$work/printed")
    # shellcheck disable=SC2254 # it is a pattern
    case $text in
    $wanted_text) ;;
    *) fail "$*: printed '$text'" ;;
    esac
}

for order in commit seed-order; do
    rm -rf db
    : >stdout
    expect 1 'version 1 was acknowledged, but there is no database' "$target" check
    expect 0 'label: empty' "$target" check-init
    rm -rf db
    expect 0 'committed 1' "$target" init
    expect 0 'label: old' "$target" check
    rm -rf db
    "$target" init >stdout
    expect 0 'label: old' "$target" check-init
    rm -rf db
    "$target" init >/dev/null
    "$target" $order >stdout
    printf 'committed 2\ncommitted 3\ncommitted 4\n' | cmp - stdout || fail "$order: acknowledged"
    cp -r db whole
    expect 0 'label: old' "$target" check
    printf 'committed 3\n' >stdout
    rm -rf db && cp -r whole db
    expect 0 'label: new' "$target" check
    printf 'committed 5\n' >stdout
    rm -rf db && cp -r whole db
    expect 1 'version 5 was acknowledged, but version 4 is current' "$target" check
    printf 'committed 4\n' >stdout
    rm -rf db && cp -r whole db
    rm -f db/lsm-000004 db/data-4-0
    expect 1 'corrupt: *' "$target" check
    rm -rf whole
done

expect 2 'usage: *' "$target"
expect 2 'usage: *' "$target" nonexistent
expect 2 'usage: *' "$target" check check
rm -rf db
expect 1 'manifest-target: *' "$target" commit
expect 1 'manifest-target: *' "$target" seed-order
unset CRASHMATRIX_STDOUT
expect 2 'manifest-target: CRASHMATRIX_STDOUT: is not set' "$target" check
