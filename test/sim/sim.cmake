# aws-sim: the AWS simulator, a program of its own. It stands on base alone: sharing code with aws/ would let a
# mistake there agree with itself.
file(GLOB sim_src CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/test/sim/*.c)
set(sim_inc ${PROJECT_BINARY_DIR}/inc/sim)
file(MAKE_DIRECTORY ${sim_inc})
if(NOT EXISTS ${sim_inc}/sim)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/test/sim ${sim_inc}/sim SYMBOLIC)
endif()
add_executable(aws-sim ${sim_src})
target_include_directories(aws-sim PRIVATE ${sim_inc})
target_link_libraries(aws-sim PRIVATE base PkgConfig::MICROHTTPD OpenSSL::Crypto)
set_target_properties(aws-sim PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
project_flags(aws-sim)
