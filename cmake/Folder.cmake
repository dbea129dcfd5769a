# The tests that a build runs: under the thread sanitizer only the programs that start threads.
add_custom_target(unit_tests)

# everyitem_test(NAME FILE... [THREADS] [LINK ...])
#
# One test program, a part of `unit_tests`. Without THREADS it may not start a thread, except under the
# address sanitizer, which has its own: tests/support/no_threads.cc ends it if it does. Suites named
# *Simulation get the label `simulation`. Test code itself is optimized only a little, because it takes
# half of all compile time; what it tests is compiled as users run it.
function(everyitem_test name)
  cmake_parse_arguments(arg "THREADS" "" "LINK" ${ARGN})
  if(EVERYITEM_SANITIZE STREQUAL "thread" AND NOT arg_THREADS)
    return()
  endif()
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${arg_LINK} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE EVERYITEM_TESTDATA="${PROJECT_SOURCE_DIR}/tests/testdata")
  target_compile_options(${name} PRIVATE $<$<CONFIG:RelWithDebInfo>:-Og>)
  if(NOT arg_THREADS AND NOT EVERYITEM_SANITIZE)
    target_sources(${name} PRIVATE $<TARGET_OBJECTS:everyitem_no_threads>)
  endif()
  add_dependencies(unit_tests ${name})
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 TEST_FILTER -*Simulation.*:*Simulation/*)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 TEST_FILTER *Simulation.*:*Simulation/*
    TEST_LIST ${name}_simulations PROPERTIES LABELS simulation)
endfunction()

# everyitem_folder(NAME SOURCES ... TESTS ... [THREADS] [SMALL] TEST_LINK ... ALONE ... LINK ...)
#
# One library per folder of src/: `everyitem_NAME`, from SOURCES, linked to LINK. A folder sees
# another only by naming it in LINK, which is how the include rule of ARCHITECTURE.md is kept.
# TESTS become one test program, `NAME_test`, which is also linked to TEST_LINK, and may start threads with
# THREADS. What users run is compiled for size in folders with SMALL, where nothing is called for each page.
# ALONE names those files that a build of several files at once (CMAKE_UNITY_BUILD) compiles separately: they
# repeat a private name of another file, or have compile options of their own.
function(everyitem_folder name)
  cmake_parse_arguments(arg "THREADS;SMALL" "" "SOURCES;TESTS;TEST_LINK;ALONE;LINK" ${ARGN})
  add_library(everyitem_${name} STATIC ${arg_SOURCES})
  target_include_directories(everyitem_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(everyitem_${name} PUBLIC ${arg_LINK})
  if(arg_SMALL)
    target_compile_options(everyitem_${name} PRIVATE $<$<CONFIG:RelWithDebInfo>:-Os>)
  endif()
  set_source_files_properties(${arg_ALONE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  if(EVERYITEM_TESTS AND arg_TESTS)
    if(arg_THREADS)
      set(threads THREADS)
    endif()
    everyitem_test(${name}_test ${threads} ${arg_TESTS} LINK everyitem_${name} ${arg_TEST_LINK})
  endif()
endfunction()
