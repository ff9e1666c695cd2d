#include "linalg/cholesky.h"

#include <cblas.h>
#include <float.h>
#include <stddef.h>

/* LAPACK's Fortran symbols; the hidden length of a character argument is 1. */
extern void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info,
                    size_t uplo_length);
extern void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a,
                    const int *lda, double *b, const int *ldb, int *info, size_t uplo_length);

static size_t at(int i, int j, int n)
{
    return (size_t)j * (size_t)n + (size_t)i;
}

bool cholesky_factor(int n, double *a)
{
    int info = 0;
    if (n == 0)
        return true;
    /* The diagonal is kept in row 0 of the upper triangle, which LAPACK leaves alone. */
    double first = a[0];
    for (int j = 1; j < n; j++)
        a[at(0, j, n)] = a[at(j, j, n)];
    dpotrf_("L", &n, a, &n, &info, 1);
    bool sound = info == 0 && a[0] * a[0] > n * DBL_EPSILON * first;
    for (int j = 1; j < n && sound; j++) /* the pivot is what earlier columns leave of it */
        sound = a[at(j, j, n)] * a[at(j, j, n)] > n * DBL_EPSILON * a[at(0, j, n)];
    return sound;
}

void cholesky_solve(int n, const double *l, int m, double *b)
{
    int info = 0;
    if (n > 0 && m == 1) { /* without the packing of many right-hand sides */
        cblas_dtrsv(CblasColMajor, CblasLower, CblasNoTrans, CblasNonUnit, n, l, n, b, 1);
        cblas_dtrsv(CblasColMajor, CblasLower, CblasTrans, CblasNonUnit, n, l, n, b, 1);
    } else if (n > 0 && m > 0) {
        dpotrs_("L", &n, &m, l, &n, b, &n, &info, 1);
    }
}

void cholesky_forward(int n, const double *l, int m, double *b)
{
    if (n > 0 && m > 0)
        cblas_dtrsm(CblasColMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, n, m, 1.0, l,
                    n, b, n);
}
