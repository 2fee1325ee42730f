# For find_package(crashmatrix). crashmatrix::manifest is the reference
# implementation; crashmatrix::engine explores, crashmatrix::trace reads traces.
include(CMakeFindDependencyMacro)
find_dependency(PkgConfig)
find_dependency(Threads)
pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(GMP REQUIRED IMPORTED_TARGET gmp)
include(${CMAKE_CURRENT_LIST_DIR}/crashmatrix-targets.cmake)
