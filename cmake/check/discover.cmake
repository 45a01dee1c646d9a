# Writes LIST_FILE, which ctest reads: one test for each test case of the doctest program PROGRAM. Every test has a folder of
# its own, which is also where temporary files go, so that tests that run at once do not meet.
execute_process(COMMAND "${PROGRAM}" --list-test-cases --no-colors=true --no-version=true
                OUTPUT_VARIABLE output RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${NAME} cannot list its test cases (${status})\n${output}")
endif()

file(REMOVE_RECURSE "${WORK_DIR}")
set(script "")
set(count 0)
# Lines are cut one by one, since brackets and semicolons in a name would not survive a list of CMake's.
while(output MATCHES "^([^\n]*)\n(.*)$")
  set(case "${CMAKE_MATCH_1}")
  set(output "${CMAKE_MATCH_2}")
  if(case STREQUAL "" OR case MATCHES "^\\[doctest\\]" OR case MATCHES "^====+$")
    continue()
  endif()
  string(REGEX REPLACE "[],;\"\\\\[]" "?" pattern "${case}")  # a wildcard for what the command line could misread
  set(directory "${WORK_DIR}/${count}")
  math(EXPR count "${count} + 1")
  file(MAKE_DIRECTORY "${directory}")
  string(APPEND script
    "add_test([==[${NAME}: ${case}]==] [==[${PROGRAM}]==] [==[--test-case=${pattern}]==] --no-version=true --no-intro=true)\n"
    "set_tests_properties([==[${NAME}: ${case}]==] PROPERTIES WORKING_DIRECTORY [==[${directory}]==]\n"
    "  ENVIRONMENT [==[TMPDIR=${directory}]==] TIMEOUT 900\n"
    "  FAIL_REGULAR_EXPRESSION [==[test cases: +0 ]==])\n")
endwhile()
if(count EQUAL 0)
  message(FATAL_ERROR "${NAME} has no test case")
endif()
file(WRITE "${LIST_FILE}" "${script}")
