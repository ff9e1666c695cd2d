/* How many threads the CPU backend takes, and that their number changes no bit. */
#include "backend/cpu/blas.h"
#include "backend/cpu/threads.h"
#include "support/device.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- limits ---------------------------------------------------------------------------------- */

/* A file of the fake control group file system, with its folders. */
static void put(const char *mount, const char *name, const char *text)
{
    char path[256];
    am_error err;
    snprintf(path, sizeof path, "%s/%s", mount, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    cr_assert_eq(am_make_folders(path, &err), AM_OK, "%s", err.message);
    *slash = '/';
    cr_assert_eq(am_write_file(path, text, strlen(text), &err), AM_OK, "%s", err.message);
}

static const char *const entries[] = {"cpu.max",
                                      "a/b/cpu.max",
                                      "a/cpu.max",
                                      "a/b",
                                      "a",
                                      "cpu/x/cpu.cfs_quota_us",
                                      "cpu/x/cpu.cfs_period_us",
                                      "cpu/x",
                                      "cpu"};

static void remove_mount(const char *mount)
{
    char path[256];
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        snprintf(path, sizeof path, "%s/%s", mount, entries[i]);
        if (unlink(path) != 0)
            rmdir(path);
    }
    cr_assert_eq(rmdir(mount), 0);
}

Test(cpu_threads, quota_of_version_2_is_the_least_of_all_ancestors)
{
    char mount[] = "/tmp/amortune_cgroup_XXXXXX";
    cr_assert_not_null(mkdtemp(mount));
    cr_assert_eq(cpu_quota("0::/a/b\n", mount), INT_MAX); /* no such folders */
    put(mount, "a/b/cpu.max", "max 100000\n");
    cr_assert_eq(cpu_quota("0::/a/b\n", mount), INT_MAX);
    put(mount, "a/cpu.max", "250000 100000\n");
    cr_assert_eq(cpu_quota("0::/a/b\n", mount), 3); /* 2.5 rounded up */
    put(mount, "a/b/cpu.max", "400000 100000\n");
    cr_assert_eq(cpu_quota("0::/a/b\n", mount), 3);
    put(mount, "a/b/cpu.max", "5000 100000\n");
    cr_assert_eq(cpu_quota("0::/a/b\n", mount), 1);
    put(mount, "cpu.max", "200000 100000\n"); /* in a container: the group itself is not visible */
    cr_assert_eq(cpu_quota("0::/elsewhere/z\n", mount), 2);
    cr_assert_eq(cpu_quota("0::/\n", mount), 2);
    remove_mount(mount);
}

Test(cpu_threads, quota_of_version_1)
{
    char mount[] = "/tmp/amortune_cgroup_XXXXXX";
    cr_assert_not_null(mkdtemp(mount));
    put(mount, "cpu/x/cpu.cfs_quota_us", "-1\n");
    put(mount, "cpu/x/cpu.cfs_period_us", "100000\n");
    const char *membership = "9:name=systemd:/\n5:cpuset:/x\n4:cpu,cpuacct:/x\n0::/x";
    cr_assert_eq(cpu_quota(membership, mount), INT_MAX);
    put(mount, "cpu/x/cpu.cfs_quota_us", "100001\n");
    cr_assert_eq(cpu_quota(membership, mount), 2);
    cr_assert_eq(cpu_quota("4:cpuset,cpuacct:/x\n", mount), INT_MAX); /* not the cpu controller */
    cr_assert_eq(cpu_quota("", mount), INT_MAX);
    cr_assert_eq(cpu_quota("nonsense\n4:\n:::\n", mount), INT_MAX);
    remove_mount(mount);
}

