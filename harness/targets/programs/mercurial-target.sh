#!/bin/bash
# Mercurial as a target.
#
#     mercurial-target init      a repository with one commit and a changed file
#     mercurial-target commit    hg commit, then "committed"
#     mercurial-target check     what a user may rely on: after hg recover, if there is anything
#                                to recover, hg verify finds nothing, and the commit is there
#
# For bash: the end of a child does not interrupt its system calls.
set -eu
export LC_ALL=C HGRCPATH=/dev/null HGUSER=a HGPLAIN=1

check() {
    if [ -e .hg/store/journal ]; then
        said=$(hg recover 2>&1) || {
            echo 'hg recover fails'
            echo "$said"
            exit 1
        }
    fi
    said=$(hg verify -q 2>&1) || {
        echo 'hg verify fails'
        echo "$said"
        exit 1
    }
    said=$(hg status 2>&1) || {
        echo 'hg status fails'
        echo "$said"
        exit 1
    }
    case $(hg log -T '{desc} ') in
    'two one ') echo 'label: new' ;;
    'one ')
        ! grep -qx committed "$CRASHMATRIX_STDOUT" || {
            echo 'a commit that hg has reported is lost'
            exit 1
        }
        echo 'label: old'
        ;;
    *)
        echo 'the history is another'
        exit 1
        ;;
    esac
}

case ${1-} in
init)
    hg init .
    echo one >file
    hg commit -q -A -m one -d '0 0'
    echo two >file
    ;;
commit)
    hg commit -q -m two -d '0 0'
    echo committed
    ;;
check) check ;;
*)
    echo 'usage: mercurial-target init | commit | check' >&2
    exit 2
    ;;
esac
