/* target: the text of a network, its table of tensors, its initial weights. */
#include "model/target.h"

#include "draw/philox.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static target parsed(const char *text)
{
    target t;
    am_error err = {0};
    cr_assert_eq(target_parse(text, ACT_RELU, LOSS_CROSS_ENTROPY, &t, &err), AM_OK, "%s",
                 err.message);
    return t;
}

Test(target, the_table_of_tensors_has_the_names_shapes_and_order_of_pytorch)
{
    static const target_tensor want[] = {
        {"fc1.weight", 2, {64, 784}, 0, 50176},
        {"fc1.bias", 1, {64, 0}, 50176, 64},
        {"fc2.weight", 2, {10, 64}, 50240, 640},
        {"fc2.bias", 1, {10, 0}, 50880, 10},
    };
    target t = parsed("784-64-10");
    cr_expect_eq(t.layers, 2);
    cr_expect_eq(t.params, 50890);
    cr_expect(t.act == ACT_RELU && t.loss == LOSS_CROSS_ENTROPY);
    cr_expect(t.size[0] == 784 && t.size[1] == 64 && t.size[2] == 10);
    cr_assert_eq(t.tensor_count, 4);
    for (int i = 0; i < 4; i++) {
        cr_expect_str_eq(t.tensor[i].name, want[i].name);
        cr_expect_eq(t.tensor[i].rank, want[i].rank);
        cr_expect_eq(t.tensor[i].shape[0], want[i].shape[0]);
        cr_expect_eq(t.tensor[i].shape[1], want[i].shape[1]);
        cr_expect_eq(t.tensor[i].offset, want[i].offset);
        cr_expect_eq(t.tensor[i].count, want[i].count);
    }
    cr_expect_eq(target_weight(&t, 1), &t.tensor[2]);
    cr_expect_eq(target_bias(&t, 1), &t.tensor[3]);
}

Test(target, tensors_fill_theta_without_gaps_at_any_depth)
{
    static const char *const text[] = {"784-10", "5-1", "784-256-128-10",
                                       "9-8-7-6-5-4-3-2-1-2-3-4-5-6-7-8", "1048576-1048576-2"};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        target t = parsed(text[i]);
        char back[192];
        int64_t next = 0;
        for (int k = 0; k < t.tensor_count; k++) {
            cr_expect_eq(t.tensor[k].offset, next);
            next += t.tensor[k].count;
        }
        cr_expect_eq(next, t.params);
        target_text(&t, back, sizeof back);
        cr_expect_str_eq(back, text[i]);
    }
    cr_expect_eq(parsed("784-10").layers, 1);
    cr_expect_eq(parsed("784-256-128-10").params, 784 * 256 + 256 + 256 * 128 + 128 + 1280 + 10);
}

Test(target, a_text_that_is_no_network_is_a_usage_error_naming_it)
{
    static const char *const text[] = {
        "",
        "784",
        "784-",
        "-784-10",
        "784--10",
        "784-0-10",
        "784-64.5-10",
        "784-x-10",
        " 784-10",
        "784-10 ",
        "784- 10",
        "784-+10",
        "0x10-2",
        "784,10",
        "1048577-2",
        "99999999999999999999-2",
        "1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16-17",
    };
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        target t;
        am_error err = {0};
        char name[80];
        snprintf(name, sizeof name, "target '%s':", text[i]);
        cr_expect_eq(target_parse(text[i], ACT_RELU, LOSS_SQUARED, &t, &err), AM_ERR_USAGE,
                     "'%s' was taken", text[i]);
        cr_expect(strncmp(err.message, name, strlen(name)) == 0, "%s", err.message);
        cr_expect_not_null(strstr(err.message, "784-64-10"), "%s", err.message);
    }
}

