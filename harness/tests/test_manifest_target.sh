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

# The judgement of a database after the workload ORDER, whatever the commit point.
judge() {
    order=$1
    point=$2
    rm -rf db
    : >stdout
    expect 1 'version 1 was acknowledged, but there is no database' "$target" check manifest
    expect 0 'label: empty' "$target" check manifest-init
    rm -rf db
    expect 0 'committed 1' "$target" init "$point"
    expect 0 'label: old' "$target" check manifest
    rm -rf db
    "$target" init "$point" >stdout
    expect 0 'label: old' "$target" check manifest-init
    rm -rf db
    "$target" init "$point" >/dev/null
    # shellcheck disable=SC2086 # words
    "$target" $order >stdout
    printf 'committed 2\ncommitted 3\ncommitted 4\n' | cmp - stdout || fail "$order: acknowledged"
    cp -r db whole
    expect 0 'label: old' "$target" check manifest
    printf 'committed 3\n' >stdout
    rm -rf db && cp -r whole db
    expect 0 'label: new' "$target" check manifest
    printf 'committed 3\ncommitting 5\n' >stdout
    rm -rf db && cp -r whole db
    expect 1 'version 4 is current, but only version 3 was acknowledged' "$target" check manifest
    printf 'committed 5\n' >stdout
    rm -rf db && cp -r whole db
    expect 1 'version 5 was acknowledged, but version 4 is current' "$target" check manifest
    printf 'committed 4\n' >stdout
    rm -rf db && cp -r whole db
    rm -f db/lsm-000004 db/data-4-0
    expect 1 'corrupt: *' "$target" check manifest
    rm -rf whole
}

judge 'commit manifest 4' rename
judge 'commit manifest 4' slots
judge 'seed-order 4' rename

# prepare POINT CASE LAST: a database of that case.
prepare() {
    rm -rf db backup restored-* stdout
    "$target" init "$1" >/dev/null
    "$target" commit "$2" "$3" >/dev/null
}

# The checks change what they judge: keep before, back before another one.
keep() {
    rm -rf kept
    cp -r db kept
}

back() {
    rm -rf db backup restored-*
    cp -r kept db
}

for point in rename slots; do
    prepare $point manifest-killed 1
    "$target" killed manifest-killed >stdout
    expect 0 'label: old' "$target" check manifest-killed
    sed -i '$s/.*/committed 99/' stdout
    expect 1 'version 99 was acknowledged, but version *' "$target" check manifest-killed

    prepare $point manifest-clean 4
    expect 0 'cleaned' "$target" clean
    cp db/MANIFEST-000004 db/MANIFEST-000002
    echo cleaned >stdout
    expect 1 'a kept version: CORRUPT: *' "$target" check manifest-clean
    prepare $point manifest-clean 4
    echo cleaned >stdout
    expect 1 '4 versions are kept instead of 2' "$target" check manifest-clean
    prepare $point manifest-clean 4
    : >stdout
    rm db/lsm-000002
    expect 1 'version 2: lsm-000002: *' "$target" check manifest-clean

    prepare $point manifest-sweep 3
    touch db/notes.txt
    "$target" leftovers manifest-sweep >/dev/null
    [ -e db/MANIFEST-000004 ] || fail "$point: nothing was left over"
    keep
    : >stdout
    expect 0 'label: old' "$target" check manifest-sweep
    back
    echo swept >stdout
    expect 1 '? leftovers and 1 files of others instead of none and 1' "$target" check manifest-sweep
    back
    expect 0 'swept' "$target" sweep
    keep
    expect 0 'label: old' "$target" check manifest-sweep
    back
    rm db/notes.txt
    expect 1 '0 leftovers and 0 files of others instead of none and 1' \
        "$target" check manifest-sweep

    prepare $point manifest-backup 3
    keep
    expect 0 'saved 2' "$target" backup 3
    printf 'saved 2\nsaved 3\n' >stdout
    expect 0 'label: old' "$target" check manifest-backup
    back
    expect 1 'restoring: NO_DATABASE: *' "$target" check manifest-backup
    back
    : >stdout
    expect 0 'label: old' "$target" check manifest-backup

    prepare $point manifest-restore 3
    "$target" backup 2 >/dev/null
    "$target" restore >stdout
    expect 0 'label: old' "$target" check manifest-restore
    prepare $point manifest-restore 4
    echo 'committed 4' >stdout
    expect 1 'version 4: the lsm file is not what was committed' "$target" check manifest-restore

    prepare $point manifest-recover 3
    : >stdout
    for manifest in MANIFEST-CURRENT MANIFEST-000003; do
        [ ! -e db/$manifest ] || echo damaged >db/$manifest
    done
    keep
    expect 0 'label: corrupt' "$target" check manifest-recover
    back
    expect 0 'committed 4' "$target" recover
    echo 'committed 4' >stdout
    expect 0 'label: old' "$target" check manifest-recover
done

expect 2 'usage: *' "$target"
expect 2 'usage: *' "$target" nonexistent
expect 2 'usage: *' "$target" check
expect 2 'usage: *' "$target" check manifest manifest
expect 2 'manifest-target: nonexistent: no such case' "$target" check nonexistent
rm -rf db
expect 1 'manifest-target: *' "$target" commit manifest 2
expect 1 'manifest-target: *' "$target" seed-order 2
unset CRASHMATRIX_STDOUT
expect 2 'manifest-target: CRASHMATRIX_STDOUT: is not set' "$target" check manifest
