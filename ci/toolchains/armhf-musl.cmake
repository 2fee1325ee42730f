# 32-bit ARM (hard float, Thumb-2), musl, with Debian's gcc-arm-linux-gnueabihf and, in
# CROSS_SPECS, the specs of musl-dev:armhf; in CROSS_PREFIX are the kernel's headers.
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(triplet arm-linux-musleabihf)
set(emulator qemu-arm)
set(CMAKE_C_COMPILER arm-linux-gnueabihf-gcc)
set(CMAKE_C_FLAGS_INIT "-specs=${CROSS_SPECS} -isystem ${CROSS_PREFIX}/include")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CROSS_SPECS)
include(${CMAKE_CURRENT_LIST_DIR}/musl.cmake)
