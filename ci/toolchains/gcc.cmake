# What the toolchain files have in common. They say
#
#   CMAKE_SYSTEM_PROCESSOR
#   triplet             name of the machine, e.g. aarch64-linux-gnu
#   emulator            qemu-user for it, or nothing
#
# and whoever uses them may say (ci/cross does; ci/toolchains/sysroot makes both folders)
#
#   CMAKE_SYSROOT       root of a system of that machine, with libraries and headers.
#                       Without it those of this machine are used, as Debian's packages
#                       install them, e.g. libc6-dev-arm64-cross and libcjson-dev:arm64.
#   CROSS_PREFIX        prefix of libraries that are not in the system
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_CXX_COMPILER "") # what is in C++ is left out
set(CMAKE_LIBRARY_ARCHITECTURE ${triplet})

list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CROSS_PREFIX)

set(CMAKE_FIND_ROOT_PATH ${CMAKE_SYSROOT} ${CROSS_PREFIX} /usr/${triplet})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

if(CROSS_PREFIX)
  set(ENV{PKG_CONFIG_LIBDIR} ${CROSS_PREFIX}/lib/pkgconfig)
  set(ENV{PKG_CONFIG_SYSROOT_DIR} "")
else()
  set(ENV{PKG_CONFIG_LIBDIR}
    "${CMAKE_SYSROOT}/usr/lib/${triplet}/pkgconfig:${CMAKE_SYSROOT}/usr/share/pkgconfig")
  set(ENV{PKG_CONFIG_SYSROOT_DIR} "${CMAKE_SYSROOT}")
endif()

# Programs of the build are run with it by CTest.
if(emulator AND CMAKE_SYSROOT)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${emulator} -L ${CMAKE_SYSROOT})
elseif(emulator)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${emulator} -L /usr/${triplet})
endif()
