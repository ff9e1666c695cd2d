/* blas — what is asked of the BLAS library beyond CBLAS. Every OpenBLAS call is looked up at run
 * time: with another BLAS these functions do nothing and the defaults hold. */
#ifndef AM_CPU_BLAS_H
#define AM_CPU_BLAS_H

#include <stdbool.h>

/* The backend brings its own threads; the library's would change the bits with their number. */
void cpu_blas_single_thread(void);

/* True with OpenBLAS's AVX-512 SGEMM, which multiplies small matrices without packing them first.
 */
bool cpu_blas_small_kernels(void);

/* OpenBLAS picks its kernels by CPU model when it is loaded; a model newer than the library gets
 * AVX2 kernels though it has AVX-512, at half the speed. True when that happened: a program that
 * wants the better kernels sets OPENBLAS_CORETYPE=*value in the environment and executes itself
 * again, before any work. (The variable is set then, so this happens once.) A model that OpenBLAS
 * knows, a user's own OPENBLAS_CORETYPE and other libraries are left alone. */
bool cpu_blas_wants_coretype(const char **value);

#endif
