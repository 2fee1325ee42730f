# What compares the strict reader with simdjson: linked by way of fuzz_json_oracle. Included
# by CMakeLists.txt of this folder.

function(crashmatrix_no_json_oracle reason)
  set(message "${reason}: the target json is built without a second parser to compare with")
  if(CRASHMATRIX_JSON_ORACLE STREQUAL "REQUIRED")
    message(FATAL_ERROR "${message} (-DCRASHMATRIX_JSON_ORACLE=OFF does without)")
  endif()
  message(STATUS "${message}")
endfunction()

if(NOT CMAKE_CXX_COMPILER)
  crashmatrix_no_json_oracle("no C++ compiler")
  return()
endif()
if(CRASHMATRIX_SANITIZE AND NOT CMAKE_CXX_COMPILER_ID STREQUAL CMAKE_C_COMPILER_ID)
  crashmatrix_no_json_oracle("the C++ compiler has other sanitizers than the C compiler")
  return()
endif()

if(SIMDJSON_SOURCE_DIR)
  add_library(fuzz_simdjson STATIC ${SIMDJSON_SOURCE_DIR}/simdjson.cpp)
  target_include_directories(fuzz_simdjson SYSTEM PUBLIC ${SIMDJSON_SOURCE_DIR})
  target_link_libraries(fuzz_simdjson PRIVATE crashmatrix_sanitize)
else()
  pkg_check_modules(SIMDJSON IMPORTED_TARGET simdjson)
  if(NOT SIMDJSON_FOUND)
    crashmatrix_no_json_oracle("no libsimdjson-dev")
    return()
  endif()
  add_library(fuzz_simdjson ALIAS PkgConfig::SIMDJSON)
endif()

# Libraries, so that their sources are compiled once for both programs of the target. The
# standard is said for clang-tidy, too, which has another default than the compiler.
add_library(fuzz_simdjson_oracle STATIC simdjson_oracle.cc)
target_compile_options(fuzz_simdjson_oracle PRIVATE
  -std=c++17 -fno-exceptions -Wall -Wextra -Wshadow)
target_link_libraries(fuzz_simdjson_oracle PRIVATE fuzz_simdjson crashmatrix_sanitize)

add_library(fuzz_json_agreement STATIC json_agreement.c)
target_include_directories(fuzz_json_agreement PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(fuzz_json_agreement
  PUBLIC manifest_inside fuzz_simdjson_oracle PRIVATE crashmatrix_flags crashmatrix_sanitize)

target_compile_definitions(fuzz_json_oracle INTERFACE CRASHMATRIX_JSON_ORACLE)
target_link_libraries(fuzz_json_oracle INTERFACE fuzz_json_agreement)
