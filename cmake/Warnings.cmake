# SPDX-License-Identifier: Apache-2.0
# The warnings of our own code; errors, so that none is left for later.
add_library(warnings INTERFACE)
target_compile_options(warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes
  -Wmissing-prototypes -Wvla -Werror)
