#!/bin/sh
# The subcommand models: models explained, and the one that fits a directory, of file
# systems that are mounted here if that is allowed.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

said() {
    echo "explained"
    expect 0 'posix-torn' "$crashmatrix" models
    expect 0 'data persists in pieces of 512 bytes' "$crashmatrix" models posix-torn
    grep -q 'a disk promises no more than one sector' "$work/output" || fail "no source"
    expect 0 '^posix-create$' "$crashmatrix" models 'posix*'
    [ "$(grep -c '^[a-z]' "$work/output")" -eq 3 ] || fail "posix* are three models"
    expect 0 'process-crash' "$crashmatrix" models all
    sed 's/"name": "posix"/"name": "mine"/' "$here/../models/posix.json" >"$work/mine.json"
    expect 0 '^mine$' "$crashmatrix" models "$work/mine.json"
    sed 's/"independent"/"sometimes"/' "$work/mine.json" >"$work/wrong.json"
    expect 2 "wrong.json: tearing: unknown value 'sometimes'; known are" \
        "$crashmatrix" models "$work/wrong.json"
    expect 2 "no model matches 'no-such-\\*'" "$crashmatrix" models 'no-such-*'
    expect 2 'missing.json' "$crashmatrix" models "$work/missing.json"

    echo "for a directory"
    expect 2 'exclude' "$crashmatrix" models --for . posix
    expect 2 'No such file' "$crashmatrix" models --for "$work/missing"
    expect 2 'not a directory' "$crashmatrix" models --for "$work/mine.json"
    expect 4 '^model: none fits' "$crashmatrix" models --for /proc
}

# mounted STATUS PATTERN TYPE OPTIONS [FEATURES]: what is said of a new file system.
mounted() {
    truncate -s "$size" "$work/image"
    # shellcheck disable=SC2086 # two words or none
    if ! "mkfs.$3" -q ${5-} "$work/image" >"$work/err" 2>&1 ||
        ! mount -o "loop$4" "$work/image" "$work/mounted" 2>>"$work/err"; then
        echo "skipped: $3$4 cannot be mounted here: $(tail -n 1 "$work/err")"
        rm "$work/image"
        return 0
    fi
    expect "$1" "$2" "$crashmatrix" models --for "$work/mounted"
    grep -q "^$work/mounted: $3 " "$work/output" || fail "$3 is not named"
    umount "$work/mounted"
    rm "$work/image"
    echo "$3$4"
}

all_mounted() {
    mkdir "$work/mounted"
    size=64M
    mounted 0 '^model: ext4$' ext4 ''
    mounted 0 '^model: ext4-journal$' ext4 ',data=journal'
    mounted 0 '^model: ext4-writeback$' ext4 ',data=writeback'
    mounted 0 '^model: ext4-nodelalloc$' ext4 ',nodelalloc'
    mounted 0 '^model: ext4-noauto_da_alloc$' ext4 ',noauto_da_alloc'
    mounted 0 '^model: ext2$' ext4 '' '-O ^has_journal'
    mounted 4 'together' ext4 ',noauto_da_alloc,data=writeback'
    mounted 1 '^warning: ext4, nobarrier' ext4 ',barrier=0'
    mounted 0 '^model: ext3-ordered$' ext3 ''
    mounted 0 '^model: ext2$' ext2 ''
    size=400M
    mounted 0 '^model: xfs$' xfs ''
    mounted 0 '^model: btrfs$' btrfs ''
    mounted 4 'nodatacow' btrfs ',nodatacow'
    if mount -t tmpfs none "$work/mounted"; then
        expect 1 '^warning: tmpfs: ' "$crashmatrix" models --for "$work/mounted"
        umount "$work/mounted"
    fi
}

# In a mount namespace of its own, which takes all mounts along when it ends.
if [ "${CRASHMATRIX_MOUNTS-}" = yes ]; then
    all_mounted
    exit 0
fi
said
if unshare --mount true 2>/dev/null; then
    PATH=$PATH:/usr/sbin:/sbin CRASHMATRIX_MOUNTS=yes unshare --mount "$0" "$1" "$2"
else
    echo "skipped: nothing can be mounted here"
fi
