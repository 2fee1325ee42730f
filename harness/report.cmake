# The reports, and the tests that need nothing but the commands: planted bugs
# and the examples of the README. Included by this folder's CMakeLists.txt.

add_library(crashmatrix_report STATIC
  src/debug_info.c src/report.c src/report_faults.c src/report_glance.c src/report_json.c
  src/report_junit.c src/report_matrix.c src/report_page.c src/report_text.c src/site.c)
target_include_directories(crashmatrix_report PUBLIC src)
target_link_libraries(crashmatrix_report
  PUBLIC crashmatrix_engine
  PRIVATE PkgConfig::CJSON PkgConfig::DW crashmatrix_flags crashmatrix_sanitize)
install(FILES report.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/crashmatrix)

if(NOT BUILD_TESTING)
  return()
endif()

foreach(name test_report_text test_report_data)
  crashmatrix_unit_test(${name} crashmatrix_report)
  target_compile_definitions(${name} PRIVATE
    REPORT_CHECK="${CMAKE_CURRENT_SOURCE_DIR}/tests/report_check.py"
    REPORT_SCHEMA="${CMAKE_CURRENT_SOURCE_DIR}/report.schema.json")
endforeach()

# Programs that run under the recording library are built without sanitizers:
# those want to be the first library of a process, and so does the recorder.
function(crashmatrix_specimen name)
  add_executable(${name} ${ARGN})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_link_libraries(${name} PRIVATE crashmatrix_flags)
endfunction()

crashmatrix_specimen(planted
  tests/specimen.c
  tests/planted/planted.c
  tests/planted/acknowledged_too_early.c
  tests/planted/append_without_sync.c
  tests/planted/data_not_synced.c
  tests/planted/directory_not_synced.c
  tests/planted/old_removed_too_early.c
  tests/planted/overwrite_in_place.c
  tests/planted/rename_before_sync.c
  tests/planted/subdirectory_not_synced.c
  tests/planted/temp_not_synced.c)

# Programs that are right, in several languages.
find_package(Threads REQUIRED)
crashmatrix_specimen(correct
  tests/specimen.c
  tests/correct/correct.c
  tests/correct/in_place.c
  tests/correct/logs.c
  tests/correct/names.c
  tests/correct/relied.c)
target_link_libraries(correct PRIVATE Threads::Threads)

# A script of tests/, given the build's bin directory and that of the specimens.
function(crashmatrix_script_test name)
  add_test(NAME ${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/tests/${name}.sh
    ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} ${CMAKE_BINARY_DIR}/tests)
  set_tests_properties(${name} PROPERTIES LABELS command TIMEOUT 300)
endfunction()

crashmatrix_script_test(planted)
crashmatrix_script_test(correct)
crashmatrix_script_test(examples)
crashmatrix_script_test(cli)
crashmatrix_script_test(models)
crashmatrix_script_test(cut)
crashmatrix_specimen(careless tests/careless.c)
crashmatrix_script_test(faults)
crashmatrix_script_test(sites)
crashmatrix_specimen(looks tests/looks.c)
crashmatrix_script_test(watch)
crashmatrix_specimen(pinned tests/pinned.c)
crashmatrix_script_test(pinned)
set_tests_properties(pinned PROPERTIES SKIP_RETURN_CODE 77)
crashmatrix_script_test(losses)
crashmatrix_script_test(apart)
crashmatrix_script_test(monotone)
crashmatrix_script_test(unreadable)
crashmatrix_specimen(concurrent tests/concurrent.c)
target_link_libraries(concurrent PRIVATE Threads::Threads)
crashmatrix_script_test(concurrent)
crashmatrix_specimen(mender tests/mender.c)
crashmatrix_script_test(nested)
crashmatrix_script_test(shards)
crashmatrix_script_test(ci_shards)
# A process for each of many states, some fifteen times over: with sanitizers that takes
# more than five minutes. What is sharded and merged is the same in shards.sh.
set_tests_properties(ci_shards PROPERTIES LABELS "command;no-sanitizers")
crashmatrix_script_test(ci_tidy)
set_tests_properties(ci_tidy PROPERTIES LABELS "command;scripts-alone" SKIP_RETURN_CODE 77)
crashmatrix_specimen(interrupted tests/interrupted.c)
crashmatrix_script_test(interrupted)
# Some fifty recordings, with a process or two for each state.
crashmatrix_script_test(ports)
set_tests_properties(ports PROPERTIES LABELS "command;no-sanitizers" TIMEOUT 600)
crashmatrix_specimen(poison tests/poison.c)
crashmatrix_script_test(poison)
# Eighty explorations by code that watch.sh and test_layout run with sanitizers, too.
set_tests_properties(poison PROPERTIES LABELS "command;no-sanitizers" SKIP_RETURN_CODE 77)

# Some fifty programs, each under all models.
set_tests_properties(correct PROPERTIES LABELS "command;no-sanitizers")
# Explorations are compared with others that must say the same. The code runs with sanitizers
# in test_shards, test_memo, watch.sh and cli.sh.
set_tests_properties(apart interrupted pinned shards PROPERTIES LABELS "command;no-sanitizers")

# The longest begin first, so that nothing waits for them in the end.
set_tests_properties(ci_shards correct nested pinned poison ports shards watch PROPERTIES COST 100)
