# The CUDA backend as a plugin, libamortune_cuda.so beside the program, which loads it at run time:
# nothing else links CUDA. AMORTUNE_CUDA: AUTO builds it when nvcc works, ON insists, OFF never.
set(AMORTUNE_CUDA AUTO CACHE STRING "Build the CUDA plugin: AUTO, ON or OFF")
set_property(CACHE AMORTUNE_CUDA PROPERTY STRINGS AUTO ON OFF)
# Turing, Ampere, Ada and Hopper, and PTX for what comes after.
set(AMORTUNE_CUDA_ARCHS "75-real;80-real;86-real;89-real;90-real;90-virtual" CACHE STRING
    "GPU architectures of the CUDA plugin")

function(amortune_find_nvcc)
    set(AMORTUNE_NVCC OFF PARENT_SCOPE)
    if(AMORTUNE_CUDA STREQUAL "OFF")
        return()
    endif()
    set(CMAKE_CUDA_ARCHITECTURES ${AMORTUNE_CUDA_ARCHS})
    include(CheckLanguage)
    check_language(CUDA)
    find_package(CUDAToolkit QUIET)
    if(CMAKE_CUDA_COMPILER AND TARGET CUDA::cublas)
        set(AMORTUNE_NVCC ON PARENT_SCOPE)
    elseif(AMORTUNE_CUDA STREQUAL "ON")
        message(FATAL_ERROR "AMORTUNE_CUDA=ON: no working nvcc with cuBLAS; put nvcc on the PATH, or "
                            "configure with -DAMORTUNE_CUDA=OFF")
    else()
        message(STATUS "CUDA plugin: no working nvcc with cuBLAS, not built")
    endif()
endfunction()

amortune_find_nvcc()
if(NOT AMORTUNE_NVCC)
    return()
endif()

set(CMAKE_CUDA_ARCHITECTURES ${AMORTUNE_CUDA_ARCHS})
enable_language(CUDA)
find_package(CUDAToolkit REQUIRED)
add_subdirectory(kernels)

# Registers and spills of every kernel; fails on a spill.
add_custom_target(ptxas_report
    COMMAND ${CMAKE_COMMAND} -E env NVCC=${CMAKE_CUDA_COMPILER}
            ${CMAKE_SOURCE_DIR}/bench/ptxas_report
    USES_TERMINAL)
