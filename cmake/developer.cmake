# What tests, benchmarks and examples share and users of the library do not get.
set(CMAKE_CXX_EXTENSIONS OFF)

if(MSVC)
  set(FLUXION_WARNINGS /W4 /WX)
else()
  set(FLUXION_WARNINGS -Wall -Wextra -Wconversion -Werror)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # Its own AVX-512 intrinsics are said to use an uninitialised value (GCC bug 105593). clang still looks for real ones.
    list(APPEND FLUXION_WARNINGS -Wno-maybe-uninitialized -Wno-uninitialized)
  endif()
endif()

# Benchmarks and examples mean nothing without optimisation; tests choose their own flags (see CMakePresets.json).
if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT FLUXION_PRESET)
  set(CMAKE_BUILD_TYPE Release)
endif()

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(FLUXION_CCACHE ccache)
  mark_as_advanced(FLUXION_CCACHE)
  if(FLUXION_CCACHE)
    # What ccache must not mind if the tests' precompiled header is to be cached.
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros "${FLUXION_CCACHE}")
  endif()
endif()
