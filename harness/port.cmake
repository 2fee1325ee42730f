# The check of a port: the program that judges its directories, and the conformance
# vectors, which are data. Included by CMakeLists.txt of this folder.

add_executable(port-judge
  src/port_adapter.c
  src/port_case.c
  src/port_interchange.c
  src/port_judge.c
  src/port_judge_main.c
  src/port_words.c)
target_link_libraries(port-judge PRIVATE
  crashmatrix_check PkgConfig::CJSON crashmatrix_flags crashmatrix_sanitize)
set_target_properties(port-judge PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${CMAKE_INSTALL_LIBEXECDIR}/crashmatrix)
install(TARGETS port-judge RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/crashmatrix)

set(conformance_dir ${PROJECT_SOURCE_DIR}/impl/conformance)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/${data_dir})
file(CREATE_LINK ${conformance_dir} ${CMAKE_BINARY_DIR}/${data_dir}/conformance SYMBOLIC)
install(DIRECTORY ${conformance_dir}/manifests ${conformance_dir}/contents
  DESTINATION ${data_dir}/conformance)
install(FILES ${conformance_dir}/README.md ${conformance_dir}/directories.json
  DESTINATION ${data_dir}/conformance)
install(PROGRAMS ${conformance_dir}/run.py DESTINATION ${data_dir}/conformance)
install(FILES port.schema.json DESTINATION ${data_dir})

if(NOT BUILD_TESTING)
  return()
endif()

# The adapter of libmanifest on platforms that leave a rule out.
add_executable(wrong_port ${conformance_dir}/adapter.c tests/wrong_platform.c)
set_target_properties(wrong_port PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_link_options(wrong_port PRIVATE -Wl,--wrap=mf_platform_posix)
target_link_libraries(wrong_port PRIVATE
  manifest crashmatrix_flags crashmatrix_sanitize PkgConfig::CJSON)
