# everyitem_folder(NAME SOURCES ... TESTS ... ALONE ... LINK ...)
#
# One library a folder of src/: `everyitem_NAME`, from SOURCES, linked to LINK. A folder sees
# another only by naming it in LINK, which is how the include rule of ARCHITECTURE.md is held.
# TESTS become one test program, `NAME_test`. ALONE names those of them that a build of several files
# at once (CMAKE_UNITY_BUILD) compiles by themselves: they repeat a private name of another's, or have compile options of their own.
function(everyitem_folder name)
  cmake_parse_arguments(arg "" "" "SOURCES;TESTS;ALONE;LINK" ${ARGN})
  add_library(everyitem_${name} STATIC ${arg_SOURCES})
  target_include_directories(everyitem_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(everyitem_${name} PUBLIC ${arg_LINK})
  set_source_files_properties(${arg_ALONE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  if(EVERYITEM_TESTS AND arg_TESTS)
    add_executable(${name}_test ${arg_TESTS})
    target_link_libraries(${name}_test PRIVATE everyitem_${name} GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE
      EVERYITEM_TESTDATA="${PROJECT_SOURCE_DIR}/tests/testdata")
    gtest_discover_tests(${name}_test DISCOVERY_TIMEOUT 60)
  endif()
endfunction()
