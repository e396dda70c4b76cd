# Compiler flags of our own code. Generated code (proto/) gets the sanitizers but not the warnings.
function(project_flags target)
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
    -Wformat=2 -Wwrite-strings -Wundef -fno-common -fstack-protector-strong $<$<BOOL:${WERROR}>:-Werror>)
endfunction()

if(SAN STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(SAN STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(NOT SAN STREQUAL "")
  message(FATAL_ERROR "SAN must be empty, address or thread, not '${SAN}'")
endif()
if(FUZZ_ENGINE)
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "FUZZ_ENGINE needs clang")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link) # coverage of all our code; the engine itself: test/fuzz/fuzz.cmake
endif()
# Assertions stay in every build: they guard our own invariants (the magic number of what comes back from a
# library, the size of a table), and a daemon that goes on after one was broken is worse than one that ends.
add_compile_options(-UNDEBUG)
if(CMAKE_BUILD_TYPE MATCHES "^Rel") # Release, RelWithDebInfo (preset release)
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now)
endif()
