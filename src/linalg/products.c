/* Products: what CBLAS does, with leading dimensions that follow from the shapes. */
#include "linalg/linalg.h"

#include "backend/cpu/blas.h"

#include <cblas.h>
#include <math.h>

void linalg_one_thread(void)
{
    cpu_blas_single_thread();
}

static CBLAS_TRANSPOSE transposition(char letter)
{
    return letter == 't' ? CblasTrans : CblasNoTrans;
}

void linalg_multiply(char transpose_a, char transpose_b, int m, int k, int l, const double *a,
                     const double *b, double *c)
{
    int rows_a = AM_MAX(1, transpose_a == 't' ? l : m),
        rows_b = AM_MAX(1, transpose_b == 't' ? k : l);
    cblas_dgemm(CblasColMajor, transposition(transpose_a), transposition(transpose_b), m, k, l, 1.0,
                a, rows_a, b, rows_b, 0.0, c, AM_MAX(1, m));
}

void linalg_add_product(int m, int k, int l, const double *a, const double *b, double *c)
{
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, m, k, l, 1.0, a, AM_MAX(1, m), b,
                AM_MAX(1, l), 1.0, c, AM_MAX(1, m));
}

void linalg_apply(char transpose, int n, int p, const double *a, const double *x, double *y)
{
    cblas_dgemv(CblasColMajor, transposition(transpose), n, p, 1.0, a, AM_MAX(1, n), x, 1, 0.0, y,
                1);
}

void linalg_gram(int n, int p, const double *x, double *g)
{
    cblas_dsyrk(CblasColMajor, CblasLower, CblasTrans, p, n, 1.0, x, AM_MAX(1, n), 0.0, g,
                AM_MAX(1, p));
    for (int j = 0; j < p; j++)
        for (int i = j + 1; i < p; i++)
            g[linalg_at(j, i, p)] = g[linalg_at(i, j, p)];
}

void linalg_weighted_gram(int n, int p, const double *x, const double *w, double *scratch,
                          double *g)
{
    for (int j = 0; j < p; j++)
        for (int i = 0; i < n; i++) /* W^½ X */
            scratch[linalg_at(i, j, n)] = sqrt(w[i]) * x[linalg_at(i, j, n)];
    linalg_gram(n, p, scratch, g);
}

bool linalg_finite(const double *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}
