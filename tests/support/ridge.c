#include "support/ridge.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static void swap_rows(double *a, double *b, int n, int i, int j)
{
    for (int c = 0; c < n; c++) {
        double value = a[i * n + c];
        a[i * n + c] = a[j * n + c];
        a[j * n + c] = value;
    }
    double value = b[i];
    b[i] = b[j];
    b[j] = value;
}

void solve(double *a, double *b, int n)
{
    for (int i = 0; i < n; i++) {
        int pivot = i;
        for (int j = i + 1; j < n; j++)
            if (fabs(a[j * n + i]) > fabs(a[pivot * n + i]))
                pivot = j;
        swap_rows(a, b, n, i, pivot);
        for (int j = i + 1; j < n; j++) {
            double factor = a[j * n + i] / a[i * n + i];
            for (int c = i; c < n; c++)
                a[j * n + c] -= factor * a[i * n + c];
            b[j] -= factor * b[i];
        }
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int c = i + 1; c < n; c++)
            b[i] -= a[i * n + c] * b[c];
        b[i] /= a[i * n + i];
    }
}

void ridge_moments(const problem *p, const float *omega, double *s_xx, double *s_xy)
{
    int size = p->rows.inputs + 1;
    double x[RIDGE_MOST];
    cr_assert(size <= RIDGE_MOST && p->rows.outputs == 1);
    memset(s_xx, 0, sizeof *s_xx * (size_t)(size * size));
    memset(s_xy, 0, sizeof *s_xy * (size_t)size);
    for (int64_t i = 0; i < p->rows.n; i++) {
        double weight = (omega != NULL ? (double)omega[p->block[i]] : 1.0) / (double)p->rows.n;
        for (int j = 0; j < size; j++)
            x[j] = j + 1 < size ? (double)p->rows.floats[i * (size - 1) + j] : 1.0;
        for (int j = 0; j < size; j++) {
            s_xy[j] += weight * x[j] * (double)p->rows.target[i];
            for (int k = 0; k < size; k++)
                s_xx[j * size + k] += weight * x[j] * x[k];
        }
    }
}

void ridge_solution(const problem *p, double lambda, const float *omega, double *theta)
{
    int size = p->rows.inputs + 1;
    double s_xx[RIDGE_MOST * RIDGE_MOST];
    ridge_moments(p, omega, s_xx, theta);
    for (int j = 0; j < size; j++)
        s_xx[j * size + j] += lambda;
    solve(s_xx, theta, size);
}
