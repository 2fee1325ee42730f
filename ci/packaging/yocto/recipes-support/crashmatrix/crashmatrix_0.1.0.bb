SUMMARY = "Several files replaced as one, even by a power cut, and a check that the board holds it"
DESCRIPTION = "libmanifest commits a version of several files atomically. The manifest command \
does so from scripts. portcheck shows on a board whether commits survive power cuts there."
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://LICENSE;md5=479d80db1f4a58827b2062d0d1fb5bb3"

DEPENDS = "cjson"
DEPENDS += "${@bb.utils.contains('PTEST_ENABLED', '1', 'cunit', '', d)}"

inherit cmake pkgconfig ptest externalsrc

# The checkout that this layer is in.
EXTERNALSRC = "${@os.path.realpath('${THISDIR}/../../../../..')}"
EXTERNALSRC_BUILD = "${WORKDIR}/build"

# The recorder and the engine are for the machine of the developer.
EXTRA_OECMAKE = "-DCRASHMATRIX_RECORDER=OFF -DCRASHMATRIX_HARNESS=OFF -DCRASHMATRIX_WERROR=OFF"
EXTRA_OECMAKE += "-DBUILD_TESTING=${@bb.utils.contains('PTEST_ENABLED', '1', 'ON', 'OFF', d)}"

do_install_ptest() {
    install -d ${D}${PTEST_PATH}
    install -m 0755 ${S}/ci/packaging/yocto/recipes-support/crashmatrix/run-ptest ${D}${PTEST_PATH}
    install -m 0755 ${B}/tests/test_manifest_* ${B}/tests/test_portcheck_* ${D}${PTEST_PATH}
}

# portcheck goes to boards that have nothing else of this.
PACKAGES =+ "${PN}-portcheck"
FILES:${PN}-portcheck = "${bindir}/portcheck"
FILES:${PN} += "${datadir}/bash-completion"
FILES:${PN}-dev += "${libdir}/cmake"
RDEPENDS:${PN}-ptest += "${PN}-portcheck"
