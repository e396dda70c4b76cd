# Fuzz targets: test/fuzz/fuzz_<name>.c (see test/support/fuzz.h), its corpus in test/fuzz/corpus/<name>/. A comment
# `layers: ...` in the head names what it links, as in unit tests. With FUZZ_ENGINE (preset fuzz) each is a libFuzzer program:
#
#   build/fuzz/fuzz/fuzz_encode test/fuzz/corpus/encode -max_total_time=60
#
# Otherwise driver.c runs the corpus and variants of it as the test fuzz.<name>. What the engine finds goes into the corpus.
file(GLOB fuzz_src CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/test/fuzz/fuzz_*.c)
foreach(src ${fuzz_src})
  get_filename_component(target ${src} NAME_WE)
  string(REGEX REPLACE "^fuzz_" "" name ${target})
  layers_of(${src} layers)
  if(FUZZ_ENGINE)
    add_executable(${target} ${src})
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${target} ${src} ${PROJECT_SOURCE_DIR}/test/fuzz/driver.c)
    add_test(NAME fuzz.${name} COMMAND ${target} ${PROJECT_SOURCE_DIR}/test/fuzz/corpus/${name})
    set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 300)
  endif()
  target_link_libraries(${target} PRIVATE test_support ${layers})
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  project_flags(${target})
endforeach()
