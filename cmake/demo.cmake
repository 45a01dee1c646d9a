# Builds examples/digits.cpp for this processor, installing what is missing, and runs it:
#   cmake -P cmake/demo.cmake [-- <arguments of the program>]
cmake_minimum_required(VERSION 3.22)
include("${CMAKE_CURRENT_LIST_DIR}/script.cmake")

fluxion_require(compiler build-tool eigen3 OPTIONAL zlib ccache)
fluxion_build(demo status TARGETS digits)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "the demo could not be built")
endif()

fluxion_script_arguments(arguments)
execute_process(COMMAND "${FLUXION_ROOT}/build/demo/examples/digits" ${arguments} RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "the demo ended with: ${status}")
endif()
