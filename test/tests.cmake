# Unit tests: test/unit/test_<module>.c is one executable, one ctest. A comment in its first lines of the form
# `layers: aws base` names what it links; test/support is linked by all.
file(GLOB support_src CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/test/support/*.c)
set(support_inc ${PROJECT_BINARY_DIR}/inc/support)
file(MAKE_DIRECTORY ${support_inc})
if(NOT EXISTS ${support_inc}/support)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/test/support ${support_inc}/support SYMBOLIC)
endif()
add_library(test_support STATIC ${support_src})
target_include_directories(test_support PUBLIC ${support_inc})
target_link_libraries(test_support PUBLIC base cunit PRIVATE OpenSSL::SSL)
project_flags(test_support)

file(GLOB unit_src CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/test/unit/test_*.c)
foreach(src ${unit_src})
  get_filename_component(name ${src} NAME_WE)
  layers_of(${src} layers)
  add_executable(${name} ${src})
  target_link_libraries(${name} PRIVATE test_support ${layers})
  target_compile_definitions(${name} PRIVATE TEST_DATA_DIR="${PROJECT_SOURCE_DIR}/test/data"
    PROJECT_DIR="${PROJECT_SOURCE_DIR}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/test)
  project_flags(${name})
  add_test(NAME unit.${name} COMMAND ${name})
  set_tests_properties(unit.${name} PROPERTIES TIMEOUT 300 ENVIRONMENT
    "TSAN_OPTIONS=ignore_noninstrumented_modules=1 halt_on_error=1")
endforeach()

include(${PROJECT_SOURCE_DIR}/test/fuzz/fuzz.cmake OPTIONAL)
include(${PROJECT_SOURCE_DIR}/test/sim/sim.cmake OPTIONAL)
include(${PROJECT_SOURCE_DIR}/test/tools/tools.cmake)
