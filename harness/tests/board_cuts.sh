#!/bin/sh
# ci/board-cuts without a board: what it refuses and lists; and the block server that it cuts.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
    echo "$*" >&2
    exit 1
}

# refused WORD ARGUMENT...: exit status 2, and a message with that word.
refused() {
    word=$1 status=0
    shift
    "$root/ci/board-cuts" "$@" >"$scratch/output" 2>&1 || status=$?
    [ $status -eq 2 ] || fail "board-cuts $*: exit status $status"
    grep -q -- "$word" "$scratch/output" || fail "board-cuts $*: $(cat "$scratch/output")"
}

refused "no option" --nonsense
refused "no option" ext4
refused "value is missing" --fs
refused "ext5" --fs ext4,ext5
refused "empty" --fs ''
refused "kill" --kind kill
refused "no row" --fs xfs --mutant rename --list
refused "at least 1" --cuts 0
refused "at least 1" --jobs x
refused "none of" --machine mips
refused "none of ubifs" --machine x86-64-nand --fs ext4
refused "none of" --machine arm64 --fs ubifs
refused "no row" --machine x86-64-nand --short --list

rows() {
    "$root/ci/board-cuts" --list "$@" 2>"$scratch/remark"
}
[ "$(rows --fs vfat --kind power | tr -s ' ')" = "vfat correct power PASS" ] ||
    fail "--list: $(rows --fs vfat --kind power)"
[ "$(rows --fs ubifs --mutant correct --machine x86-64-nand)" = "ubifs correct power PASS" ] ||
    fail "--list: $(rows --machine x86-64-nand)"
[ "$(rows --machine arm64)" = "$(rows)" ] || fail "the machines with a disk differ"
grep -q "only on the machine x86-64-nand" "$scratch/remark" || fail "--list does not say where ubifs is"
# Of each kind something that is right, and something that is wrong.
[ "$(rows --short | cut -d ' ' -f 3,4 | sort)" = "power FAIL
power PASS
reset FAIL
reset PASS" ] || fail "--short: $(rows --short)"

"${CC:-cc}" -std=c17 -O1 -Wall -Wextra -Werror "$root/ci/boards/block-server.c" \
    -o "$scratch/block-server"
"$root/ci/boards/test-block-server" "$scratch/block-server"

# plant SOURCE EXPRESSION RESULT: an edit of it.
plant() {
    sed "$2" "$1" >"$3"
    ! cmp -s "$1" "$3" || fail "nothing planted: $2"
}

# planted EXPRESSION: an edit after which the tests of the block server must fail.
planted() {
    plant "$root/ci/boards/block-server.c" "$1" "$scratch/planted.c"
    "${CC:-cc}" -std=c17 -O1 -w "$scratch/planted.c" -o "$scratch/planted"
    if "$root/ci/boards/test-block-server" "$scratch/planted" >/dev/null 2>&1; then
        fail "not found: $1"
    fi
}
planted 's/durable\[i\] < write->number/true/'                # older contents come back
planted 's/if (force && !disk/if (false \&\& !disk/'          # FUA is not durable
planted 's/COMMAND_FLUSH && !disk->ignores_flushes/COMMAND_FLUSH/'
planted 's/keep == KEEP_TORN/false/'   # never torn
planted 's/end -= end % disk->unit/(void)0/' # units are torn
planted 's/bytes == NULL || !receive(socket, bytes, size)/!receive(socket, bytes, size) \&\& 0/'

# The driver of the flash, with empty headers of the kernel.
mkdir -p "$scratch/linux/mtd" "$scratch/nand"
touch "$scratch/linux/delay.h" "$scratch/linux/io.h" "$scratch/linux/module.h" "$scratch/linux/mtd/mtd.h"
cp "$root/ci/boards/nand/test-nand.c" "$scratch/nand"

# nand_passes: whether the driver in $scratch/nand does.
nand_passes() {
    "${CC:-cc}" -std=c17 -D_GNU_SOURCE -O1 -Wall -Wextra -I"$scratch" "$scratch/nand/test-nand.c" \
        -o "$scratch/nand/test"
    "$scratch/nand/test" 2>"$scratch/nand/output"
}
cp "$root/ci/boards/nand/nand.c" "$scratch/nand"
nand_passes || fail "$(cat "$scratch/nand/output")"
planted_in_nand() {
    plant "$root/ci/boards/nand/nand.c" "$1" "$scratch/nand/nand.c"
    ! nand_passes || fail "not found: $1"
}
planted_in_nand 's/if (nand->states\[page\] != ERASED)/if (0)/'     # programmed twice
planted_in_nand 's/set_state(nand, page, PROGRAMMED)/(void)0/'
planted_in_nand '0,/set_state(nand, page, IN_THE_MIDST)/s///'       # a torn page reads well
planted_in_nand 's/page < end; page++)/page < end - 1; page++)/'     # one page of a block is left out
planted_in_nand 's/% PAGE != 0/% 1 != 0/g'
planted_in_nand 's/memset(nand->cells + erase->addr, 0xff/memset(nand->cells + erase->addr, 0/'
