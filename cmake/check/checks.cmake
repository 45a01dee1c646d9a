# The functions behind tests/CMakeLists.txt: one for each kind of test.
include_guard(GLOBAL)
set(FLUXION_CHECK_DIR "${CMAKE_CURRENT_LIST_DIR}")

# ---- doctest ---------------------------------------------------------------------------------------------------------

# One ctest entry per test case, listed by the program itself after it was linked.
function(fluxion_discover_tests target)
  set(list_file "${CMAKE_CURRENT_BINARY_DIR}/${target}.cases.cmake")
  add_custom_command(TARGET ${target} POST_BUILD BYPRODUCTS "${list_file}"
    COMMAND "${CMAKE_COMMAND}" -D "NAME=${target}" -D "PROGRAM=$<TARGET_FILE:${target}>" -D "LIST_FILE=${list_file}"
            -D "WORK_DIR=${CMAKE_CURRENT_BINARY_DIR}/scratch/${target}" -P "${FLUXION_CHECK_DIR}/discover.cmake"
    VERBATIM)
  # A program that does not build counts as a test that fails.
  set(include_file "${CMAKE_CURRENT_BINARY_DIR}/${target}.include.cmake")
  file(WRITE "${include_file}" "if(EXISTS [==[${list_file}]==])\n  include([==[${list_file}]==])\nelse()\n"
                               "  add_test([==[${target}: builds]==] [==[${CMAKE_COMMAND}]==] -E false)\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${include_file}")
endfunction()

# ---- precompiled headers ---------------------------------------------------------------------------------------------

# doctest and Eigen are half of what a small test compiles. Nothing of the library is precompiled, so a test still includes
# what it uses.
function(fluxion_precompile_for_tests)
  option(FLUXION_PRECOMPILE_TESTS "Compile doctest and Eigen once for all tests" ON)
  if(FLUXION_PRECOMPILE_TESTS AND CMAKE_CXX_COMPILER_ID MATCHES "^(GNU|Clang)$")
    set(source "${CMAKE_CURRENT_BINARY_DIR}/precompiled.cpp")
    fluxion_write_if_different("${source}" "static_assert(true);\n")
    add_library(precompiled OBJECT "${source}")
    target_link_libraries(precompiled PRIVATE fluxion::fluxion doctest::doctest)
    target_compile_options(precompiled PRIVATE ${FLUXION_WARNINGS})
    target_precompile_headers(precompiled PRIVATE <doctest/doctest.h> <Eigen/Core>)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
      set(for_ccache "SHELL:-Xclang -fno-pch-timestamp")
    else()
      set(for_ccache -fpch-preprocess)
    endif()
    target_compile_options(precompiled PUBLIC ${for_ccache})
  endif()
endfunction()

function(fluxion_use_precompiled target)
  if(TARGET precompiled)
    target_precompile_headers(${target} REUSE_FROM precompiled)
    target_compile_options(${target} PRIVATE $<TARGET_PROPERTY:precompiled,INTERFACE_COMPILE_OPTIONS>)
  endif()
endfunction()

# ---- headers ---------------------------------------------------------------------------------------------------------

