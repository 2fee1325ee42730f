#!/bin/sh
# ci/tidy on a checkout that is made up: a bug that takes two functions is found, its
# correct twin passes, and tests are left out.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

command -v run-clang-tidy >/dev/null || exit 77
root=$(cd "$here/../.." && pwd)
mkdir -p "$work/checkout/ci" "$work/checkout/impl/tests" "$work/checkout/build-clang"
cp "$root/ci/tidy" "$work/checkout/ci"
cp "$root/.clang-tidy" "$work/checkout"
cd "$work/checkout"

cat >impl/freed.c <<'END'
#include <stdlib.h>

static void drop(int *number, int which)
{
    if (which > 3)
        free(number);
}

int use(int which);
int use(int which)
{
    int *number = calloc(1, sizeof(*number));
    if (number == NULL)
        return 0;
    drop(number, which);
    int first = *number;
    free(number);
    return first;
}
END
sed 's/^    drop(number, which);$/    number[0] = which;/; /^static/,/^}/d' impl/freed.c >impl/kept.c
cp impl/freed.c impl/tests/freed.c

# compiled FILE...: these are what there is.
compiled() {
    separator='['
    for file; do
        printf '%s{"directory": "%s", "file": "%s/%s", "command": "clang -c %s"}' \
            "$separator" "$PWD" "$PWD" "$file" "$file"
        separator=,
    done >build-clang/compile_commands.json
    echo ']' >>build-clang/compile_commands.json
}

compiled impl/kept.c impl/freed.c impl/tests/freed.c
expect 1 'impl/freed.c:16:.* after it is freed' ci/tidy --quick --build build-clang
! grep -q -e tests/freed.c -e kept.c "$work/output" || fail "more is found"
expect 1 'impl/freed.c:16:.* after it is freed' ci/tidy --build build-clang
expect 0 '' ci/tidy --quick --build build-clang impl/kept.c
compiled impl/kept.c impl/tests/freed.c
expect 0 '' ci/tidy --quick --build build-clang

expect 0 'usage: ci/tidy' ci/tidy --help
expect 2 'no such option: --fast' ci/tidy --fast
expect 2 'needs a folder' ci/tidy --build
expect 2 'there is no' ci/tidy --build nowhere
expect 2 'no such file: impl/none.c' ci/tidy --build build-clang impl/none.c
expect 2 'not compiled, or a test' ci/tidy --build build-clang impl/freed.c
expect 2 'not compiled, or a test' ci/tidy --build build-clang impl/tests/freed.c
compiled impl/tests/freed.c
expect 2 'has no file of this folder' ci/tidy --build build-clang
