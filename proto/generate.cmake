# From the .proto files, at build time:
#   proto_gen        the C messages, reachable as "c1/connector/v2/resource.pb-c.h" for whoever links `proto`
#   proto_types.inc  every message descriptor of them, for the registry (proto/registry.c)
#   descriptors.pb   the FileDescriptorSet, embedded for server reflection (proto/descriptors.c)
#
# The C code is generated from copies without the `service` blocks. Nothing would use service descriptors (they do not
# even say which methods stream; the methods are a table of the server's), and protoc-gen-c names a struct member after
# each method, which `rpc Do` of the rate limiter turns into a C keyword. The descriptor set has the services.

find_program(PROTOC protoc REQUIRED)
find_program(PROTOC_GEN_C protoc-gen-c REQUIRED)
find_path(PROTOBUF_INCLUDE google/protobuf/any.proto REQUIRED)

set(proto_src ${PROJECT_SOURCE_DIR}/proto)
set(proto_stripped ${PROJECT_BINARY_DIR}/gen/stripped)
set(proto_out ${PROJECT_BINARY_DIR}/gen/proto)
file(GLOB_RECURSE proto_files CONFIGURE_DEPENDS RELATIVE ${proto_src} ${proto_src}/*.proto)
set(wkt_files
  google/protobuf/any.proto google/protobuf/duration.proto google/protobuf/struct.proto
  google/protobuf/timestamp.proto google/protobuf/wrappers.proto)

foreach(file ${proto_files})
  get_filename_component(dir ${file} DIRECTORY)
  file(MAKE_DIRECTORY ${proto_stripped}/${dir})
  add_custom_command(OUTPUT ${proto_stripped}/${file}
    COMMAND sed "/^service /,/^}/d" ${proto_src}/${file} > ${proto_stripped}/${file}
    DEPENDS ${proto_src}/${file} VERBATIM)
  list(APPEND proto_sources ${proto_src}/${file})
  list(APPEND stripped_sources ${proto_stripped}/${file})
endforeach()
foreach(file ${proto_files} ${wkt_files})
  string(REGEX REPLACE "\\.proto$" ".pb-c" stem ${file})
  list(APPEND gen_c ${proto_out}/${stem}.c)
  list(APPEND gen_h ${proto_out}/${stem}.h)
endforeach()

file(MAKE_DIRECTORY ${proto_out})
add_custom_command(OUTPUT ${gen_c} ${gen_h}
  COMMAND ${PROTOC} --plugin=protoc-gen-c3=${proto_src}/protoc-gen-c3 --c3_out=${proto_out}
    -I ${proto_stripped} -I ${PROTOBUF_INCLUDE} ${proto_files} ${wkt_files}
  DEPENDS ${stripped_sources} ${proto_src}/protoc-gen-c3
  COMMENT "Generating C messages" VERBATIM)
add_custom_command(OUTPUT ${proto_out}/descriptors.pb
  COMMAND ${PROTOC} --include_imports --descriptor_set_out=${proto_out}/descriptors.pb
    -I ${proto_src} -I ${PROTOBUF_INCLUDE} ${proto_files}
  DEPENDS ${proto_sources}
  COMMENT "Generating the descriptor set" VERBATIM)
string(REPLACE ";" "\n" gen_h_lines "${gen_h}")
file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/gen/headers.txt CONTENT "${gen_h_lines}\n")
add_custom_command(OUTPUT ${proto_out}/proto_types.inc
  COMMAND ${CMAKE_COMMAND} -DROOT=${proto_out} -DHEADERS=${PROJECT_BINARY_DIR}/gen/headers.txt
    -DOUT=${proto_out}/proto_types.inc -P ${proto_src}/list_types.cmake
  DEPENDS ${gen_h} ${PROJECT_BINARY_DIR}/gen/headers.txt ${proto_src}/list_types.cmake VERBATIM)

# A library of its own because generated code is not held to our warnings.
add_library(proto_gen STATIC ${gen_c} ${gen_h} ${proto_out}/proto_types.inc ${proto_out}/descriptors.pb)
target_include_directories(proto_gen SYSTEM PUBLIC ${proto_out})
target_link_libraries(proto_gen PUBLIC PkgConfig::PROTOBUF_C)

if(TARGET proto)
  target_link_libraries(proto PUBLIC proto_gen)
  set_property(SOURCE ${proto_src}/descriptors.c APPEND PROPERTY OBJECT_DEPENDS ${proto_out}/descriptors.pb)
  set_property(SOURCE ${proto_src}/descriptors.c APPEND PROPERTY
    COMPILE_DEFINITIONS DESCRIPTOR_SET_FILE="${proto_out}/descriptors.pb")
  set_property(SOURCE ${proto_src}/registry.c APPEND PROPERTY OBJECT_DEPENDS ${proto_out}/proto_types.inc)
endif()
