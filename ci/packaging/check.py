#!/usr/bin/env python3
"""Checks the packages for Yocto, Buildroot and OpenWrt as far as that goes without them.

Versions, checksums of the licence, options of CMake, files and variables must be those of
this checkout. The makefiles are run by make, with what they include replaced by what only
says which variables were set.

usage: check.py [FOLDER] (default: the one that this is in)
"""
import hashlib
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.realpath(os.path.join(HERE, "..", ".."))
problems = []

# The variables of BitBake and of the classes that the recipe inherits, as the Yocto
# Project's reference manual has them.
BITBAKE = set("""SUMMARY DESCRIPTION LICENSE LIC_FILES_CHKSUM DEPENDS EXTERNALSRC
EXTERNALSRC_BUILD EXTRA_OECMAKE PACKAGES FILES RDEPENDS PN D S B WORKDIR THISDIR PTEST_PATH
bindir datadir libdir""".split())
CLASSES = {"cmake", "pkgconfig", "ptest", "externalsrc"}
# Those of Buildroot's infrastructure for CMake packages, as its manual has them.
BUILDROOT = set("""VERSION SITE SITE_METHOD LICENSE LICENSE_FILES INSTALL_STAGING DEPENDENCIES
CONF_OPTS""".split())


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def expect(holds, what):
    if not holds:
        problems.append(what)


def digest(kind, name):
    with open(os.path.join(ROOT, name), "rb") as file:
        return hashlib.new(kind, file.read()).hexdigest()


def check_options(where, text):
    """Options of CMake that are named are there."""
    lists = read(ROOT, "CMakeLists.txt")
    known = set(re.findall(r"^(?:option|set)\((CRASHMATRIX_\w+)", lists, re.M)) | {"BUILD_TESTING"}
    options = set(re.findall(r"-D(\w+)=", text))
    expect(options, f"{where}: sets no option of CMake")
    for option in options - known:
        expect(False, f"{where}: CMakeLists.txt has no option {option}")
    for option in ("CRASHMATRIX_RECORDER", "CRASHMATRIX_HARNESS", "CRASHMATRIX_WERROR"):
        expect(f"-D{option}=OFF" in text, f"{where}: {option} is not OFF")


def installed():
    """Names of the programs that CMake installs."""
    lists = read(ROOT, "impl", "CMakeLists.txt")
    portcheck = os.path.join(ROOT, "impl", "portcheck", "CMakeLists.txt")
    if os.path.exists(portcheck):
        lists += read(portcheck)
    names = set(re.findall(r"install\(TARGETS ([\w-]+) DESTINATION \$\{CMAKE_INSTALL_BINDIR\}", lists))
    return {name.removesuffix("-cli") for name in names}


def make(text, variables, folder):
    """What make says of variables after reading a makefile."""
    with tempfile.TemporaryDirectory() as work:
        name = os.path.join(work, "Makefile")
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)
            for variable in variables:
                file.write(f"\n$(info {variable}={{$({variable})}})")
            file.write("\nall:\n\t@:\n")
        result = subprocess.run(["make", "--warn-undefined-variables", "-f", name, "-C", folder],
                                capture_output=True, text=True, check=False)
    expect(result.returncode == 0, f"{folder}: make: {result.stderr}")
    for line in result.stderr.splitlines():
        expect("undefined variable" not in line, f"{folder}: {line}")
    return dict(re.findall(r"^([\w/.-]+)=\{(.*?)\}$", result.stdout, re.M | re.S))


def check_yocto(folder, version):
    layer = read(folder, "conf", "layer.conf")
    expect('BBFILES += "${LAYERDIR}/recipes-*/*/*.bb"' in layer, "layer.conf: finds no recipes")
    recipes = os.path.join(folder, "recipes-support", "crashmatrix")
    name = f"crashmatrix_{version}.bb"
    if not os.path.exists(os.path.join(recipes, name)):
        problems.append(f"yocto: no recipe {name}, the project's version is {version}")
        return
    text = read(recipes, name)
    expect(f"file://LICENSE;md5={digest('md5', 'LICENSE')}\"" in text, f"{name}: md5 of LICENSE")
    check_options(name, text)
    joined = re.sub(r"\\\n", "", text)
    tasks = re.sub(r"^do_\w+\(\) \{\n(?:[ \t].*\n)*\}\n", "", joined, flags=re.M)
    for line in tasks.splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("inherit "):
            expect(set(line.split()[1:]) == CLASSES, f"{name}: {line}")
            continue
        match = re.fullmatch(r'(\w+)(?::[\w${}-]+)* (?:\+?=|=\+) "[^"]*"', line)
        expect(match, f"{name}: neither assignment nor inherit: {line}")
        expect(match is None or match[1] in BITBAKE, f"{name}: unknown variable: {line}")
    for variable in re.findall(r"\$\{(\w+)\}", text):
        expect(variable in BITBAKE, f"{name}: unknown variable {variable}")
    source = re.search(r"realpath\('\$\{THISDIR\}/([./]+)'\)", text)
    expect(source and os.path.realpath(os.path.join(recipes, source[1])) == ROOT,
           f"{name}: EXTERNALSRC is not this checkout")
    for path in re.findall(r"\$\{S\}/(\S+)", text):
        expect(os.path.exists(os.path.join(ROOT, path)), f"{name}: no file {path}")
    for program in re.findall(r"\$\{bindir\}/([\w-]+)", text):
        expect(program in installed(), f"{name}: {program} is not installed")
    for pattern in re.findall(r"\$\{B\}/tests/(\w+)\*", text):
        sources = [file for base in ("impl/tests", "impl/portcheck/tests")
                   for file in os.listdir(os.path.join(ROOT, base))
                   if file.startswith(pattern) and file.endswith(".c")]
        expect(sources, f"{name}: no tests {pattern}*")


