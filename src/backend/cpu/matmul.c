#include "backend/cpu/gemm.h"

void cpu_matmul(backend *be, const matmul_args *a)
{
    cpu_gemm(be, "matmul", a, NULL);
}
