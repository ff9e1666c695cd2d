/* draw_rows, gather and row_weights of the CPU backend. */
#include "backend/backend.h"
#include "draw/draw.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static backend *open_cpu(int threads)
{
    am_error err = {0};
    backend *be = NULL;
    cr_assert_eq(backend_open(&be, "cpu", threads, &err), AM_OK, "%s", err.message);
    return be;
}

/* ---- draw_rows ------------------------------------------------------------------------------- */

/* index (S, B) of one step, on a backend of its own */
static void rows_at(int threads, draw_rows_args a, uint64_t step, uint32_t *index)
{
    backend *be = open_cpu(threads);
    a.step = (const dev_u64 *)&step;
    a.index = (dev_u32 *)index;
    be->op->draw_rows(be, &a);
    cr_assert_eq(be->failure.status, AM_OK, "%s", be->failure.message);
    backend_close(be);
}

/* Positions step·B + i of the stream: every epoch of n positions holds every row exactly once, also
 * when batches straddle epochs (n = 10, B = 4) or hold several (n = 3, B = 8). */
Test(cpu_rows, every_epoch_holds_every_row_once)
{
    const int size[][2] = {{10, 4}, {3, 8}, {1, 5}, {12, 4}, {257, 32}};
    for (int k = 0; k < 5; k++) {
        enum { SETS = 2 };
        int n = size[k][0], rows = size[k][1], steps = 2 * n;
        int seen[SETS][257 * 64] = {{0}}; /* [epoch·n + row] */
        for (uint64_t step = 0; step < (uint64_t)steps; step++) {
            uint32_t index[SETS * 32];
            draw_rows_args a = {.seed = 31, .n = n, .rows = rows, .sets = SETS};
            rows_at(1, a, step, index);
            for (int s = 0; s < SETS; s++)
                for (int i = 0; i < rows; i++) {
                    int epoch = ((int)step * rows + i) / n;
                    cr_assert_lt(index[s * rows + i], n);
                    seen[s][epoch * n + (int)index[s * rows + i]]++;
                }
        }
        for (int s = 0; s < SETS; s++)
            for (int i = 0; i < steps * rows; i++)
                cr_assert_eq(seen[s][i], 1, "n = %d, B = %d, set %d, epoch %d, row %d: %d times", n,
                             rows, s, i / n, i % n, seen[s][i]);
    }
}

Test(cpu_rows, epochs_seeds_and_sets_have_orders_of_their_own)
{
    draw_rows_args a = {.seed = 31, .n = 1000, .rows = 1000, .sets = 3};
    static uint32_t first[3000], other[3000];
    rows_at(1, a, 0, first);
    int sets_agree = 0, epochs_agree = 0, seeds_agree = 0;
    for (int i = 0; i < 1000; i++)
        sets_agree += first[i] == first[1000 + i] || first[1000 + i] == first[2000 + i];
    rows_at(1, a, 1, other);
    for (int i = 0; i < 3000; i++)
        epochs_agree += first[i] == other[i];
    a.seed = 32;
    rows_at(1, a, 0, other);
    for (int i = 0; i < 3000; i++)
        seeds_agree += first[i] == other[i];
    /* Poisson(2), (3), (3) */
    cr_expect_lt(sets_agree, 11);
    cr_expect_lt(epochs_agree, 13);
    cr_expect_lt(seeds_agree, 13);
}

/* The first set is the same with and without others, and for any number of threads. */
Test(cpu_rows, sets_and_threads_do_not_disturb_each_other)
{
    draw_rows_args a = {.seed = 31, .n = 5000, .rows = 128, .sets = 100};
    static uint32_t one[128], many[12800], threads[12800];
    rows_at(1, a, 38, many); /* straddles an epoch: 38·128 = 4864 */
    rows_at(3, a, 38, threads);
    cr_assert_arr_eq(many, threads, sizeof many);
    a.sets = 1;
    rows_at(1, a, 38, one);
    cr_assert_arr_eq(one, many, sizeof one);
}

/* Row i of the batch is π(step·B + i), element by element, across the end of an epoch too. */
Test(cpu_rows, rows_are_the_permutation_of_their_positions)
{
    enum { N = 50000, B = 700 };
    draw_rows_args a = {.seed = 31, .n = N, .rows = B, .sets = 2};
    static uint32_t index[2 * B];
    const uint64_t step = 71; /* positions 49,700 … 50,399 */
    rows_at(1, a, step, index);
    for (uint32_t s = 0; s < 2; s++)
        for (uint64_t i = 0; i < B; i++) {
            uint64_t position = step * B + i;
            permutation order = rows_order(a.seed, position / N, s, N);
            cr_assert_eq(index[s * B + i], permutation_at(&order, position % N), "set %u, row %llu",
                         s, (unsigned long long)i);
        }
}

