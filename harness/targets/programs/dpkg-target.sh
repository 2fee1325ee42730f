#!/bin/bash
# dpkg as a target: the upgrade of a package of one file, in a root of its own.
#
#     dpkg-target init       two versions of a package, the first of them installed
#     dpkg-target install    dpkg -i of the second, then "installed"
#     dpkg-target check      what a user may rely on
#
# For bash: the end of a child does not interrupt its system calls.
set -eu
export LC_ALL=C
admin=root/var/lib/dpkg

# Container images switch the syncs off, in dpkg.cfg.d.
install_package() {
    dpkg --root="$PWD/root" --force-not-root --refuse-unsafe-io --no-triggers --log=/dev/null \
        -i "$1" >/dev/null
}

# make_package VERSION WORD: in VERSION.deb, a package whose file has lines of that word.
make_package() {
    mkdir -p "$TMPDIR/package/DEBIAN" "$TMPDIR/package/opt"
    cat >"$TMPDIR/package/DEBIAN/control" <<CONTROL
Package: sample
Version: $1
Architecture: all
Maintainer: nobody <nobody@example.org>
Description: sample
CONTROL
    file-target init "$TMPDIR/package/opt/config" "$2"
    dpkg-deb -Znone --root-owner-group -b "$TMPDIR/package" "$1.deb" >/dev/null
}

check() {
    status=$(dpkg-query --admindir="$admin" -W -f '${Status} ${Version}' sample 2>&1) || {
        echo 'dpkg-query fails'
        echo "$status"
        exit 1
    }
    case $status in
    'install ok installed 2')
        [ "$(head -n 1 root/opt/config)" != old ] || {
            echo 'the new version is installed, says the status, but its file is the old one'
            exit 1
        }
        ;;
    *)
        ! grep -qx installed "$CRASHMATRIX_STDOUT" || {
            echo 'an installation that dpkg has reported is lost'
            exit 1
        }
        ;;
    esac
    exec file-target check root/opt/config installed
}

case ${1-} in
init)
    mkdir -p "$admin/info" "$admin/updates"
    : >"$admin/status"
    make_package 1 old
    make_package 2 new
    install_package 1.deb
    ;;
install)
    install_package 2.deb
    echo installed
    ;;
check) check ;;
*)
    echo 'usage: dpkg-target init | install | check' >&2
    exit 2
    ;;
esac
