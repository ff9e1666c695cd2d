/* control — what tests ask of the CUDA stand-ins: failures to order, faults found, what is alive. */
#ifndef CUDA_ON_CPU_CONTROL_H
#define CUDA_ON_CPU_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The n-th CUDA or cuBLAS call from now, kernel launches included, fails with this cudaError_t
 * (n = 1: the next). A failure inside a kernel, cudaErrorLaunchFailure or cudaErrorIllegalAddress, is
 * told by the first call from there on that waits for the device, and by every call after that: it
 * is sticky, as on a GPU. */
void cuda_on_cpu_fail_call(int64_t n, int error);
/* Calls since then. */
int64_t cuda_on_cpu_calls(void);
/* Ends injection and forgets every error, as a new process would. */
void cuda_on_cpu_forget_errors(void);

/* A fault is a defect in the code under test: a write beyond an allocation, a barrier that not all
 * threads reach, an illegal pointer, memory that is never freed, … It is printed and ends the
 * process, except between expect_fault and take_fault, which returns the first ("" when none). */
void cuda_on_cpu_expect_fault(void);
const char *cuda_on_cpu_take_fault(void);

/* Allocations, streams, graphs, events and cuBLAS handles that have not been given back. */
size_t cuda_on_cpu_alive(void);
/* Memory of the device, 1 GiB unless told otherwise. */
void cuda_on_cpu_set_memory(size_t bytes);
/* A kernel runs twice, its threads and blocks in opposite orders, and must give the same bytes, while
 * device memory in use is at most so many bytes (default 4 MiB); in a graph, the first four times. */
void cuda_on_cpu_check_orders_up_to(size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
