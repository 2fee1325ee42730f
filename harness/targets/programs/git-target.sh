#!/bin/bash
# git as a target, with names and dates that are the same in each run.
#
#     git-target init [all]    a repository with one commit and a changed file; all: core.fsync
#     git-target commit        git add and git commit, then "committed"
#     git-target check         what a user may rely on
#
# For bash: the end of a child does not interrupt its system calls.
set -eu
export LC_ALL=C GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_AUTHOR_DATE='2000-01-01T00:00:00Z'
export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
export GIT_COMMITTER_DATE='2000-01-01T00:00:00Z'

# try REASON COMMAND...: rejects the state for that reason when the command fails; its words
# follow, without what is another one in each run.
try() {
    reason=$1
    shift
    said=$("$@" 2>&1) || {
        echo "$reason"
        echo "$said"
        exit 1
    }
}

check() {
    try 'git log fails: the branch or its commit is damaged' git log --format=%s
    subject=$said
    try 'git status fails: the index is damaged' git status --porcelain
    try 'git fsck fails: an object is missing or damaged' git fsck --no-dangling --no-progress
    case $subject in
    two*) echo 'label: new' ;;
    one)
        ! grep -qx committed "$CRASHMATRIX_STDOUT" || {
            echo 'a commit that git has reported is lost'
            exit 1
        }
        echo 'label: old'
        ;;
    *)
        echo "the history is another: $subject"
        exit 1
        ;;
    esac
}

case ${1-} in
init)
    git init -q -b main .
    git config maintenance.auto false
    [ "${2-}" != all ] || git config core.fsync all
    echo one >file
    git add file
    git commit -q -m one
    echo two >file
    ;;
commit)
    git add file
    git commit -q -m two
    echo committed
    ;;
check) check ;;
*)
    echo 'usage: git-target init [all] | commit | check' >&2
    exit 2
    ;;
esac
