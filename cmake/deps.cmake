# Everything is a Debian package (12 and newer); `./dev deps` installs them.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.13)
pkg_check_modules(EXPAT REQUIRED IMPORTED_TARGET expat>=2.4)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.88)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1>=0.2)
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis>=0.14)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd>=1.4)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd>=0.9.70)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c>=1.4)
# `pkg-config --libs grpc` names dozens of absl libraries that a C program does not need.
set(GRPC_LIBRARIES grpc gpr)

# A release links gRPC's archives: 45 shared libraries fewer to map save 2 MB of resident memory and a third of the time
# to start. Not for ThreadSanitizer, which must be able to tell gRPC's code from ours.
option(STATIC_GRPC "Link gRPC and Abseil statically" OFF)
find_library(GRPC_ARCHIVE libgrpc.a)
if(STATIC_GRPC AND GRPC_ARCHIVE)
  include(CheckCSourceCompiles)
  pkg_check_modules(GRPC REQUIRED grpc)
  pkg_check_modules(RE2 re2) # from Debian 13 on it brings parts of Abseil that gRPC itself does not use
  set(archives ${GRPC_STATIC_LIBRARIES} ${RE2_STATIC_LIBRARIES})
  list(FILTER archives INCLUDE REGEX "^absl_")
  list(REMOVE_DUPLICATES archives)
  set(static_libraries -Wl,-Bstatic -Wl,--start-group grpc upb address_sorting gpr re2 ${archives} -Wl,--end-group
    -Wl,-Bdynamic ssl crypto cares z stdc++ m)
  # Which archives belong together is the distribution's affair; where they do not, the shared libraries will do.
  set(CMAKE_REQUIRED_LIBRARIES ${static_libraries})
  check_c_source_compiles("#include <grpc/grpc.h>\nint main(void) { grpc_init(); return 0; }" STATIC_GRPC_LINKS)
  unset(CMAKE_REQUIRED_LIBRARIES)
  if(STATIC_GRPC_LINKS)
    set(GRPC_LIBRARIES ${static_libraries})
  endif()
endif()
