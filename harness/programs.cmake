# The programs of the targets that are not of this project (targets/programs): those
# that use a library are built where it is there. Included by CMakeLists.txt of this
# folder.

set(program_dir ${CMAKE_INSTALL_LIBEXECDIR}/crashmatrix)
set(program_sources ${CMAKE_CURRENT_SOURCE_DIR}/targets/programs)

# target_program(NAME SOURCE [LIBRARIES...]): built without sanitizers, since it is recorded.
function(target_program name source)
  add_executable(${name} ${source})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${program_dir})
  target_link_libraries(${name} PRIVATE ${ARGN})
  install(TARGETS ${name} RUNTIME DESTINATION ${program_dir})
endfunction()

add_library(target_judge OBJECT targets/programs/judge.c)
target_include_directories(target_judge PUBLIC targets/programs)
target_link_libraries(target_judge PUBLIC crashmatrix_flags)

target_program(file-target targets/programs/file_target.c target_judge)
foreach(library sqlite3 lmdb gdbm leveldb)
  find_library(TARGET_${library} ${library})
  set(header ${library}.h)
  if(library STREQUAL leveldb)
    set(header leveldb/c.h)
  endif()
  find_path(TARGET_${library}_INCLUDE ${header})
  mark_as_advanced(TARGET_${library} TARGET_${library}_INCLUDE)
  string(REPLACE sqlite3 sqlite name ${library})
  if(TARGET_${library} AND TARGET_${library}_INCLUDE)
    target_program(${name}-target targets/programs/${name}_target.c
      target_judge ${TARGET_${library}})
  else()
    message(STATUS "no lib${library}-dev: without the targets of ${library}")
  endif()
endforeach()

if(CMAKE_CXX_COMPILER)
  target_program(cpp-replace targets/programs/cpp_replace.cc)
  # Said for clang-tidy, too, which has another default than the compiler.
  target_compile_options(cpp-replace PRIVATE -std=c++17)
else()
  message(STATUS "no C++ compiler: without the target cpp-replace")
endif()

foreach(script dpkg-target git-target mercurial-target postgresql-target python-replace)
  file(GLOB source ${program_sources}/${script}.*)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/${program_dir})
  file(CREATE_LINK ${source} ${CMAKE_BINARY_DIR}/${program_dir}/${script} SYMBOLIC)
  install(PROGRAMS ${source} DESTINATION ${program_dir} RENAME ${script})
endforeach()
