# Passes if SOURCE does not compile and the compiler says what the file expects, and if it does compile with FLUXION_CONTROL
# defined, so that it fails for no other reason. The first lines of the file say what is expected:
#
#   // expect: <regex>         some line of the output matches, and can be read: it has at most 400 characters
#   // expect-gcc: <regex>     the same for one compiler only; also expect-clang
#   // errors: 3               (optional) the compiler reports at most that many errors; otherwise it reports exactly one
#
# Source lines that the compiler quotes are not searched. A file that passed is compiled again only when something that it
# includes has changed.
cmake_minimum_required(VERSION 3.22)

function(fail reason)
  message("${reason}")  # on a line of its own, which CMake does not wrap
  message(FATAL_ERROR "the check failed")
endfunction()

string(REPLACE "|" ";" flags "${FLAGS}")
string(REPLACE "|" ";" system_dirs "${SYSTEM_DIRS}")
if(COMPILER_ID MATCHES "Clang")
  set(name clang)
  set(quiet -fno-caret-diagnostics -fno-color-diagnostics)
else()
  set(name gcc)
  set(quiet -fno-diagnostics-show-caret -fdiagnostics-color=never)
endif()
set(ENV{LC_ALL} C)  # ASCII quotes

set(command "${COMPILER}" -std=c++20 ${flags} ${quiet} -fmessage-length=0 -fsyntax-only "-I${INCLUDE_DIR}")
foreach(directory IN LISTS system_dirs)
  list(APPEND command -isystem "${directory}")
endforeach()
if(COMPILER_ID MATCHES "Clang" AND EXISTS "${PRECOMPILED}.pch")
  list(APPEND command -include-pch "${PRECOMPILED}.pch")
elseif(COMPILER_ID STREQUAL "GNU" AND EXISTS "${PRECOMPILED}.gch")
  list(APPEND command -include "${PRECOMPILED}")
endif()

# ---- did it pass before, with the same files? ------------------------------------------------------------------------

set(stamp "${STAMP}.passed")
set(depfile "${STAMP}.d")
if(EXISTS "${stamp}" AND EXISTS "${depfile}")
  file(READ "${stamp}" former)
  file(READ "${depfile}" dependencies)
  string(REGEX REPLACE "^[^:]*:" "" dependencies "${dependencies}")
  string(REGEX REPLACE "[\\\\\n ]+" ";" dependencies "${dependencies}")
  list(APPEND dependencies "${CMAKE_CURRENT_LIST_FILE}")
  set(changed FALSE)
  foreach(file IN LISTS dependencies)
    if(NOT file STREQUAL "" AND "${file}" IS_NEWER_THAN "${stamp}")  # also true where the file is gone
      set(changed TRUE)
      break()
    endif()
  endforeach()
  if(NOT changed AND former STREQUAL "${command}")
    message("unchanged since it passed")
    return()
  endif()
endif()

# ---- the expectations ------------------------------------------------------------------------------------------------

file(STRINGS "${SOURCE}" comments REGEX "^// (expect|expect-gcc|expect-clang|errors): ")
set(expected 0)
set(most_errors "")
foreach(comment IN LISTS comments)
  if(comment MATCHES "^// errors: ([0-9]+)")
    set(most_errors ${CMAKE_MATCH_1})
  elseif(comment MATCHES "^// expect(-${name})?: (.+)$")
    set(expectation_${expected} "${CMAKE_MATCH_2}")
    math(EXPR expected "${expected} + 1")
  endif()
endforeach()
if(expected EQUAL 0)
  fail("no line begins with \"// expect: \"")
endif()

# ---- the control, then the file --------------------------------------------------------------------------------------

get_filename_component(directory "${STAMP}" DIRECTORY)
file(MAKE_DIRECTORY "${directory}")
execute_process(COMMAND ${command} -DFLUXION_CONTROL -MMD -MF "${depfile}" "${SOURCE}"
                OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message("${output}")
  fail("the control does not compile")
endif()

execute_process(COMMAND ${command} "${SOURCE}" OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE status)
if(status EQUAL 0)
  fail("it compiles")
endif()

set(errors 0)
set(rest "${output}\n")
while(rest MATCHES "^([^\n]*)\n(.*)$")
  set(line "${CMAKE_MATCH_1}")
  set(rest "${CMAKE_MATCH_2}")
  if(line MATCHES ": (fatal )?error: ")
    math(EXPR errors "${errors} + 1")
  endif()
  string(REGEX REPLACE "^[^ ]+:[0-9]+:[0-9]+: " "" line "${line}")  # the path is not the message's fault
  string(LENGTH "${line}" length)
  set(i 0)
  while(i LESS expected)
    if(length LESS_EQUAL 400 AND line MATCHES "${expectation_${i}}")
      set(met_${i} TRUE)
    endif()
    math(EXPR i "${i} + 1")
  endwhile()
endwhile()

set(i 0)
while(i LESS expected)
  if(NOT met_${i})
    message("${output}")
    fail("no readable line matches: ${expectation_${i}}")
  endif()
  math(EXPR i "${i} + 1")
endwhile()
if(most_errors STREQUAL "" AND NOT errors EQUAL 1)
  message("${output}")
  fail("${errors} errors, exactly one expected")
elseif(NOT most_errors STREQUAL "" AND errors GREATER most_errors)
  message("${output}")
  fail("${errors} errors, at most ${most_errors} expected")
endif()
file(WRITE "${stamp}" "${command}")
