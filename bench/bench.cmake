# Programs of `./dev bench`; nothing else builds them. bench/run.py says what is measured.
foreach(name bare_server load)
  add_executable(${name} EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/bench/${name}.c)
  target_link_libraries(${name} PRIVATE ${GRPC_LIBRARIES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
  project_flags(${name})
endforeach()

add_executable(bench_store EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/bench/store.c)
target_link_libraries(bench_store PRIVATE store base)
set_target_properties(bench_store PROPERTIES OUTPUT_NAME store RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
project_flags(bench_store)
