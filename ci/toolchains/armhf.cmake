# 32-bit ARM with floating point registers, glibc, with Debian's gcc-arm-linux-gnueabihf.
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(triplet arm-linux-gnueabihf)
set(emulator qemu-arm)
set(CMAKE_C_COMPILER ${triplet}-gcc)
include(${CMAKE_CURRENT_LIST_DIR}/gcc.cmake)