Test(cpu_threads, limit_obeys_the_environment)
{
    unsetenv("OMP_NUM_THREADS");
    int all = cpu_thread_limit();
    cr_assert_geq(all, 1);
    setenv("OMP_NUM_THREADS", "1,4", 1); /* the outermost level counts */
    cr_assert_eq(cpu_thread_limit(), 1);
    setenv("OMP_NUM_THREADS", "1000000", 1);
    cr_assert_eq(cpu_thread_limit(), all);
    setenv("OMP_NUM_THREADS", "junk", 1);
    cr_assert_eq(cpu_thread_limit(), all);
}

Test(cpu_threads, a_kernel_choice_of_the_user_is_respected)
{
    const char *value = NULL;
    setenv("OPENBLAS_CORETYPE", "Haswell", 1);
    cr_assert_not(cpu_blas_wants_coretype(&value));
    unsetenv("OPENBLAS_CORETYPE");
    if (cpu_blas_wants_coretype(&value)) {
        cr_assert_str_eq(value, "SkylakeX");
        setenv("OPENBLAS_CORETYPE", value, 1); /* once is enough */
        cr_assert_not(cpu_blas_wants_coretype(&value));
    }
}

/* ---- bits ------------------------------------------------------------------------------------ */

enum { M = 6, B = 129, D = 50, H = 33, C = 10, R = 7, P = H * D + H + C * H + C, STEPS = 3 };

/* Everything that a step of training leaves behind. */
typedef struct {
    device d;
    dev_f32 *x, *c, *head, *theta, *grad, *hidden, *dhidden, *logits, *moment1, *moment2;
    dev_f32 *own_moment1, *own_moment2, *plain_moment1, *plain_moment2;
    dev_f32 *lambda, *gram, *s, *dc, *mixed, *e;
    dev_f64 *loss, *score;
    dev_i32 *label;
    dev_u64 *step;
    dev_guard *guard;
} run;

static run run_open(int threads)
{
    run r = {.d = device_open_threads(threads)};
    device *d = &r.d;
    int32_t label[B];
    for (int i = 0; i < B; i++)
        label[i] = i % C;
    r.x = device_floats(d, B * D, random_floats(d, B * D, 1));
    r.c = device_floats(d, M * R, random_floats(d, M * R, 2));
    r.head = device_floats(d, R * P, random_floats(d, R * P, 3));
    r.lambda = device_floats(d, M, random_floats(d, M, 4));
    r.label = device_ints(d, B, label);
    r.theta = device_floats(d, M * P, NULL);
    r.grad = device_floats(d, M * P, NULL);
    r.hidden = device_floats(d, M * B * H, NULL);
    r.dhidden = device_floats(d, M * B * H, NULL);
    r.logits = device_floats(d, M * B * C, NULL);
    r.moment1 = device_floats(d, R * P, NULL);
    r.moment2 = device_floats(d, R * P, NULL);
    r.own_moment1 = device_floats(d, R * P, NULL);
    r.own_moment2 = device_floats(d, M * P, NULL);
    r.plain_moment1 = device_floats(d, M * P, NULL);
    r.plain_moment2 = device_floats(d, M * P, NULL);
    r.gram = device_floats(d, R * R, NULL);
    r.s = device_floats(d, R * R, NULL);
    r.dc = device_floats(d, M * R, NULL);
    r.mixed = device_floats(d, M * B * H, NULL);
    r.e = device_floats(d, M * B * H, NULL);
    r.loss = device_doubles(d, M, NULL);
    r.score = device_doubles(d, M * AM_SCORE_COLUMNS, NULL);
    r.step = device_counter(d, 0);
    r.guard = device_guard(d, (guard_state){0});
    return r;
}

