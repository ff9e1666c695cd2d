/* Decompositions and solves, by LAPACK's Fortran symbols, which OpenBLAS holds too. */
#include "linalg/linalg.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* LAPACK 3: everything by reference, matrices column-major. gfortran passes the lengths of
 * character arguments as hidden trailing size_t; they are 1 here. */
extern void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda,
                    double *w, double *work, const int *lwork, int *iwork, const int *liwork,
                    int *info, size_t jobz_length, size_t uplo_length);
extern void dgesdd_(const char *jobz, const int *m, const int *n, double *a, const int *lda,
                    double *s, double *u, const int *ldu, double *vt, const int *ldvt, double *work,
                    const int *lwork, int *iwork, int *info, size_t jobz_length);
extern void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info,
                    size_t uplo_length);
extern void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a,
                    const int *lda, double *b, const int *ldb, int *info, size_t uplo_length);
extern void dpocon_(const char *uplo, const int *n, const double *a, const int *lda,
                    const double *anorm, double *rcond, double *work, int *iwork, int *info,
                    size_t uplo_length);
extern double dlansy_(const char *norm, const char *uplo, const int *n, const double *a,
                      const int *lda, double *work, size_t norm_length, size_t uplo_length);
extern void dgeqrf_(const int *m, const int *n, double *a, const int *lda, double *tau,
                    double *work, const int *lwork, int *info);
extern void dorgqr_(const int *m, const int *n, const int *k, double *a, const int *lda,
                    const double *tau, double *work, const int *lwork, int *info);
extern void dgelsd_(const int *m, const int *n, const int *nrhs, double *a, const int *lda,
                    double *b, const int *ldb, double *s, const double *rcond, int *rank,
                    double *work, const int *lwork, int *iwork, int *info);

static size_t area(int rows, int columns)
{
    return (size_t)rows * (size_t)columns;
}

static am_status need_finite(const char *what, const double *a, size_t count, am_error *err)
{
    if (linalg_finite(a, count))
        return AM_OK;
    return am_fail(err, AM_ERR_INPUT,
                   "%s: numbers too large for double precision; rescale the columns", what);
}

/* info < 0: an argument of ours is wrong; > 0: the iteration did not converge. */
static am_status lapack_status(const char *what, const char *routine, int info, am_error *err)
{
    if (info == 0)
        return AM_OK;
    return am_fail(err, AM_ERR_INTERNAL, "%s: LAPACK's %s failed with info %d; report this defect",
                   what, routine, info);
}

am_status linalg_eigen(const char *what, int n, double *a, double *d, am_error *err)
{
    if (n == 0)
        return AM_OK;
    AM_TRY(need_finite(what, a, area(n, n), err));
    int query = -1, integers, info = 0;
    double size;
    dsyevd_("V", "L", &n, a, &n, d, &size, &query, &integers, &query, &info, 1, 1);
    int reals = (int)size;
    double *work = am_alloc((size_t)reals, sizeof *work, what, err);
    int *iwork = am_alloc((size_t)integers, sizeof *iwork, what, err);
    am_status status = work && iwork ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK) {
        dsyevd_("V", "L", &n, a, &n, d, work, &reals, iwork, &integers, &info, 1, 1);
        status = lapack_status(what, "dsyevd", info, err);
    }
    free(work);
    free(iwork);
    return status;
}

am_status linalg_svd(const char *what, int n, int p, double *a, double *u, double *s, double *vt,
                     am_error *err)
{
    int k = AM_MIN(n, p);
    if (k == 0)
        return AM_OK;
    AM_TRY(need_finite(what, a, area(n, p), err));
    int query = -1, info = 0;
    double size;
    int *iwork = am_alloc(8 * (size_t)k, sizeof *iwork, what, err);
    if (iwork == NULL)
        return AM_ERR_MEMORY;
    dgesdd_("S", &n, &p, a, &n, s, u, &n, vt, &k, &size, &query, iwork, &info, 1);
    int reals = (int)size;
    double *work = am_alloc((size_t)reals, sizeof *work, what, err);
    am_status status = work ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK) {
        dgesdd_("S", &n, &p, a, &n, s, u, &n, vt, &k, work, &reals, iwork, &info, 1);
        status = lapack_status(what, "dgesdd", info, err);
    }
    free(work);
    free(iwork);
    return status;
}

