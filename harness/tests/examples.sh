#!/bin/sh
# The README's first own program, in C and in Python: its bug is caught, its
# repair is clean, and the README shows the very files that run here.
set -eu
# shellcheck source=script.sh
. "$(dirname "$0")/script.sh"

examples=$here/examples
for file in replace.c replace.py check.sh; do
    python3 - "$here/../../README.md" "$examples/$file" <<'END' || fail "README: $file"
import sys
readme, example = (open(path, encoding="utf-8").read() for path in sys.argv[1:])
sys.exit(0 if f"\n{example}```\n" in readme else "the README does not show this file as it is")
END
done

# example STATUS PATTERN WORKLOAD
example() {
    expect "$1" "$2" "$crashmatrix" run --setup 'echo hello >greeting.txt' \
        --workload "$3" --check "$examples/check.sh" --scratch "$work/scratch" --model posix
}

"${CC:-cc}" -o "$work/replace" "$examples/replace.c"
"${CC:-cc}" -DREPAIRED -o "$work/replace-repaired" "$examples/replace.c"

for buggy in "$work/replace" "python3 $examples/replace.py"; do
    example 1 'the saved greeting is lost' "$buggy"
    grep -q 'lost: rename of greeting.new -> greeting.txt' "$work/output" || fail "$buggy: lost"
done
for repaired in "$work/replace-repaired" "python3 $examples/replace.py repaired"; do
    example 0 '^Verdict: pass' "$repaired"
done
