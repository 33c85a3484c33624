# SPDX-License-Identifier: Apache-2.0
# What -DFUZZ=ON means for the code under test: clang, asserts, coverage for libFuzzer and the
# sanitizers, passed on by `core` to all that links it. Include it where `core` exists.
if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "-DFUZZ=ON needs clang: configure with CC=clang in a build folder of its own")
endif()
set(FUZZ_FLAGS -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
target_compile_options(core PUBLIC ${FUZZ_FLAGS} -fno-omit-frame-pointer -g -UNDEBUG)
target_link_options(core PUBLIC ${FUZZ_FLAGS})

# The ordinary build decides about warnings; clang's own must not stop this one.
target_compile_options(warnings INTERFACE -Wno-error)

# The HTTP parser too, where it is compiled from source; its undefined behaviour is not ours to fix.
if(TARGET llhttp)
  target_compile_options(llhttp PRIVATE -fsanitize=fuzzer-no-link,address -g)
endif()