/* G ← G + penalty·I, G (k × k) */
static void add_diagonal(int k, double penalty, double *g)
{
    for (int i = 0; i < k; i++)
        g[linalg_at(i, i, k)] += penalty;
}

/* ---- symmetric positive definite --------------------------------------------------------------- */

static am_status singular(const char *what, am_error *err)
{
    return am_fail(err, AM_ERR_INPUT,
                   "%s: the system is singular; drop constant or repeated columns, or take a "
                   "larger λ",
                   what);
}

/* A ← D·A·D with unit diagonal, d_i = a_ii^(−½). */
static am_status equilibrate(const char *what, int n, double *a, double *d, am_error *err)
{
    for (int i = 0; i < n; i++) {
        double diagonal = a[linalg_at(i, i, n)];
        if (!(diagonal > 0))
            return singular(what, err);
        d[i] = 1.0 / sqrt(diagonal);
    }
    for (int j = 0; j < n; j++)
        for (int i = j; i < n; i++)
            a[linalg_at(i, j, n)] *= d[i] * d[j];
    return AM_OK;
}

/* B ← D·B */
static void scale_rows(int n, int m, const double *d, double *b)
{
    for (int j = 0; j < m; j++)
        for (int i = 0; i < n; i++)
            b[linalg_at(i, j, n)] *= d[i];
}

/* A ← its Cholesky factor; work (3n), iwork (n). */
static am_status factor(const char *what, int n, double *a, double *work, int *iwork, am_error *err)
{
    int info = 0;
    double norm = dlansy_("1", "L", &n, a, &n, work, 1, 1), rcond = 0;
    dpotrf_("L", &n, a, &n, &info, 1);
    if (info > 0)
        return singular(what, err);
    AM_TRY(lapack_status(what, "dpotrf", info, err));
    dpocon_("L", &n, a, &n, &norm, &rcond, work, iwork, &info, 1);
    AM_TRY(lapack_status(what, "dpocon", info, err));
    return rcond > n * DBL_EPSILON ? AM_OK : singular(what, err);
}

am_status linalg_solve(const char *what, int n, double *a, int m, double *b, am_error *err)
{
    if (n == 0 || m == 0)
        return AM_OK;
    AM_TRY(need_finite(what, a, area(n, n), err));
    AM_TRY(need_finite(what, b, area(n, m), err));
    double *d = am_alloc((size_t)n, sizeof *d, what, err);
    double *work = am_alloc(3 * (size_t)n, sizeof *work, what, err);
    int *iwork = am_alloc((size_t)n, sizeof *iwork, what, err), info = 0;
    am_status status = d && work && iwork ? equilibrate(what, n, a, d, err) : AM_ERR_MEMORY;
    if (status == AM_OK)
        status = factor(what, n, a, work, iwork, err);
    if (status == AM_OK) { /* A⁻¹B = D·(DAD)⁻¹·D·B */
        scale_rows(n, m, d, b);
        dpotrs_("L", &n, &m, a, &n, b, &n, &info, 1);
        scale_rows(n, m, d, b);
        status = lapack_status(what, "dpotrs", info, err);
    }
    free(d);
    free(work);
    free(iwork);
    return status;
}

am_status linalg_factor(const char *what, int n, const double *a, double shift, double *factor,
                        am_error *err)
{
    int info = 0;
    if (n == 0)
        return AM_OK;
    memcpy(factor, a, area(n, n) * sizeof *a);
    add_diagonal(n, shift, factor);
    dpotrf_("L", &n, factor, &n, &info, 1);
    if (info == 0)
        return AM_OK;
    AM_TRY(need_finite(what, a, area(n, n), err));
    return singular(what, err);
}

void linalg_factor_solve(int n, const double *factor, int m, double *b)
{
    int info = 0; /* < 0 only, for wrong sizes */
    if (n > 0 && m > 0)
        dpotrs_("L", &n, &m, factor, &n, b, &n, &info, 1);
}

