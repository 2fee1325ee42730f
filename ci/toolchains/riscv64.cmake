# 64-bit RISC-V, glibc, with Debian's gcc-riscv64-linux-gnu.
set(CMAKE_SYSTEM_PROCESSOR riscv64)
set(triplet riscv64-linux-gnu)
set(emulator qemu-riscv64)
set(CMAKE_C_COMPILER ${triplet}-gcc)
include(${CMAKE_CURRENT_LIST_DIR}/gcc.cmake)
