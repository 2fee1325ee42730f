# x86-64, musl, with Debian's musl-tools; in CROSS_PREFIX are the kernel's headers.
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(triplet x86_64-linux-musl)
set(CMAKE_C_COMPILER musl-gcc)
set(CMAKE_C_FLAGS_INIT "-isystem ${CROSS_PREFIX}/include")
include(${CMAKE_CURRENT_LIST_DIR}/musl.cmake)
