# 64-bit ARM, musl, with Debian's gcc-aarch64-linux-gnu and, in CROSS_SPECS, the specs of
# musl-dev:arm64; in CROSS_PREFIX are the kernel's headers.
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(triplet aarch64-linux-musl)
set(emulator qemu-aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_C_FLAGS_INIT "-specs=${CROSS_SPECS} -isystem ${CROSS_PREFIX}/include")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CROSS_SPECS)
include(${CMAKE_CURRENT_LIST_DIR}/musl.cmake)