/* ---- orthonormal columns ----------------------------------------------------------------------- */

am_status linalg_orthonormal(const char *what, int n, int p, double *a, am_error *err)
{
    int reals = 64 * p, info = 0; /* room for LAPACK's block size */
    if (p == 0)
        return AM_OK;
    AM_TRY(need_finite(what, a, area(n, p), err));
    double *tau = am_alloc((size_t)p, sizeof *tau, what, err);
    double *work = am_alloc((size_t)reals, sizeof *work, what, err);
    am_status status = tau && work ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK) {
        dgeqrf_(&n, &p, a, &n, tau, work, &reals, &info);
        status = lapack_status(what, "dgeqrf", info, err);
    }
    if (status == AM_OK) {
        dorgqr_(&n, &p, &p, a, &n, tau, work, &reals, &info);
        status = lapack_status(what, "dorgqr", info, err);
    }
    free(tau);
    free(work);
    return status;
}

/* ---- least squares ----------------------------------------------------------------------------- */

am_status linalg_least_squares(const char *what, int n, int p, double *a, int m, double *b,
                               int *rank, am_error *err)
{
    int rows = AM_MAX(n, p), k = AM_MIN(n, p), query = -1, integers, found = 0, info = 0;
    if (k == 0 || m == 0)
        return AM_OK;
    AM_TRY(need_finite(what, a, area(n, p), err));
    AM_TRY(need_finite(what, b, area(rows, m), err));
    double size, cut = rows * DBL_EPSILON;
    double *s = am_alloc((size_t)k, sizeof *s, what, err);
    if (s == NULL)
        return AM_ERR_MEMORY;
    dgelsd_(&n, &p, &m, a, &n, b, &rows, s, &cut, &found, &size, &query, &integers, &info);
    int reals = (int)size;
    double *work = am_alloc((size_t)reals, sizeof *work, what, err);
    int *iwork = am_alloc((size_t)integers, sizeof *iwork, what, err);
    am_status status = work && iwork ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK) {
        dgelsd_(&n, &p, &m, a, &n, b, &rows, s, &cut, &found, work, &reals, iwork, &info);
        status = lapack_status(what, "dgelsd", info, err);
    }
    if (rank != NULL)
        *rank = found;
    free(s);
    free(work);
    free(iwork);
    return status;
}

/* p ≤ n: (XᵀX + penalty·I) B = XᵀY */
static am_status ridge_primal(const char *what, int n, int p, const double *x, int m,
                              const double *y, double penalty, double *b, am_error *err)
{
    double *g = am_alloc(area(p, p), sizeof *g, what, err);
    if (g == NULL)
        return AM_ERR_MEMORY;
    linalg_gram(n, p, x, g);
    add_diagonal(p, penalty, g);
    linalg_multiply('t', 'n', p, m, n, x, y, b);
    am_status status = linalg_solve(what, p, g, m, b, err);
    free(g);
    return status;
}

/* p > n: (XXᵀ + penalty·I) A = Y, B = XᵀA */
static am_status ridge_dual(const char *what, int n, int p, const double *x, int m, const double *y,
                            double penalty, double *b, am_error *err)
{
    double *g = am_alloc(area(n, n), sizeof *g, what, err);
    double *a = am_alloc(area(n, m), sizeof *a, what, err);
    am_status status = g && a ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK) {
        linalg_multiply('n', 't', n, n, p, x, x, g);
        add_diagonal(n, penalty, g);
        memcpy(a, y, area(n, m) * sizeof *a);
        status = linalg_solve(what, n, g, m, a, err);
    }
    if (status == AM_OK)
        linalg_multiply('t', 'n', p, m, n, x, a, b);
    free(g);
    free(a);
    return status;
}

am_status linalg_ridge(const char *what, int n, int p, const double *x, int m, const double *y,
                       double penalty, double *b, am_error *err)
{
    if (p > n && penalty > 0)
        return ridge_dual(what, n, p, x, m, y, penalty, b, err);
    return ridge_primal(what, n, p, x, m, y, penalty, b, err);
}
