# Builds and runs the tests, installing what is missing:
#   cmake [-D COMPILER=clang++] [-D FULL=1] -P cmake/test.cmake [-- <arguments of ctest>]
# FULL=1 sets the environment variable FLUXION_FULL, which asks the random tests for more.
cmake_minimum_required(VERSION 3.22)
include("${CMAKE_CURRENT_LIST_DIR}/script.cmake")

set(preset test)
set(compiler compiler)
if(COMPILER)
  set(preset "${COMPILER}")
  set(compiler "")
  if(COMPILER MATCHES "^(g|clang)\\+\\+$")
    set(compiler "${COMPILER}")
  endif()
endif()
set(directory "${FLUXION_ROOT}/build/${preset}")
set(arguments "")
if(COMPILER AND NOT COMPILER MATCHES "^(g|clang)\\+\\+$")  # a version, a path: no preset has its name
  string(MAKE_C_IDENTIFIER "${COMPILER}" name)
  set(directory "${FLUXION_ROOT}/build/test_${name}")
  set(preset test)
  set(arguments "-DCMAKE_CXX_COMPILER=${COMPILER}")
endif()
if(FULL)
  set(ENV{FLUXION_FULL} 1)
endif()

fluxion_require(${compiler} build-tool eigen3 doctest OPTIONAL zlib ccache)
fluxion_build(${preset} build_status DIRECTORY "${directory}" ARGUMENTS ${arguments} KEEP_GOING)
if(NOT EXISTS "${directory}/CTestTestfile.cmake")
  message(FATAL_ERROR "the tests could not be configured")
endif()

# A test that did not build is one that fails, so the others run all the same.
fluxion_jobs(jobs)
fluxion_script_arguments(arguments)
get_filename_component(cmake_dir "${CMAKE_COMMAND}" DIRECTORY)
find_program(ctest ctest HINTS "${cmake_dir}" NO_CACHE REQUIRED)
execute_process(COMMAND "${ctest}" --test-dir "${directory}" --output-on-failure --no-tests=error --parallel ${jobs}
                        --output-junit "${directory}/result.xml" ${arguments}
                RESULT_VARIABLE status)
if(NOT build_status EQUAL 0)
  message(FATAL_ERROR "not everything could be built; see above")
elseif(NOT status EQUAL 0)
  message(FATAL_ERROR "some tests failed; see above")
endif()
