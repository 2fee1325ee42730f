# portcheck-host: the host's side of validating a board. Included by CMakeLists.txt of
# this folder.

add_library(portcheck_host STATIC
  portcheck/host.c
  portcheck/judge.c
  portcheck/link.c
  portcheck/moment.c
  portcheck/record.c
  portcheck/report.c
  portcheck/settings.c
  portcheck/switch.c)
# The record's lines have the checksum of the lines that come from the board.
target_include_directories(portcheck_host PUBLIC portcheck PRIVATE ${CMAKE_SOURCE_DIR}/impl/src)
target_link_libraries(portcheck_host
  PUBLIC crashmatrix_check portcheck_line
  PRIVATE PkgConfig::CJSON m crashmatrix_flags crashmatrix_sanitize)

add_executable(portcheck-host portcheck/main.c)
target_link_libraries(portcheck-host PRIVATE portcheck_host crashmatrix_flags crashmatrix_sanitize)
install(TARGETS portcheck-host)
install(FILES portcheck/report.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/crashmatrix
  RENAME portcheck.schema.json)

if(NOT BUILD_TESTING)
  return()
endif()

add_library(judge_bench STATIC tests/judge_bench.c)
target_include_directories(judge_bench PUBLIC tests PRIVATE ${CMAKE_SOURCE_DIR}/faultfs/tests)
target_link_libraries(judge_bench
  PUBLIC portcheck_host PRIVATE PkgConfig::CUNIT crashmatrix_flags crashmatrix_sanitize)
crashmatrix_unit_test(test_portcheck_judge judge_bench)
crashmatrix_unit_test(test_portcheck_judge_lines judge_bench)
crashmatrix_unit_test(test_portcheck_judge_starts judge_bench)
# Planted faults: each must be seen by one of these.
add_test(NAME portcheck_judge_faults
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/tests/portcheck/judge_faults.py ${CMAKE_BINARY_DIR}
    ${CMAKE_CURRENT_SOURCE_DIR}/portcheck/judge.c $<TARGET_OBJECTS:test_portcheck_judge>
    $<TARGET_OBJECTS:test_portcheck_judge_lines> $<TARGET_OBJECTS:test_portcheck_judge_starts> --
    $<TARGET_FILE:judge_bench> $<TARGET_FILE:crashmatrix_check> $<TARGET_FILE:portcheck_line>
    $<TARGET_FILE:manifest> ${CUNIT_LINK_LIBRARIES} -lm
  COMMAND_EXPAND_LISTS)
# By one compiler: the tests themselves run with sanitizers.
set_tests_properties(portcheck_judge_faults PROPERTIES TIMEOUT 900 LABELS "command;no-sanitizers")
crashmatrix_unit_test(test_portcheck_record portcheck_host)
crashmatrix_script_test(portcheck_host)
crashmatrix_script_test(board_cuts)
# Nothing that is built here.
set_tests_properties(board_cuts PROPERTIES LABELS "command;scripts-alone")
# It mostly waits: for boards to start, and for what never comes.
set_tests_properties(portcheck_host PROPERTIES TIMEOUT 600 COST 100)