Test(cpu_rows, no_examples_is_an_error)
{
    uint64_t step = 0;
    uint32_t index[4] = {7, 7, 7, 7};
    backend *be = open_cpu(1);
    draw_rows_args a = {
        .n = 0, .rows = 4, .sets = 1, .step = (const dev_u64 *)&step, .index = (dev_u32 *)index};
    be->op->draw_rows(be, &a);
    cr_assert_eq(be->failure.status, AM_ERR_INTERNAL);
    cr_assert_not_null(strstr(be->failure.message, "draw_rows"), "%s", be->failure.message);
    cr_assert_eq(index[0], 7);
    backend_close(be);
}

/* ---- gather ---------------------------------------------------------------------------------- */

Test(cpu_rows, gather_bytes_by_hand)
{
    const uint8_t bytes[4 * 3] = {0, 2, 4, 10, 20, 30, 100, 101, 102, 255, 254, 253};
    const int32_t label[4] = {5, 6, 7, 8};
    const float target[4 * 2] = {0, 1, 2, 3, 4, 5, 6, 7};
    const uint32_t index[3] = {2, 0, 2};
    device_data data = {.bytes = (const dev_u8 *)bytes,
                        .n = 4,
                        .inputs = 3,
                        .scale = 0.5f,
                        .shift = -1.0f,
                        .label = (const dev_i32 *)label,
                        .target = (const dev_f32 *)target,
                        .outputs = 2};
    float x[9] = {0}, got_target[6] = {0};
    int32_t got_label[3] = {0};
    gather_args a = {.data = &data,
                     .index = (const dev_u32 *)index,
                     .count = 3,
                     .x = (dev_f32 *)x,
                     .label = (dev_i32 *)got_label,
                     .target = (dev_f32 *)got_target};
    const float want[9] = {49, 49.5f, 50, -1, 0, 1, 49, 49.5f, 50};
    const int32_t want_label[3] = {7, 5, 7};
    const float want_target[6] = {4, 5, 0, 1, 4, 5};
    backend *be = open_cpu(1);
    be->op->gather(be, &a);
    cr_assert_eq(be->failure.status, AM_OK, "%s", be->failure.message);
    cr_assert_arr_eq(x, want, sizeof want);
    cr_assert_arr_eq(got_label, want_label, sizeof want_label);
    cr_assert_arr_eq(got_target, want_target, sizeof want_target);
    backend_close(be);
}

/* Floats, without an index: rows 1 and 2; labels and targets are not asked for. */
Test(cpu_rows, gather_floats_from_first)
{
    const float raw[3 * 2] = {1, 2, 3, 4, 5, 6};
    device_data data = {.floats = (const dev_f32 *)raw, .n = 3, .inputs = 2, .scale = 1.0f};
    float x[5] = {0, 0, 0, 0, -7};
    gather_args a = {.data = &data, .first = 1, .count = 2, .x = (dev_f32 *)x};
    const float want[5] = {3, 4, 5, 6, -7};
    backend *be = open_cpu(1);
    be->op->gather(be, &a);
    cr_assert_eq(be->failure.status, AM_OK, "%s", be->failure.message);
    cr_assert_arr_eq(x, want, sizeof want);
    backend_close(be);
}

