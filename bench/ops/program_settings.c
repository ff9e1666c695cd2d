#include "program_settings.h"

#include "backend/cpu/blas.h"

#include <stdlib.h>
#include <unistd.h>

void as_the_program_does(char **argv)
{
    const char *kernels;
    bool changed = false;
    if (getenv("OPENBLAS_CORETYPE") == NULL && cpu_blas_wants_coretype(&kernels))
        changed = setenv("OPENBLAS_CORETYPE", kernels, 1) == 0;
    if (getenv("GOMP_SPINCOUNT") == NULL && getenv("OMP_WAIT_POLICY") == NULL)
        changed |= setenv("GOMP_SPINCOUNT", "2000", 1) == 0;
    if (changed)
        execv("/proc/self/exe", argv);
}
