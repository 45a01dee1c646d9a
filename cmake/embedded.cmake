# Builds examples/embedded for a Cortex-M4, runs it under QEMU and on the host, and compares what they say:
#   cmake -P cmake/embedded.cmake
# Fails if the numbers differ or if an allocation function was linked. Reports flash and RAM.
cmake_minimum_required(VERSION 3.22)
include("${CMAKE_CURRENT_LIST_DIR}/script.cmake")
fluxion_require(compiler eigen3 arm-compiler arm-emulator)

set(source "${FLUXION_ROOT}/examples/embedded")
set(directory "${FLUXION_ROOT}/build/embedded")
file(MAKE_DIRECTORY "${directory}")
find_path(eigen NAMES Eigen/Core PATH_SUFFIXES eigen3 PATHS /usr/include /usr/local/include /opt/homebrew/include NO_CACHE REQUIRED)
find_program(arm_compiler arm-none-eabi-g++ NO_CACHE REQUIRED)
find_program(arm_nm arm-none-eabi-nm NO_CACHE REQUIRED)
find_program(arm_size arm-none-eabi-size NO_CACHE REQUIRED)
find_program(arm_emulator qemu-system-arm NO_CACHE REQUIRED)
find_program(host_compiler NAMES $ENV{CXX} c++ g++ clang++ NO_CACHE REQUIRED)

function(run what)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE output ERROR_VARIABLE errors RESULT_VARIABLE status TIMEOUT 300)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${what} failed (${status}):\n${output}${errors}")
  endif()
  set(output "${output}${errors}" PARENT_SCOPE)  # QEMU prints to one or the other
endfunction()

# ---- build -----------------------------------------------------------------------------------------------------------

set(common -std=c++20 -DNDEBUG -DFLUXION_NO_HEAP -fno-exceptions -fno-rtti -Wall -Wextra -Wconversion -Werror
           "-I${FLUXION_ROOT}/include" -isystem "${eigen}")
set(arm -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16 -Os -ffunction-sections -fdata-sections -fno-threadsafe-statics
        -DFLUXION_SCRATCH_BYTES=4608 -DEIGEN_NO_MALLOC -DEIGEN_NO_IO)
run("the host's compiler" "${host_compiler}" ${common} -O2 "${source}/main.cpp" "${source}/host.cpp" -o "${directory}/host")
run("the cross compiler" "${arm_compiler}" ${common} ${arm} "${source}/main.cpp" "${source}/cortex_m4.cpp" -T "${source}/cortex_m4.ld"
    --specs=nano.specs -nostartfiles -Wl,--gc-sections -o "${directory}/cortex_m4.elf")

# ---- nothing allocates -----------------------------------------------------------------------------------------------

run("nm" "${arm_nm}" -C "${directory}/cortex_m4.elf")
string(REGEX MATCHALL "[^\n]* (_?[a-z_]*(malloc|calloc|realloc)(_r)?|_?free(_r)?|_?sbrk(_r)?|operator (new|delete)[^\n]*|__cxa_throw|__emutls[^\n]*)\n" found "${output}")
if(found)
  message(FATAL_ERROR "what allocates or throws was linked:\n${found}")
endif()
message(STATUS "no function that allocates or throws is linked")
run("size" "${arm_size}" "${directory}/cortex_m4.elf")
string(REGEX MATCH "\n *([0-9]+)[ \t]+([0-9]+)[ \t]+([0-9]+)" unused "${output}")
math(EXPR flash "${CMAKE_MATCH_1} + ${CMAKE_MATCH_2}")
math(EXPR ram "${CMAKE_MATCH_2} + ${CMAKE_MATCH_3}")

# ---- both say the same -----------------------------------------------------------------------------------------------

run("the program on the host" "${directory}/host")
string(REPLACE "\n" ";" expected "${output}")
run("the program under QEMU" "${arm_emulator}" -M mps2-an386 -semihosting-config enable=on,target=native -nographic
    -kernel "${directory}/cortex_m4.elf")
string(REGEX MATCH "# stack bytes ([0-9]+)" unused "${output}")
set(stack "${CMAKE_MATCH_1}")
message(STATUS "flash ${flash} bytes, RAM ${ram} bytes and ${stack} bytes of stack")
string(REGEX REPLACE "# [^\n]*\n" "" output "${output}")
string(REPLACE "\n" ";" found "${output}")
list(LENGTH expected count)
list(LENGTH found found_count)
if(NOT count EQUAL found_count)
  message(FATAL_ERROR "the host printed ${count} lines, the Cortex-M4 ${found_count}:\n${output}")
endif()
foreach(a b IN ZIP_LISTS expected found)
  if(a STREQUAL "")
    continue()
  endif()
  message(STATUS "${b} (host: ${a})")
  string(REGEX MATCH "^(.*) (-?[0-9]+)$" unused "${a}")
  set(name_a "${CMAKE_MATCH_1}")
  set(value_a "${CMAKE_MATCH_2}")
  string(REGEX MATCH "^(.*) (-?[0-9]+)$" unused "${b}")
  math(EXPR difference "${CMAKE_MATCH_2} - ${value_a}")
  # Millionths: what single precision leaves of numbers up to a hundred.
  if(NOT name_a STREQUAL CMAKE_MATCH_1 OR difference GREATER 20 OR difference LESS -20)
    message(FATAL_ERROR "the host says \"${a}\", the Cortex-M4 \"${b}\"")
  endif()
endforeach()
