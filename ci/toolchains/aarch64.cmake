# 64-bit ARM, glibc, with Debian's gcc-aarch64-linux-gnu.
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(triplet aarch64-linux-gnu)
set(emulator qemu-aarch64)
set(CMAKE_C_COMPILER ${triplet}-gcc)
include(${CMAKE_CURRENT_LIST_DIR}/gcc.cmake)
