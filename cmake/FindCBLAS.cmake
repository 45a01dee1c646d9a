# Finds a library with the C interface to BLAS: CBLAS::CBLAS. OpenBLAS first, since reference BLAS is slow.
find_path(CBLAS_INCLUDE_DIR NAMES cblas.h PATH_SUFFIXES openblas openblas-pthread cblas)
find_library(CBLAS_LIBRARY NAMES openblas cblas blas PATH_SUFFIXES openblas-pthread)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  CBLAS REQUIRED_VARS CBLAS_LIBRARY CBLAS_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install for instance libopenblas-dev, or set CBLAS_LIBRARY and CBLAS_INCLUDE_DIR")
if(CBLAS_FOUND AND NOT TARGET CBLAS::CBLAS)
  add_library(CBLAS::CBLAS UNKNOWN IMPORTED)
  set_target_properties(CBLAS::CBLAS PROPERTIES IMPORTED_LOCATION "${CBLAS_LIBRARY}"
                                                INTERFACE_INCLUDE_DIRECTORIES "${CBLAS_INCLUDE_DIR}")
endif()
mark_as_advanced(CBLAS_INCLUDE_DIR CBLAS_LIBRARY)
