# Small programs that end-to-end tests drive: test/tools/<name>.c becomes build/<preset>/test/<name with dashes>. A comment
# `layers: ...` in the head names what it links, as in unit tests.
file(GLOB tool_src CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/test/tools/*.c)
foreach(src ${tool_src})
  get_filename_component(name ${src} NAME_WE)
  string(REPLACE "_" "-" name ${name})
  layers_of(${src} layers)
  add_executable(${name} ${src})
  target_link_libraries(${name} PRIVATE ${layers})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/test)
  project_flags(${name})
endforeach()
