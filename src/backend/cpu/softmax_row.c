#include "backend/cpu/softmax_row.h"

#include "backend/cpu/vmath.h"

AM_CLONES static void exponentials(float *x, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        x[i] = vexp(x[i]);
}

void softmax_tile(const float *logits, int rows, int outputs, float *exp_out, softmax_row *row)
{
    for (int r = 0; r < rows; r++) {
        const float *o = logits + (int64_t)r * outputs;
        float max = o[0]; /* a NaN, or an infinite maximum, turns the row's sum into NaN */
        int best = 0;
        for (int c = 1; c < outputs; c++)
            if (o[c] > max) {
                max = o[c];
                best = c;
            }
        row[r] = (softmax_row){.max = max, .argmax = best};
        for (int c = 0; c < outputs; c++)
            exp_out[(int64_t)r * outputs + c] = o[c] - max;
    }
    /* Over the whole tile at once: rows of ten classes would leave most of a vector idle. */
    exponentials(exp_out, (int64_t)rows * outputs);
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < outputs; c++)
            row[r].sum += (double)exp_out[(int64_t)r * outputs + c];
}