/* Awkward widths and enough rows for several threads: every element as the formula has it. */
Test(cpu_rows, gather_of_any_width_and_threads)
{
    const int width[] = {1, 31, 33, 257};
    enum { N = 3000, MAX = 257 };
    uint8_t *bytes = malloc((size_t)N * MAX);
    float *x = malloc(sizeof *x * N * MAX);
    uint32_t *index = malloc(sizeof *index * N);
    cr_assert(bytes && x && index);
    for (int i = 0; i < N * MAX; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    for (uint32_t i = 0; i < N; i++)
        index[i] = i * 1009 % N;
    for (int k = 0; k < 4; k++) {
        int d = width[k];
        device_data data = {.bytes = (const dev_u8 *)bytes,
                            .n = N,
                            .inputs = d,
                            .scale = 1.0f / 78.5f,
                            .shift = -0.4242f};
        gather_args a = {
            .data = &data, .index = (const dev_u32 *)index, .count = N, .x = (dev_f32 *)x};
        backend *be = open_cpu(3);
        be->op->gather(be, &a);
        cr_assert_eq(be->failure.status, AM_OK, "%s", be->failure.message);
        for (int i = 0; i < N; i++)
            for (int j = 0; j < d; j++) {
                float product = data.scale * (float)bytes[(int64_t)index[i] * d + j];
                cr_assert(x[i * d + j] == product + data.shift, "row %d, column %d of %d", i, j, d);
            }
        backend_close(be);
    }
    free(bytes);
    free(x);
    free(index);
}

Test(cpu_rows, gather_refuses_rows_that_are_not_there)
{
    const float raw[3] = {1, 2, 3};
    const uint32_t index[2] = {0, 3};
    device_data data = {.floats = (const dev_f32 *)raw, .n = 3, .inputs = 1, .scale = 1.0f};
    const gather_args bad[] = {{.index = (const dev_u32 *)index, .count = 2},
                               {.first = 2, .count = 2},
                               {.first = -1, .count = 1}};
    for (int k = 0; k < 3; k++) {
        float x[2] = {-7, -7};
        gather_args a = bad[k];
        a.data = &data;
        a.x = (dev_f32 *)x;
        backend *be = open_cpu(1);
        be->op->gather(be, &a);
        cr_expect_eq(be->failure.status, AM_ERR_INTERNAL, "case %d", k);
        cr_expect_not_null(strstr(be->failure.message, k == 2 ? "row -1" : "row 3"), "%s",
                           be->failure.message);
        cr_expect(x[0] == -7 && x[1] == -7);
        backend_close(be);
    }
}

Test(cpu_rows, gather_refuses_what_the_data_lack)
{
    const float raw[3] = {1, 2, 3};
    float x[1], target[1];
    int32_t label[1];
    device_data data = {.floats = (const dev_f32 *)raw, .n = 3, .inputs = 1, .outputs = 1};
    device_data empty = {.n = 3, .inputs = 1, .outputs = 1};
    const gather_args bad[] = {{.data = &data, .label = (dev_i32 *)label},
                               {.data = &data, .target = (dev_f32 *)target},
                               {.data = &empty}};
    for (int k = 0; k < 3; k++) {
        gather_args a = bad[k];
        a.count = 1;
        a.x = (dev_f32 *)x;
        backend *be = open_cpu(1);
        be->op->gather(be, &a);
        cr_expect_eq(be->failure.status, AM_ERR_INTERNAL, "case %d", k);
        backend_close(be);
    }
}

/* ---- row_weights ----------------------------------------------------------------------------- */

static const uint32_t BLOCK[5] = {0, 2, 1, 2, 0};                /* of rows 0..4 */
static const float OMEGA[2 * 3] = {1, 2, 3, 0.5f, 0.25f, 2.25f}; /* (M, K) */

/* weight (2, 3) of models 0 and 1 */
static am_status weights(const uint32_t *index, int sets, int64_t first, int64_t blocks,
                         float *weight)
{
    device_data data = {.n = 5, .block = (const dev_u32 *)BLOCK};
    row_weights_args a = {.data = &data,
                          .index = (const dev_u32 *)index,
                          .first = first,
                          .models = 2,
                          .rows = 3,
                          .sets = sets,
                          .blocks = blocks,
                          .omega = (const dev_f32 *)OMEGA,
                          .weight = (dev_f32 *)weight};
    backend *be = open_cpu(1);
    be->op->row_weights(be, &a);
    am_status status = be->failure.status;
    backend_close(be);
    return status;
}

Test(cpu_rows, weights_of_a_shared_minibatch)
{
    const uint32_t index[3] = {1, 4, 2}; /* blocks 2, 0, 1 */
    const float want[6] = {3, 1, 2, 2.25f, 0.5f, 0.25f};
    float got[6];
    cr_assert_eq(weights(index, 1, 0, 3, got), AM_OK);
    cr_assert_arr_eq(got, want, sizeof want);
}

Test(cpu_rows, weights_of_minibatches_of_their_own)
{
    const uint32_t index[6] = {1, 4, 2, 0, 0, 3}; /* blocks 2, 0, 1 and 0, 0, 2 */
    const float want[6] = {3, 1, 2, 0.5f, 0.5f, 2.25f};
    float got[6];
    cr_assert_eq(weights(index, 2, 0, 3, got), AM_OK);
    cr_assert_arr_eq(got, want, sizeof want);
}

Test(cpu_rows, weights_of_consecutive_rows)
{
    const float want[6] = {2, 3, 1, 0.25f, 2.25f, 0.5f}; /* rows 2, 3, 4: blocks 1, 2, 0 */
    float got[6];
    cr_assert_eq(weights(NULL, 1, 2, 3, got), AM_OK);
    cr_assert_arr_eq(got, want, sizeof want);
    cr_assert_eq(weights(NULL, 2, 2, 3, got), AM_OK, "without an index sets are shared");
    cr_assert_arr_eq(got, want, sizeof want);
}

Test(cpu_rows, weights_refuse_rows_and_blocks_that_are_not_there)
{
    const uint32_t row_5[3] = {0, 5, 1}, rows[3] = {0, 1, 2};
    float got[6];
    cr_expect_eq(weights(row_5, 1, 0, 3, got), AM_ERR_INTERNAL);
    cr_expect_eq(weights(NULL, 1, 3, 3, got), AM_ERR_INTERNAL);
    cr_expect_eq(weights(rows, 1, 0, 2, got), AM_ERR_INTERNAL, "row 1 lies in block 2 of 0..1");
}
