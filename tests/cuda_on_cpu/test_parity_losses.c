/* Parity: losses, penalties, scores. */
#include "parity.h"

#include <criterion/criterion.h>

/* kind, M, B, C, labels of every model its own, weighted, in place */
static void loss_case(device *d, const int *s, outputs *out)
{
    int64_t models = s[1], rows = s[2], n = models * rows * s[3], sets = s[4] ? models : 1;
    loss_args a = {.kind = (loss_kind)s[0],
                   .models = s[1],
                   .rows = s[2],
                   .outputs = s[3],
                   .divisor = 1.5 * s[2],
                   .grad_scale = 1.0 / s[1],
                   .logits = device_random(d, n, 1),
                   .label = random_labels(d, sets * rows, s[3], 2),
                   .target = device_random(d, sets * rows * s[3], 3),
                   .label_stride = s[4] ? rows : 0,
                   .target_stride = s[4] ? rows * s[3] : 0,
                   .weight = s[5] ? positive_floats(d, models * rows, 4) : NULL,
                   .dlogits = device_floats(d, n, NULL),
                   .loss = device_doubles(d, models, NULL)};
    if (s[6])
        a.dlogits = f32_at(a.logits, 0);
    d->op->loss(d->be, &a);
    out_doubles(out, "loss", a.loss, models);
    out_floats(out, "dO", a.dlogits, n);
}

Test(parity, loss)
{
    static const int shapes[][7] = {
        {LOSS_CROSS_ENTROPY, 1, 1, 2, 0, 0, 0},   {LOSS_CROSS_ENTROPY, 3, 33, 10, 0, 1, 1},
        {LOSS_CROSS_ENTROPY, 2, 31, 33, 1, 1, 0}, {LOSS_CROSS_ENTROPY, 1, 257, 257, 0, 0, 0},
        {LOSS_CROSS_ENTROPY, 33, 5, 31, 1, 0, 1}, {LOSS_SQUARED, 1, 1, 1, 0, 0, 0},
        {LOSS_SQUARED, 3, 257, 1, 1, 1, 0},       {LOSS_SQUARED, 2, 33, 31, 0, 1, 1}};
    EXPECT_PARITY(loss_case, shapes);
}

/* M, G, P */
static void l2_case(device *d, const int *s, outputs *out)
{
    int64_t models = s[0], n = models * s[2];
    l2_penalty_args a = {.models = s[0],
                         .groups = {.count = s[1]},
                         .grad_scale = 0.3,
                         .lambda = positive_floats(d, models * s[1], 1),
                         .theta = device_random(d, n, 2),
                         .theta_stride = s[2],
                         .dtheta = device_random(d, n, 3),
                         .dtheta_stride = s[2],
                         .loss = device_doubles(d, models, NULL)};
    for (int g = 0; g <= s[1]; g++)
        a.groups.begin[g] = (int64_t)s[2] * g / s[1];
    d->op->l2_penalty(d->be, &a);
    out_doubles(out, "loss", a.loss, models);
    out_floats(out, "dtheta", a.dtheta, n);
}

Test(parity, l2_penalty)
{
    static const int shapes[][3] = {
        {1, 1, 1}, {3, 1, 31}, {10, 2, 257}, {33, 16, 1000}, {2, 3, 50890}};
    EXPECT_PARITY(l2_case, shapes);
}

/* M, R, λ's stride, with dc */
static void gram_case(device *d, const int *s, outputs *out)
{
    int64_t c_size = (int64_t)s[0] * s[1], gram_size = (int64_t)s[1] * s[1];
    gram_penalty_args a = {.models = s[0],
                           .features = s[1],
                           .grad_scale = 0.2,
                           .c = device_random(d, c_size, 1),
                           .lambda = positive_floats(d, (int64_t)s[0] * s[2], 2),
                           .lambda_stride = s[2],
                           .gram = device_random(d, gram_size, 3),
                           .s = device_floats(d, gram_size, NULL),
                           .dc = s[3] ? device_random(d, c_size, 4) : NULL,
                           .loss = device_doubles(d, s[0], NULL)};
    float *gram = random_floats(d, gram_size, 3); /* symmetric, as ΘΘᵀ is */
    for (int i = 0; i < s[1]; i++)
        for (int j = 0; j < i; j++)
            gram[i * s[1] + j] = gram[j * s[1] + i];
    a.gram = device_floats(d, gram_size, gram);
    d->op->gram_penalty(d->be, &a);
    out_floats(out, "S", a.s, gram_size);
    out_doubles(out, "loss", a.loss, s[0]);
    if (a.dc != NULL)
        out_floats(out, "dc", a.dc, c_size);
}

Test(parity, gram_penalty)
{
    static const int shapes[][4] = {
        {1, 1, 1, 1}, {10, 7, 1, 0}, {31, 33, 2, 1}, {257, 31, 1, 1}, {3, 129, 3, 1}};
    EXPECT_PARITY(gram_case, shapes);
}

/* kind, M, B, C, probabilities */
static void score_case(device *d, const int *s, outputs *out)
{
    int64_t n = (int64_t)s[1] * s[2] * s[3];
    dev_f32 *logits = device_random(d, n, 1);
    softmax_args p = {.models = s[1],
                      .rows = s[2],
                      .outputs = s[3],
                      .logits = logits,
                      .probability = device_floats(d, n, NULL),
                      .mean = device_floats(d, (int64_t)s[2] * s[3], NULL)};
    d->op->softmax(d->be, &p);
    score_args a = {.kind = (loss_kind)s[0],
                    .probabilities = s[4] != 0,
                    .models = s[1],
                    .rows = s[2],
                    .outputs = s[3],
                    .output = s[4] ? p.probability : logits,
                    .label = random_labels(d, s[2], s[3], 2),
                    .target = device_random(d, (int64_t)s[2] * s[3], 3),
                    .score = device_doubles(d, (int64_t)s[1] * AM_SCORE_COLUMNS, NULL)};
    d->op->score(d->be, &a);
    out_floats(out, "probability", p.probability, n);
    out_floats(out, "mean", p.mean, (int64_t)s[2] * s[3]);
    out_doubles(out, "score", a.score, (int64_t)s[1] * AM_SCORE_COLUMNS);
}

Test(parity, softmax_and_score)
{
    static const int shapes[][5] = {
        {LOSS_CROSS_ENTROPY, 1, 1, 2, 0},   {LOSS_CROSS_ENTROPY, 3, 257, 10, 0},
        {LOSS_CROSS_ENTROPY, 2, 33, 31, 1}, {LOSS_CROSS_ENTROPY, 33, 31, 33, 0},
        {LOSS_CROSS_ENTROPY, 1, 5, 257, 1}, {LOSS_SQUARED, 1, 1, 1, 0},
        {LOSS_SQUARED, 5, 257, 3, 0}};
    EXPECT_PARITY(score_case, shapes);
}