Test(target, activations_go_by_name)
{
    activation act;
    am_error err = {0};
    cr_expect(activation_parse("relu", &act, &err) == AM_OK && act == ACT_RELU);
    cr_expect_str_eq(activation_name(act), "relu");
    cr_expect(activation_parse("tanh", &act, &err) == AM_OK && act == ACT_TANH);
    cr_expect_str_eq(activation_name(act), "tanh");
    cr_expect_eq(activation_parse("gelu", &act, &err), AM_ERR_USAGE);
    cr_expect_str_eq(err.message, "activation 'gelu': give relu or tanh");
}

Test(target, penalty_groups_are_all_of_theta_or_one_per_layer)
{
    target t = parsed("4-3-2");
    penalty_groups one = target_groups(&t, false), two = target_groups(&t, true);
    cr_expect(one.count == 1 && one.begin[0] == 0 && one.begin[1] == 23);
    cr_expect(two.count == 2 && two.begin[0] == 0 && two.begin[1] == 15 && two.begin[2] == 23);
}

/* ---- initial weights ------------------------------------------------------------------------- */

static float *initial(const target *t, uint64_t seed, uint32_t index)
{
    float *theta = calloc((size_t)t->params, sizeof *theta);
    cr_assert_not_null(theta);
    target_init(t, seed, index, theta);
    return theta;
}

Test(target, initial_weights_are_a_function_of_seed_and_index)
{
    target t = parsed("20-8-3");
    size_t bytes = sizeof(float) * (size_t)t.params;
    float *a = initial(&t, 7, 2), *same = initial(&t, 7, 2);
    float *other_seed = initial(&t, 8, 2), *other_index = initial(&t, 7, 3);
    cr_expect_eq(memcmp(a, same, bytes), 0);
    for (int64_t i = 0; i < t.params; i++) {
        cr_expect_neq(a[i], other_seed[i], "parameter %lld", (long long)i);
        cr_expect_neq(a[i], other_index[i], "parameter %lld", (long long)i);
    }
    free(a), free(same), free(other_seed), free(other_index);
}

/* θ_i = (2u − 1)/√fan_in, u word i mod 4 of Philox at counter ⌊i/4⌋ of the stream. */
Test(target, initial_weights_come_from_the_stream_of_initialisations)
{
    target t = parsed("20-8-3"); /* fan_in 20 up to 168, then 8 */
    float *theta = initial(&t, 7, 2);
    static const int64_t at[] = {0, 1, 2, 3, 4, 166, 167, 168, 169, 194};
    for (size_t k = 0; k < sizeof at / sizeof *at; k++) {
        uint32_t word = philox(7, STREAM_INIT, 0, 2, (uint32_t)(at[k] / 4)).x[at[k] % 4];
        double want = (2.0 * uniform_open(word) - 1.0) / sqrt(at[k] < 168 ? 20.0 : 8.0);
        cr_expect_eq(theta[at[k]], (float)want, "parameter %lld", (long long)at[k]);
    }
    free(theta);
}

/* A uniform number on ±b has variance b²/3; with 50 176 of them the mean square is within
 * 4 standard errors, 4·√(4/45)/√50176·b² = 0.0053·b², of it, and the mean within 0.0104·b of 0. */
Test(target, initial_weights_are_uniform_within_one_over_the_root_of_fan_in)
{
    target t = parsed("784-64-10");
    float *theta = initial(&t, 1, 0);
    for (int i = 0; i < t.tensor_count; i++) {
        const target_tensor *e = &t.tensor[i];
        double bound = 1.0 / sqrt(i < 2 ? 784.0 : 64.0), sum = 0.0, squares = 0.0;
        for (int64_t p = e->offset; p < e->offset + e->count; p++) {
            cr_assert(fabs((double)theta[p]) <= bound, "%s", e->name);
            sum += (double)theta[p] / bound;
            squares += (double)theta[p] * (double)theta[p] / (bound * bound);
        }
        double n = (double)e->count;
        cr_expect(fabs(sum / n) < 4.0 / sqrt(3.0 * n), "%s", e->name);
        cr_expect(fabs(squares / n - 1.0 / 3.0) < 4.0 * sqrt(4.0 / 45.0 / n), "%s", e->name);
    }
    free(theta);
}
