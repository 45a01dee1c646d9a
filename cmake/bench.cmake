# Builds and runs the benchmarks, installing what is missing, and prints one table of ratios:
#   cmake [-D PEERS=openblas,onednn,torch] -P cmake/bench.cmake [-- <arguments of Google Benchmark>]
# PEERS installs other libraries to compare with; those already installed are compared with in any case.
cmake_minimum_required(VERSION 3.22)
include("${CMAKE_CURRENT_LIST_DIR}/script.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/ratios.cmake")

string(REPLACE "," ";" peers "${PEERS}")
fluxion_require(compiler build-tool eigen3 benchmark OPTIONAL ccache ${peers})
fluxion_build(bench status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "the benchmarks could not be built")
endif()
set(directory "${FLUXION_ROOT}/build/bench")

# One thread each, and peers at their best: Debian's libtorch finds a fast BLAS only if told to, OpenBLAS takes some
# processors for older ones, and both give memory back to the system after every large temporary.
set(ENV{OMP_NUM_THREADS} 1)
set(ENV{OPENBLAS_NUM_THREADS} 1)
file(GLOB openblas_dirs /usr/lib/*-linux-gnu/openblas-pthread)
foreach(openblas_dir IN LISTS openblas_dirs)
  set(ENV{LD_LIBRARY_PATH} "${openblas_dir}:$ENV{LD_LIBRARY_PATH}")
endforeach()
if(EXISTS /proc/cpuinfo AND NOT DEFINED ENV{OPENBLAS_CORETYPE})
  file(STRINGS /proc/cpuinfo avx512 REGEX "avx512dq" LIMIT_COUNT 1)
  if(avx512)
    set(ENV{OPENBLAS_CORETYPE} SkylakeX)
  endif()
endif()
set(fair_malloc "GLIBC_TUNABLES=glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=4294967296")

# Repetitions in random order, of which the table shows the fastest: other work on the machine only ever adds time.
set(options --benchmark_repetitions=5 --benchmark_min_time=0.05 --benchmark_enable_random_interleaving=true)
fluxion_script_arguments(arguments)

set(results "")
file(STRINGS "${directory}/bench/programs.txt" programs)
foreach(program IN LISTS programs)
  set(environment "")
  if(program MATCHES "^(.*) with torch$")
    set(program "${CMAKE_MATCH_1}")
    set(environment "${CMAKE_COMMAND}" -E env "${fair_malloc}")
  endif()
  get_filename_component(name "${program}" NAME)
  message(STATUS "running ${name}")
  set(result "${directory}/${name}.json")
  file(REMOVE "${result}")
  execute_process(COMMAND ${environment} "${program}" ${options} ${arguments}
                          "--benchmark_out=${result}" --benchmark_out_format=json
                  RESULT_VARIABLE status OUTPUT_QUIET ERROR_VARIABLE errors)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${name} ended with: ${status}\n${errors}")
  endif()
  list(APPEND results "${result}")
endforeach()

fluxion_ratio_table(table ${results})
file(WRITE "${directory}/table.md" "${table}")
execute_process(COMMAND "${CMAKE_COMMAND}" -E cat "${directory}/table.md")
