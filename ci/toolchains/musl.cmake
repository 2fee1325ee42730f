# What the toolchain files of musl have in common: static programs for boards with little
# room. What is not called is left out, so are tables for exceptions and backtraces, and code
# that could be loaded anywhere; code, constants and data need no pages of their own.
string(APPEND CMAKE_C_FLAGS_INIT
  " -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables"
  " -fno-pie")
set(CMAKE_EXE_LINKER_FLAGS_INIT
  "-static -no-pie -Wl,--gc-sections -Wl,-z,noseparate-code -Wl,-z,norelro -Wl,--build-id=none")
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)
include(${CMAKE_CURRENT_LIST_DIR}/gcc.cmake)