static void forward(run *r)
{
    const backend_ops *op = r->d.op;
    backend *be = r->d.be;
    matmul_args heads = {.batch = 1, .m = M, .n = P, .k = R, .alpha = 1, .a = r->c, .lda = R};
    heads.b = r->head, heads.ldb = P, heads.c = r->theta, heads.ldc = P;
    op->matmul(be, &heads);
    linear_forward_args first = {.models = M, .rows = B, .in = D, .out = H, .act = ACT_TANH};
    first.x = r->x, first.ldx = D, first.weight = r->theta, first.bias = f32_at(r->theta, H * D);
    first.weight_stride = first.bias_stride = P;
    first.y = r->hidden, first.ldy = H, first.y_stride = B * H;
    op->linear_forward(be, &first);
    linear_forward_args second = {.models = M, .rows = B, .in = H, .out = C};
    second.x = r->hidden, second.ldx = H, second.x_stride = B * H;
    second.weight = f32_at(r->theta, H * D + H), second.bias = f32_at(r->theta, P - C);
    second.weight_stride = second.bias_stride = P;
    second.y = r->logits, second.ldy = C, second.y_stride = B * C;
    op->linear_forward(be, &second);
    score_args score = {.kind = LOSS_CROSS_ENTROPY, .models = M, .rows = B, .outputs = C};
    score.output = r->logits, score.label = r->label, score.score = r->score;
    op->score(be, &score);
}

static void backward(run *r)
{
    const backend_ops *op = r->d.op;
    backend *be = r->d.be;
    loss_args loss = {.kind = LOSS_CROSS_ENTROPY, .models = M, .rows = B, .outputs = C};
    loss.divisor = B, loss.grad_scale = 1, loss.logits = r->logits, loss.label = r->label;
    loss.dlogits = r->logits, loss.loss = r->loss;
    op->loss(be, &loss);
    linear_backward_args second = {.models = M, .rows = B, .in = H, .out = C};
    second.x = r->hidden, second.ldx = H, second.x_stride = B * H;
    second.weight = f32_at(r->theta, H * D + H), second.weight_stride = P;
    second.dy = r->logits, second.ldy = C, second.y_stride = B * C;
    second.dweight = f32_at(r->grad, H * D + H), second.dbias = f32_at(r->grad, P - C);
    second.dweight_stride = second.dbias_stride = P;
    second.dx = r->dhidden, second.lddx = H, second.dx_stride = B * H;
    op->linear_backward(be, &second);
    linear_backward_args first = {.models = M, .rows = B, .in = D, .out = H, .act = ACT_TANH};
    first.x = r->x, first.ldx = D, first.weight = r->theta, first.weight_stride = P;
    first.y = r->hidden, first.dy = r->dhidden, first.ldy = H, first.y_stride = B * H;
    first.dweight = r->grad, first.dbias = f32_at(r->grad, H * D);
    first.dweight_stride = first.dbias_stride = P;
    op->linear_backward(be, &first);
    l2_penalty_args penalty = {.models = M, .groups = {1, {0, P}}, .grad_scale = 1};
    penalty.lambda = r->lambda, penalty.theta = r->theta, penalty.dtheta = r->grad;
    penalty.theta_stride = penalty.dtheta_stride = P, penalty.loss = r->loss;
    op->l2_penalty(be, &penalty);
}

static void optimise(run *r)
{
    const backend_ops *op = r->d.op;
    backend *be = r->d.be;
    guard_args guard = {.rows = M, .columns = P, .grad = r->grad, .c = r->c, .features = R};
    guard.loss = r->loss, guard.losses = M, guard.clip = 0.01, guard.step = r->step;
    guard.guard = r->guard;
    op->guard(be, &guard);
    guard.c = NULL;
    op->guard(be, &guard);
    adam_rule rule = {{SCHEDULE_COSINE, 1e-2, 1, 10}, 0.9, 0.999, 1e-8, r->step, r->guard};
    adam_outer_args outer = {.rule = rule, .models = M, .features = R, .params = P};
    outer.c = r->c, outer.grad = r->grad, outer.theta = r->head;
    outer.moment1 = r->moment1, outer.moment2 = r->moment2;
    op->adam_outer(be, &outer);
    collocation_args collocation = {.rule = rule, .models = M, .features = R, .params = P};
    collocation.groups = 1, collocation.tilt = 0.5, collocation.u = r->lambda;
    collocation.ridge = 1e-3, collocation.c = r->c, collocation.grad = r->grad;
    collocation.theta = r->head, collocation.moment1 = r->own_moment1;
    collocation.moment2 = r->own_moment2;
    op->collocation(be, &collocation);
    adam_args plain = {.rule = rule, .rows = M, .columns = P, .theta = r->theta, .grad = r->grad};
    plain.moment1 = r->plain_moment1, plain.moment2 = r->plain_moment2;
    op->adam(be, &plain);
    op->advance(be, r->step);
}

