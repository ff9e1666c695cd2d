/* gemm — batched SGEMM in tiles of fixed shape, with an activation on the way out. */
#ifndef AM_CPU_GEMM_H
#define AM_CPU_GEMM_H

#include "backend/cpu/cpu.h"

/* C_i ← act(C_i + 1·bias_iᵀ), applied while a tile is still in cache. */
typedef struct {
    const float *bias; /* (n) per item, or NULL */
    int64_t bias_stride;
    activation act;
} gemm_epilogue;

/* matmul with an epilogue (NULL: none); failures carry the name of the op that calls. */
void cpu_gemm(backend *be, const char *op, const matmul_args *a, const gemm_epilogue *epilogue);

/* gemv.c — the products that it takes over, of one large row, and these products. */
bool cpu_gemv_applies(const matmul_args *a);
void cpu_gemv(backend *be, const matmul_args *a);

#endif
