# Benchmark programs, beside the program so that they find the plugin: bench_ops (every op of a backend),
# bench_fit (whole fits on two devices), bench_refine (paired warm-started steps of posterior draws),
# bench_proposal (where λ is drawn), bench_case (what bench/run has take turns with its peers).
add_library(bench_core OBJECT bench/ops/measure.c bench/ops/operands.c bench/ops/program_settings.c
            bench/ops/recorder.c)
target_include_directories(bench_core PUBLIC bench/ops)
target_link_libraries(bench_core PUBLIC core)
add_executable(bench_ops bench/ops/bench_ops.c bench/ops/report.c bench/ops/scenario.c)
target_link_libraries(bench_ops PRIVATE bench_core core)
set_target_properties(bench_ops PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
add_executable(bench_fit bench/fit/bench_fit.c)
target_link_libraries(bench_fit PRIVATE bench_core core)
set_target_properties(bench_fit PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
add_executable(bench_refine bench/refine/bench_refine.c)
target_link_libraries(bench_refine PRIVATE core)
set_target_properties(bench_refine PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
add_executable(bench_proposal bench/proposal/bench_proposal.c bench/proposal/gaps.c)
target_link_libraries(bench_proposal PRIVATE core)
set_target_properties(bench_proposal PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
file(GLOB case_sources CONFIGURE_DEPENDS bench/case/*.c)
add_executable(bench_case ${case_sources})
target_link_libraries(bench_case PRIVATE bench_core core)
set_target_properties(bench_case PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