/* The factored plan's ops on the same buffers. */
static void factored(run *r)
{
    const backend_ops *op = r->d.op;
    backend *be = r->d.be;
    enum { COUNT = M * B * H / R }; /* the R rows of Z are the hidden layers */
    mix_forward_args mix = {M, R, COUNT, ACT_TANH, r->c, r->hidden, r->mixed};
    op->mix_forward(be, &mix);
    mix_backward_args back = {M,         R,        COUNT,      ACT_TANH, r->c,
                              r->hidden, r->mixed, r->dhidden, r->e,     r->dc};
    op->mix_backward(be, &back);
    matmul_args gram = {.batch = 1, .transpose_b = true, .m = R, .n = R, .k = P, .alpha = 1};
    gram.a = gram.b = r->head, gram.lda = gram.ldb = P, gram.c = r->gram, gram.ldc = R;
    op->matmul(be, &gram);
    gram_penalty_args penalty = {.models = M, .features = R, .grad_scale = 1, .c = r->c};
    penalty.lambda = r->lambda, penalty.lambda_stride = 1, penalty.gram = r->gram, penalty.s = r->s;
    penalty.dc = r->dc, penalty.loss = r->loss;
    op->gram_penalty(be, &penalty);
    softmax_args softmax = {M, B, C, r->logits, r->logits, r->e};
    op->softmax(be, &softmax);
}

/* All outputs of STEPS steps, one after the other. */
static float *outputs_of(int threads, int64_t *total)
{
    run r = run_open(threads);
    for (int t = 0; t < STEPS; t++) {
        forward(&r);
        backward(&r);
        factored(&r);
        optimise(&r);
    }
    cr_assert_eq(read_guard(&r.d, r.guard).halted, 0);
    const struct {
        const void *memory;
        int64_t floats;
    } part[] = {{r.head, R * P},        {r.theta, M * P},      {r.grad, M * P},
                {r.moment1, R * P},     {r.moment2, R * P},    {r.own_moment1, R * P},
                {r.own_moment2, M * P}, {r.logits, M * B * C}, {r.mixed, M * B * H},
                {r.e, M * B * H},       {r.dc, M * R},         {r.gram, R * R},
                {r.s, R * R},           {r.loss, 2 * M},       {r.score, 2 * M * AM_SCORE_COLUMNS}};
    *total = 0;
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        *total += part[i].floats;
    float *all = malloc((size_t)*total * sizeof *all), *at = all;
    cr_assert_not_null(all);
    for (size_t i = 0; i < sizeof part / sizeof *part; at += part[i++].floats) {
        am_error err;
        cr_assert_eq(
            r.d.op->download(r.d.be, at, part[i].memory, (size_t)part[i].floats * sizeof *at, &err),
            AM_OK, "%s", err.message);
    }
    device_close(&r.d);
    return all;
}

Test(cpu_threads, same_bits_for_any_number_of_threads)
{
    int64_t total;
    float *want = outputs_of(1, &total);
    for (int threads = 2; threads <= 5; threads += threads == 3 ? 2 : 1) {
        float *got = outputs_of(threads, &total);
        for (int64_t i = 0; i < total; i++)
            cr_assert_eq(memcmp(got + i, want + i, sizeof *got), 0, "%d threads: float %lld",
                         threads, (long long)i);
        free(got);
    }
    free(want);
}
