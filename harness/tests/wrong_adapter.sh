#!/bin/sh
# wrong_adapter.sh WRONG ADAPTER OPERATION...: ADAPTER, but wrong in one way.
set -eu
wrong=$1
adapter=$2
shift 2
case $wrong:$1 in
garbage:*) echo 'committed, I think' ;;
hangs:*) sleep 1000 ;;
dies:commit) exit 3 ;;
doubles:parse | doubles:print)
    # Integers go through doubles.
    "$adapter" "$@" | python3 -c '
import json, sys
answer = json.loads(sys.stdin.read(), parse_int=lambda text: int(float(text)))
print(json.dumps(answer))'
    ;;
sets-aside:write | tidies:write)
    # Leftovers are removed before the database is opened. In the wrong port the manifest is
    # out of the way meanwhile, which one cut shows only if it is during a recovery.
    aside=no
    for leftover in "$2"/MANIFEST-CURRENT.*.tmp; do
        [ -e "$leftover" ] || continue
        [ "$wrong" = tidies ] || [ ! -e "$2/MANIFEST-CURRENT" ] ||
            mv "$2/MANIFEST-CURRENT" "$2/aside"
        aside=yes
        rm "$leftover"
    done
    [ $aside = no ] || [ ! -e "$2/aside" ] || mv "$2/aside" "$2/MANIFEST-CURRENT"
    exec "$adapter" "$@"
    ;;
no-republishing:write) "$adapter" read "$2" ;;
promises:commit-files)
    echo 'committed 2'
    "$adapter" "$@" | tail -n 1
    ;;
lies:commit-files) "$adapter" "$@" | sed 's/"code":"[A-Z_]*"/"code":"OK","committed":2/' ;;
denies:commit-files)
    "$adapter" "$@" >/dev/null
    echo '{"code": "NOT_COMMITTED"}'
    ;;
refuses:commit-files) echo '{"code": "READ_ONLY"}' ;;
lacks:capabilities)
    "$adapter" "$@" | sed 's/"backup",//; s/,"restore"//; s/,"slots"//'
    ;;
lacks:inspect) echo '{"code": "UNSUPPORTED"}' ;;
forgets:commit)
    # Recovery removes what it finds, and begins anew.
    rm -f "$2"/MANIFEST-*
    "$adapter" init "$2" rename >/dev/null
    "$adapter" "$@"
    ;;
*) exec "$adapter" "$@" ;;
esac
