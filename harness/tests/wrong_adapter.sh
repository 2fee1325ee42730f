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