def check_buildroot(folder, version):
    package = os.path.join(folder, "package", "crashmatrix")
    text = read(package, "crashmatrix.mk")
    names = re.findall(r"^CRASHMATRIX_(\w+) =", text, re.M)
    for name in names:
        expect(name in BUILDROOT, f"crashmatrix.mk: unknown variable CRASHMATRIX_{name}")
    check_options("crashmatrix.mk", text)
    settings = f"BR2_EXTERNAL_CRASHMATRIX_PATH = {folder}\ncmake-package = CALLED = yes\n"
    said = make(settings + text, [f"CRASHMATRIX_{name}" for name in names] + ["CALLED"], folder)
    expect(said.get("CALLED") == "yes", "crashmatrix.mk: cmake-package is not evaluated")
    expect(said.get("CRASHMATRIX_VERSION") == version, f"crashmatrix.mk: version is not {version}")
    expect(said.get("CRASHMATRIX_SITE") == ROOT, "crashmatrix.mk: the site is not this checkout")
    expect(os.path.exists(os.path.join(ROOT, said.get("CRASHMATRIX_LICENSE_FILES", "?"))),
           "crashmatrix.mk: no such licence file")
    hashes = read(package, "crashmatrix.hash")
    expect(f"sha256  {digest('sha256', 'LICENSE')}  LICENSE\n" in hashes,
           "crashmatrix.hash: sha256 of LICENSE")
    config = read(package, "Config.in")
    expect("config BR2_PACKAGE_CRASHMATRIX\n\tbool \"crashmatrix\"\n" in config, "Config.in: entry")
    for library in re.findall(r"^\tselect BR2_PACKAGE_(\w+)", config, re.M):
        expect(library.lower() in said.get("CRASHMATRIX_DEPENDENCIES", "").split(),
               f"Config.in: selects {library}, which crashmatrix.mk does not depend on")
    for line in config.splitlines():
        expect(len(line.expandtabs(8)) <= 80, f"Config.in: longer than 80: {line}")
    expect("$BR2_EXTERNAL_CRASHMATRIX_PATH/package/crashmatrix/Config.in" in
           read(folder, "Config.in"), "Config.in of the tree: does not source the package's")
    expect("name: CRASHMATRIX\n" in read(folder, "external.desc"), "external.desc: name")


def check_openwrt(folder, version):
    package = os.path.join(folder, "crashmatrix")
    text = read(package, "Makefile")
    check_options("openwrt", text)
    with tempfile.TemporaryDirectory() as included:
        for name in ("rules.mk", "package.mk", "cmake.mk"):
            with open(os.path.join(included, name), "w", encoding="utf-8") as file:
                if name == "package.mk":
                    file.write("BUILT :=\nBuildPackage = $(eval BUILT += $(1))"
                               "$(if $(value Package/$(1)/install),,$(error no install of $(1)))"
                               "$(if $(value Package/$(1)),,$(error no Package/$(1)))\n"
                               "CMAKE_OPTIONS :=\n")
        settings = f"TOPDIR = {included}\nINCLUDE_DIR = {included}\n"
        said = make(settings + text, ["PKG_NAME", "PKG_VERSION", "PKG_LICENSE_FILES", "BUILT",
                                    "CRASHMATRIX_CHECKOUT"], package)
    expect(said.get("PKG_VERSION") == version, f"openwrt: version is not {version}")
    expect(said.get("CRASHMATRIX_CHECKOUT") == ROOT, "openwrt: the sources are not this checkout")
    expect(said.get("BUILT", "").split() == ["crashmatrix-manifest", "crashmatrix-portcheck"],
           f"openwrt: built are {said.get('BUILT')}")
    for program in re.findall(r"\$\(PKG_INSTALL_DIR\)/usr/bin/([\w-]+)", text):
        expect(program in installed(), f"openwrt: {program} is not installed")
    copied = re.search(r"\$\(addprefix \$\(CRASHMATRIX_CHECKOUT\)/,(.*?)\)", text)
    for name in copied[1].split() if copied else ["?"]:
        expect(os.path.exists(os.path.join(ROOT, name)), f"openwrt: no {name} to copy")
    expect("\ndefine " in text and text.count("\ndefine ") == text.count("\nendef"),
           "openwrt: define without endef")


def main():
    folder = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else HERE
    version = re.search(r"^project\(crashmatrix VERSION (\S+)", read(ROOT, "CMakeLists.txt"), re.M)[1]
    check_yocto(os.path.join(folder, "yocto"), version)
    check_buildroot(os.path.join(folder, "buildroot"), version)
    check_openwrt(os.path.join(folder, "openwrt"), version)
    for problem in problems:
        print(f"FAILED: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
