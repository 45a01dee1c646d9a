# Installs the headers and what `find_package(fluxion)` reads.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/fluxion")

target_include_directories(fluxion INTERFACE "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/fluxion" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.hpp" PATTERN "*.cuh")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/fluxion")

install(TARGETS fluxion EXPORT fluxion)
install(EXPORT fluxion NAMESPACE fluxion:: FILE fluxionTargets.cmake DESTINATION "${package_dir}")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/fluxionConfig.cmake.in" "${PROJECT_BINARY_DIR}/fluxionConfig.cmake"
                              INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/fluxionConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/fluxionConfig.cmake" "${PROJECT_BINARY_DIR}/fluxionConfigVersion.cmake"
        DESTINATION "${package_dir}")
if(FLUXION_CBLAS)
  install(FILES "${CMAKE_CURRENT_LIST_DIR}/FindCBLAS.cmake" DESTINATION "${package_dir}")
endif()
