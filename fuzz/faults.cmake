# Planted faults: negative controls of the targets. Each row of faults.json makes a copy of one
# source file with one text changed, which is linked ahead of the library that holds the file:
#
#   fuzz_TARGET_FAULT     with libFuzzer; all of them: fuzz_faults
#   replay_TARGET_FAULT   with the plain main(); the tests show on the input faults/FAULT that
#                         this fails where replay_TARGET passes
#
# The sources of the product know nothing of it. fuzz/controls runs both kinds.

set(faults_json ${CMAKE_CURRENT_SOURCE_DIR}/faults.json)
set(faults_folder ${CMAKE_CURRENT_BINARY_DIR}/faults)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${faults_json})
file(READ ${faults_json} faults_text)

# Sets VARIABLE to the file with the one place changed. It is written only if that differs
# from what is there, so that nothing else is built again.
function(crashmatrix_plant fault source from to variable)
  file(READ ${CMAKE_SOURCE_DIR}/${source} text)
  string(LENGTH "${from}" length)
  string(FIND "${text}" "${from}" first)
  string(FIND "${text}" "${from}" last REVERSE)
  if(length EQUAL 0 OR first EQUAL -1 OR NOT first EQUAL last)
    message(FATAL_ERROR "fuzz/faults.json: fault '${fault}': its \"from\" must stand in ${source} "
      "exactly once; say where the fault is to be planted now:\n${from}")
  endif()
  math(EXPR behind "${first} + ${length}")
  string(SUBSTRING "${text}" 0 ${first} head)
  string(SUBSTRING "${text}" ${behind} -1 tail)
  get_filename_component(name ${source} NAME)
  set(planted ${faults_folder}/${fault}/${name})
  set(old "")
  if(EXISTS ${planted})
    file(READ ${planted} old)
  endif()
  if(NOT "${old}" STREQUAL "${head}${to}${tail}")
    file(WRITE ${planted} "${head}${to}${tail}")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${source})
  set(${variable} ${planted} PARENT_SCOPE)
endfunction()

# The program of a target, with the changed file.
function(crashmatrix_faulty_program program target main source planted)
  get_filename_component(folder ${CMAKE_SOURCE_DIR}/${source} DIRECTORY)
  crashmatrix_fuzz_program(${program} ${target} ${main} ${planted})
  target_include_directories(${program} PRIVATE ${folder})
  # What a fault leaves unused is no matter.
  set_source_files_properties(${planted} PROPERTIES COMPILE_OPTIONS "-w")
  target_link_libraries(${program} PRIVATE crashmatrix_flags)
endfunction()

if(CRASHMATRIX_FUZZ)
  add_custom_target(fuzz_faults)
endif()

set(faults_list "")
set(faults_names "")
string(JSON count LENGTH "${faults_text}")
math(EXPR last "${count} - 1")
foreach(i RANGE ${last})
  foreach(key name target file from to executions what)
    string(JSON fault_${key} GET "${faults_text}" ${i} ${key})
  endforeach()
  if(fault_target STREQUAL "json" AND NOT TARGET fuzz_json_agreement)
    message(STATUS "without a second parser of JSON nothing finds the fault ${fault_name}")
    continue()
  endif()
  if(NOT TARGET objects_${fault_target} OR fault_name IN_LIST faults_names)
    message(FATAL_ERROR "fuzz/faults.json: fault '${fault_name}': there is another one of this "
      "name, or no target '${fault_target}'")
  endif()
  list(APPEND faults_names ${fault_name})
  crashmatrix_plant(${fault_name} ${fault_file} "${fault_from}" "${fault_to}" planted)
  string(APPEND faults_list
    "${fault_name} ${fault_target} ${fault_executions} ${fault_what}\n")
  if(CRASHMATRIX_FUZZ)
    crashmatrix_faulty_program(fuzz_${fault_target}_${fault_name} ${fault_target} FUZZER
      ${fault_file} ${planted})
    add_dependencies(fuzz_faults fuzz_${fault_target}_${fault_name})
  endif()
  # Some faults only a sanitizer shows.
  string(JSON sanitizer ERROR_VARIABLE absent GET "${faults_text}" ${i} sanitizer)
  if(BUILD_TESTING AND (absent OR CRASHMATRIX_SANITIZE MATCHES "${sanitizer}"))
    crashmatrix_faulty_program(replay_${fault_target}_${fault_name} ${fault_target} REPLAY
      ${fault_file} ${planted})
    add_test(NAME fuzz_fault_${fault_name}
      COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/controls --short --build ${CMAKE_BINARY_DIR}
        ${fault_name})
  endif()
endforeach()
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/fuzz/faults.list CONTENT "${faults_list}")
