# SPDX-License-Identifier: Apache-2.0
# Llhttp::Llhttp, the HTTP parser: an installed libllhttp where there is one, else the three files of
# generated C that Debian's node-llhttp ships, compiled from where the package put them.
find_path(LLHTTP_INCLUDE_DIR llhttp.h PATHS /usr/share/include/llhttp PATH_SUFFIXES llhttp)
find_library(LLHTTP_LIBRARY llhttp)
find_path(LLHTTP_SOURCE_DIR llhttp.c PATHS /usr/share/llhttp NO_DEFAULT_PATH)
include(FindPackageHandleStandardArgs)
if(LLHTTP_LIBRARY)
  find_package_handle_standard_args(Llhttp REQUIRED_VARS LLHTTP_LIBRARY LLHTTP_INCLUDE_DIR)
  if(NOT TARGET Llhttp::Llhttp)
    add_library(Llhttp::Llhttp UNKNOWN IMPORTED)
    set_target_properties(Llhttp::Llhttp PROPERTIES IMPORTED_LOCATION ${LLHTTP_LIBRARY}
      INTERFACE_INCLUDE_DIRECTORIES ${LLHTTP_INCLUDE_DIR})
  endif()
else()
  find_package_handle_standard_args(Llhttp REQUIRED_VARS LLHTTP_SOURCE_DIR LLHTTP_INCLUDE_DIR)
  if(NOT TARGET Llhttp::Llhttp)
    add_library(llhttp STATIC ${LLHTTP_SOURCE_DIR}/llhttp.c ${LLHTTP_SOURCE_DIR}/api.c
      ${LLHTTP_SOURCE_DIR}/http.c)
    target_include_directories(llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE_DIR})
    add_library(Llhttp::Llhttp ALIAS llhttp)
  endif()
endif()
