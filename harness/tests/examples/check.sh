#!/bin/sh
# The greeting is the old one or the new one, and the new one if that was promised.
case "$(cat greeting.txt)" in
"hello again")
    echo "label: new" ;;
"hello")
    if grep -q saved "$CRASHMATRIX_STDOUT"; then
        echo "the saved greeting is lost"
        exit 1
    fi
    echo "label: old" ;;
*)
    echo "the greeting is damaged"
    exit 1 ;;
esac
