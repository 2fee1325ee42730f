#!/bin/sh
# The packages for Yocto, Buildroot and OpenWrt fit this checkout, and check.py says so
# when they do not: each change below, by itself, is found.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd -P)
"$root/ci/packaging/check.py"

work=$(mktemp -d)
work=$(cd "$work" && pwd -P)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# A checkout of which only the packages are a copy.
renew() {
    rm -rf "$work/checkout"
    mkdir -p "$work/checkout/ci"
    for name in CMakeLists.txt LICENSE impl faultfs harness; do
        ln -s "$root/$name" "$work/checkout/$name"
    done
    cp -r "$root/ci/packaging" "$work/checkout/ci"
}

renew
"$work/checkout/ci/packaging/check.py"

# found FILE SED: the change is found.
found() {
    renew
    sed -i "$2" "$work/checkout/ci/packaging/$1"
    if cmp -s "$work/checkout/ci/packaging/$1" "$root/ci/packaging/$1"; then
        echo "FAILED: $1: $2 changes nothing"
        exit 1
    fi
    if "$work/checkout/ci/packaging/check.py" >"$work/out"; then
        echo "FAILED: $1: $2 is not found"
        exit 1
    fi
}

recipe=$(cd "$root/ci/packaging" && echo yocto/recipes-support/crashmatrix/crashmatrix_*.bb)
found "$recipe" 's/md5=4/md5=5/'
found "$recipe" 's/^DEPENDS = /DEPEND = /'
found "$recipe" 's/PTEST_PATH}/PTEST_DIR}/'
found "$recipe" 's/DCRASHMATRIX_RECORDER/DCRASHMATRIX_RECORDING/'
found "$recipe" 's/^SUMMARY = "\(.*\)"$/SUMMARY = "\1/'
found "$recipe" 's,{bindir}/portcheck,&er,'
found "$recipe" 's,/run-ptest ,/run-tests ,'
found "$recipe" 's,/\.\./\.\./,/../,'
found "$recipe" 's/test_manifest_/test_manifests_/'
found yocto/conf/layer.conf 's/^BBFILES.*//'
found buildroot/package/crashmatrix/crashmatrix.mk 's/^CRASHMATRIX_VERSION = 0/CRASHMATRIX_VERSION = 9/'
found buildroot/package/crashmatrix/crashmatrix.mk 's/CRASHMATRIX_CONF_OPTS/CRASHMATRIX_CONF_OPT/'
found buildroot/package/crashmatrix/crashmatrix.mk 's/^CRASHMATRIX_DEPENDENCIES = cjson/CRASHMATRIX_DEPENDENCIES =/'
found buildroot/package/crashmatrix/crashmatrix.mk 's/cmake-package/cmake-packages/'
found buildroot/package/crashmatrix/crashmatrix.mk 's,/\.\./\.\./,/../,'
found buildroot/package/crashmatrix/crashmatrix.hash 's/sha256  ./sha256  x/'
found buildroot/package/crashmatrix/Config.in 's/^config BR2_PACKAGE_/config PACKAGE_/'
found openwrt/crashmatrix/Makefile 's/^PKG_VERSION:=0/PKG_VERSION:=9/'
found openwrt/crashmatrix/Makefile 's/call BuildPackage,crashmatrix-manifest/call BuildPackage,manifest/'
found openwrt/crashmatrix/Makefile 's,usr/bin/portcheck ,usr/bin/portchecker ,'
found openwrt/crashmatrix/Makefile 's/LICENSE impl/LICENSE implementation/'
found openwrt/crashmatrix/Makefile 's/BUILD_TESTING=/BUILD_TESTS=/'
