# The checking side of the harness: workers, the scratch directory, commands, the
# built-in checks and the programs of the targets. Included by CMakeLists.txt of
# this folder.

add_library(crashmatrix_check STATIC
  src/builtin.c
  src/command.c
  src/external.c
  src/fail.c
  src/layout.c
  src/layout_step.c
  src/marks.c
  src/manifest_case.c
  src/manifest_judge.c
  src/memfs.c
  src/memo.c
  src/memory.c
  src/observer.c
  src/pool.c
  src/process.c
  src/program.c
  src/runner.c
  src/scratch.c
  src/server.c
  src/temporary.c
  src/text.c
  src/watch.c
  src/watch_calls.c
  src/watch_filter.c
  src/watch_outside.c
  src/watch_random.c)
target_include_directories(crashmatrix_check PUBLIC
  $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
  $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/src>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(crashmatrix_check
  PUBLIC faultfs_trace manifest
  PRIVATE $<BUILD_INTERFACE:crashmatrix_flags> $<BUILD_INTERFACE:crashmatrix_sanitize>)

# What is preloaded into a check's program so that it can be forked at its main().
add_library(crashmatrix-start MODULE start/start.c)
target_compile_options(crashmatrix-start PRIVATE -fvisibility=hidden -fno-stack-protector)
target_link_options(crashmatrix-start PRIVATE -Wl,-z,now)
target_link_libraries(crashmatrix-start PRIVATE crashmatrix_flags)
install(TARGETS crashmatrix-start
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/crashmatrix)

add_executable(manifest-target
  targets/dying_platform.c
  targets/manifest_seed_order.c
  targets/manifest_target.c
  targets/manifest_workloads.c)
target_link_libraries(manifest-target PRIVATE
  crashmatrix_check crashmatrix_flags crashmatrix_sanitize)
set_target_properties(manifest-target PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${CMAKE_INSTALL_LIBEXECDIR}/crashmatrix)
install(TARGETS manifest-target
  RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/crashmatrix)

if(BUILD_TESTING)
  foreach(name test_command test_layout test_memfs test_pool test_scratch)
    crashmatrix_unit_test(${name} crashmatrix_check)
  endforeach()
  # A program that is forked is built without sanitizers: the library is preloaded.
  foreach(name started started-static)
    add_executable(${name} tests/started.c)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(${name} PRIVATE crashmatrix_flags)
  endforeach()
  target_link_options(started-static PRIVATE -static)
  target_compile_definitions(test_command PRIVATE
    START_LIBRARY="$<TARGET_FILE:crashmatrix-start>" STARTED="$<TARGET_FILE:started>"
    STATIC_PROGRAM="$<TARGET_FILE:started-static>")
  add_dependencies(test_command crashmatrix-start started started-static)
  add_test(NAME test_manifest_target
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/tests/test_manifest_target.sh $<TARGET_FILE:manifest-target>)
endif()
