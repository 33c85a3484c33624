# SPDX-License-Identifier: Apache-2.0
# -DSANITIZE=address,undefined or -DSANITIZE=thread; asserts are on in such builds.
add_library(sanitize INTERFACE)
if(SANITIZE)
  target_compile_options(sanitize INTERFACE -fsanitize=${SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer -g -UNDEBUG)
  target_compile_definitions(sanitize INTERFACE POOL_BLOCK_MAX=0 NET_CROWD_PART=2)
  target_link_options(sanitize INTERFACE -fsanitize=${SANITIZE})
endif()