# Compiles a file for each header that includes it alone, and twice. Objects rather than tests, so that only what changed is
# compiled again; the test then asks whether all were built.
function(fluxion_check_headers)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/include/*.hpp")
  set(sources "")
  fluxion_part(thrust thrust)
  set(thrust_needed FALSE)
  foreach(header IN LISTS headers)
    set(path "${PROJECT_SOURCE_DIR}/include/${header}")
    file(STRINGS "${path}" needs_nvcc REGEX "^// needs: nvcc|^ *# *include <(cub|cuda)/" LIMIT_COUNT 1)
    file(STRINGS "${path}" needs_thrust REGEX "^// needs: thrust|^ *# *include <thrust/" LIMIT_COUNT 1)
    if(needs_nvcc OR (needs_thrust AND NOT thrust))
      continue()
    endif()
    if(needs_thrust)
      set(thrust_needed TRUE)
    endif()
    set(source "${CMAKE_CURRENT_BINARY_DIR}/header/${header}.cpp")
    fluxion_write_if_different("${source}" "#include <${header}>\n#include <${header}>\n")
    list(APPEND sources "${source}")
  endforeach()
  add_library(headers_alone OBJECT ${sources})
  target_link_libraries(headers_alone PRIVATE fluxion::fluxion)
  if(thrust_needed)
    target_link_libraries(headers_alone PRIVATE ${thrust})
  endif()
  target_compile_options(headers_alone PRIVATE ${FLUXION_WARNINGS})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")  # that no header of the standard is forgotten, g++ finds out
    fluxion_use_precompiled(headers_alone)
  endif()
  set(targets headers_alone)

  if(EXISTS "${PROJECT_SOURCE_DIR}/include/fluxion/fluxion.hpp")
    set(source "${CMAKE_CURRENT_BINARY_DIR}/header/without_exceptions.cpp")
    fluxion_write_if_different("${source}" "#include <fluxion/fluxion.hpp>\n")
    add_library(headers_without_exceptions OBJECT "${source}")
    target_link_libraries(headers_without_exceptions PRIVATE fluxion::fluxion)
    target_compile_options(headers_without_exceptions PRIVATE ${FLUXION_WARNINGS} -O0 -fno-exceptions -fno-rtti)
    list(APPEND targets headers_without_exceptions)
  endif()

  # One after the other: two builds must not run in one folder.
  foreach(target IN LISTS targets)
    string(REPLACE "_" " " sentence "${target}")
    add_test(NAME "sources: ${sentence} compile" COMMAND "${CMAKE_COMMAND}" --build "${PROJECT_BINARY_DIR}" --target ${target})
    set_tests_properties("sources: ${sentence} compile" PROPERTIES RESOURCE_LOCK build_folder)
  endforeach()
endfunction()

function(fluxion_write_if_different path text)
  set(former "")
  if(EXISTS "${path}")
    file(READ "${path}" former)
  endif()
  if(NOT former STREQUAL text)
    file(WRITE "${path}" "${text}")
  endif()
endfunction()

function(fluxion_check_folder_order)
  add_test(NAME "sources: a folder includes only folders above it"
    COMMAND "${CMAKE_COMMAND}" -D "INCLUDE_DIR=${PROJECT_SOURCE_DIR}/include" -P "${FLUXION_CHECK_DIR}/folder_order.cmake")
  # The check itself: core must not include tensor.
  set(bad "${CMAKE_CURRENT_BINARY_DIR}/bad_order")
  fluxion_write_if_different("${bad}/fluxion/tensor/tensor.hpp" "#pragma once\n")
  fluxion_write_if_different("${bad}/fluxion/core/bad.hpp" "#pragma once\n#include \"../tensor/tensor.hpp\"\n")
  add_test(NAME "sources: core including tensor is found out"
    COMMAND "${CMAKE_COMMAND}" -D "INCLUDE_DIR=${bad}" -P "${FLUXION_CHECK_DIR}/folder_order.cmake")
  set_tests_properties("sources: core including tensor is found out" PROPERTIES
    PASS_REGULAR_EXPRESSION "core/bad.hpp:2: core must not include tensor")
endfunction()

# ---- what must not compile -------------------------------------------------------------------------------------------

function(fluxion_add_must_not_compile name source)
  separate_arguments(flags NATIVE_COMMAND "${CMAKE_CXX_FLAGS}")
  list(JOIN flags "|" flags)
  set(eigen "$<TARGET_PROPERTY:Eigen3::Eigen,INTERFACE_INCLUDE_DIRECTORIES>")
  set(precompiled "")
  if(TARGET precompiled)
    set(precompiled "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/precompiled.dir/cmake_pch.hxx")
  endif()
  add_test(NAME "${name}"
    COMMAND "${CMAKE_COMMAND}" -D "COMPILER=${CMAKE_CXX_COMPILER}" -D "COMPILER_ID=${CMAKE_CXX_COMPILER_ID}"
            -D "FLAGS=${flags}" -D "INCLUDE_DIR=${PROJECT_SOURCE_DIR}/include" -D "SYSTEM_DIRS=$<JOIN:${eigen},|>"
            -D "PRECOMPILED=${precompiled}" -D "SOURCE=${source}" -D "STAMP=${CMAKE_CURRENT_BINARY_DIR}/must_not_compile/${name}"
            -P "${FLUXION_CHECK_DIR}/must_not_compile.cmake")
endfunction()

function(fluxion_check_must_not_compile directory)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${directory}/*.cpp")
  foreach(source IN LISTS sources)
    file(RELATIVE_PATH name "${directory}" "${source}")
    string(REGEX REPLACE "\\.cpp$" "" name "${name}")
    fluxion_add_must_not_compile("must not compile: ${name}" "${source}")
  endforeach()

  # The check itself: each of these must be found out.
  set(self_test "${CMAKE_CURRENT_BINARY_DIR}/must_not_compile_itself")
  set(body "#ifdef FLUXION_CONTROL\nint x;\n#else\n")
  fluxion_write_if_different("${self_test}/compiles.cpp" "// expect: never\n${body}int x;\n#endif\n")
  fluxion_write_if_different("${self_test}/other_words.cpp" "// expect: never said\n${body}static_assert(false, \"said\");\n#endif\n")
  fluxion_write_if_different("${self_test}/bad_control.cpp"
    "// expect: said\nstatic_assert(false, \"said\");  // also with FLUXION_CONTROL\n")
  fluxion_write_if_different("${self_test}/no_expectation.cpp" "${body}static_assert(false, \"said\");\n#endif\n")
  foreach(expectation "compiles=it compiles" "other_words=no readable line matches: never said"
                      "bad_control=the control does not compile" "no_expectation=no line begins with")
    string(REGEX MATCH "^([^=]+)=(.*)$" unused "${expectation}")
    set(name "must not compile: the check finds ${CMAKE_MATCH_1}")
    set(message "${CMAKE_MATCH_2}")
    fluxion_add_must_not_compile("${name}" "${self_test}/${CMAKE_MATCH_1}.cpp")
    set_tests_properties("${name}" PROPERTIES PASS_REGULAR_EXPRESSION "${message}")
  endforeach()
endfunction()

# ---- packaging and tools ---------------------------------------------------------------------------------------------

function(fluxion_check_consumers)
  foreach(way find_package add_subdirectory FetchContent)
    add_test(NAME "package: a program uses it through ${way}"
      COMMAND "${CMAKE_COMMAND}" -D WAY=${way} -D "LIBRARY_SOURCE=${PROJECT_SOURCE_DIR}" -D "LIBRARY_BUILD=${PROJECT_BINARY_DIR}"
              -D "COMPILER=${CMAKE_CXX_COMPILER}" -D "GENERATOR=${CMAKE_GENERATOR}" -D "EIGEN_DIR=${Eigen3_DIR}"
              -D "WORK_DIR=${CMAKE_CURRENT_BINARY_DIR}/consumer/${way}" -P "${FLUXION_CHECK_DIR}/consumer.cmake")
  endforeach()
  # Without an installed Eigen there is nothing that the installed package could find.
  if(NOT Eigen3_DIR)
    set_tests_properties("package: a program uses it through find_package" PROPERTIES DISABLED TRUE)
  endif()
endfunction()

function(fluxion_check_ratios)
  add_test(NAME "bench: the table divides the fastest repetitions, whatever their unit"
    COMMAND "${CMAKE_COMMAND}" -D "WORK_DIR=${CMAKE_CURRENT_BINARY_DIR}" -P "${FLUXION_CHECK_DIR}/ratios.cmake")
endfunction()
