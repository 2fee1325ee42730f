# x86-64, musl, with Debian's musl-tools; programs are static.
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(triplet x86_64-linux-musl)
set(CMAKE_C_COMPILER musl-gcc)
# In CROSS_PREFIX are the kernel's headers. What is not called is left out.
set(CMAKE_C_FLAGS_INIT "-isystem ${CROSS_PREFIX}/include -ffunction-sections -fdata-sections")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static -Wl,--gc-sections")
include(${CMAKE_CURRENT_LIST_DIR}/gcc.cmake)
