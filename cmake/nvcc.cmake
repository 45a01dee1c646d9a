# Compiles and links CUDA sources with nvcc, without CMake's own CUDA language, whose detection costs more than these few
# files. Two tests per file: it was built for every architecture; and it runs, which a program without a GPU declines by
# returning 77 (a skipped test).
find_program(FLUXION_NVCC nvcc PATHS /usr/local/cuda/bin REQUIRED)
set(FLUXION_CUDA_ARCHITECTURES "80;90" CACHE STRING "compute capabilities to compile for")

function(fluxion_nvcc_test source)
  get_filename_component(name "${source}" NAME_WE)
  set(program "${CMAKE_CURRENT_BINARY_DIR}/gpu/${name}")
  file(MAKE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/gpu")

  set(host g++)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    set(host "${CMAKE_CXX_COMPILER}")
  endif()
  set(options -ccbin "${host}" -std=c++20 -O1 --extended-lambda --expt-relaxed-constexpr --diag-suppress=20012)
  foreach(architecture IN LISTS FLUXION_CUDA_ARCHITECTURES)
    list(APPEND options -gencode "arch=compute_${architecture},code=sm_${architecture}")
  endforeach()
  set(includes "$<TARGET_PROPERTY:Eigen3::Eigen,INTERFACE_INCLUDE_DIRECTORIES>")

  # Two steps, since ccache keeps objects only.
  add_custom_command(OUTPUT "${program}.o"
    COMMAND ${CMAKE_CXX_COMPILER_LAUNCHER} "${FLUXION_NVCC}" ${options} "-I${PROJECT_SOURCE_DIR}/include"
            "-isystem=$<JOIN:${includes},;-isystem=>" -MD -MF "${program}.d" -MT "${program}.o" -c "${source}" -o "${program}.o"
    DEPENDS "${source}" DEPFILE "${program}.d" COMMENT "nvcc ${name}" VERBATIM COMMAND_EXPAND_LISTS)
  add_custom_command(OUTPUT "${program}"
    COMMAND "${FLUXION_NVCC}" ${options} "${program}.o" -o "${program}"
    DEPENDS "${program}.o" COMMENT "nvcc: linking ${name}" VERBATIM)
  add_custom_target(gpu_${name} ALL DEPENDS "${program}")

  list(JOIN FLUXION_CUDA_ARCHITECTURES " and sm_" shown)
  add_test(NAME "gpu/${name}: nvcc builds it for sm_${shown}" COMMAND "${CMAKE_COMMAND}" -E sha256sum "${program}")
  add_test(NAME "gpu/${name}: runs" COMMAND "${program}")
  set_tests_properties("gpu/${name}: runs" PROPERTIES SKIP_RETURN_CODE 77)
endfunction()
