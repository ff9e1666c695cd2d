# amortune_cuda_tests: the sources of kernels/ compiled by the host compiler against the stand-ins of
# tests/cuda_on_cpu, under the op tests of the CPU backend and the parity tests. Needs no GPU.
enable_language(CXX)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g")

set(stand_ins ${CMAKE_SOURCE_DIR}/tests/cuda_on_cpu)
file(GLOB kernel_sources CONFIGURE_DEPENDS kernels/*.cu)
file(GLOB stand_in_sources CONFIGURE_DEPENDS ${stand_ins}/*.cpp ${stand_ins}/*.c)
set(shared_tests backend cpu_adam cpu_basis cpu_collocation cpu_guard cpu_linear cpu_loss cpu_matmul
                 cpu_mix cpu_penalty cpu_score fit gradients memory plans refit)
list(TRANSFORM shared_tests REPLACE "(.+)" "tests/test_\\1.c")
file(GLOB test_support CONFIGURE_DEPENDS tests/support/*.c)
list(FILTER test_support EXCLUDE REGEX "/(program|results|samples|api_problem)\\.c$")

# designated initialisers and `#pragma unroll` are meant as they are
set_source_files_properties(${kernel_sources} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS
                            "-Wno-pedantic;-Wno-unknown-pragmas")
add_library(kernels_on_cpu OBJECT ${kernel_sources})
target_compile_definitions(kernels_on_cpu PUBLIC AM_CUDA_ON_CPU)
target_include_directories(kernels_on_cpu PUBLIC ${stand_ins}/include ${stand_ins} include src
                           ${CBLAS_INCLUDE_DIR})
target_link_libraries(kernels_on_cpu PRIVATE amortune_flags)

add_executable(amortune_cuda_tests ${stand_in_sources} ${shared_tests} ${test_support})
target_include_directories(amortune_cuda_tests PRIVATE tests)
target_compile_options(amortune_cuda_tests PRIVATE -Wno-pedantic)
target_link_libraries(amortune_cuda_tests PRIVATE kernels_on_cpu bench_core core PkgConfig::CRITERION)
add_test(NAME cuda_on_cpu COMMAND amortune_cuda_tests --timeout 300)
