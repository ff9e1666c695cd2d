#include "regions.h"

#include <string.h>

int64_t operand_span(const operand *o)
{
    return (o->batch - 1) * o->batch_stride + (o->rows - 1) * o->row_stride + o->columns;
}

/* ---- draws and data -------------------------------------------------------------------------- */

static void describe_draw_lambda(const op_call *c, const draw_lambda_args *a, op_use *u)
{
    int64_t n = (int64_t)a->draws * a->groups;
    BITS(step, READ, 8, flat(1));
    BITS(lambda, WRITTEN, 4, flat(n));
    BITS(u, WRITTEN, 4, flat(n));
    u->flops = 30.0 * (double)n;
    SHAPE("M=%d G=%d", a->draws, a->groups);
}

static void describe_draw_omega(const op_call *c, const draw_omega_args *a, op_use *u)
{
    int64_t n = a->draws * a->blocks;
    BITS(step, READ, 8, flat(1));
    BITS(omega, WRITTEN, 4, flat(n));
    BITS(omega0, WRITTEN, 4, flat(a->draws));
    u->flops = 40.0 * (double)n;
    SHAPE("M=%d K=%lld", a->draws, (long long)a->blocks);
}

static void describe_scale_lambda(const op_call *c, const scale_lambda_args *a, op_use *u)
{
    int64_t n = (int64_t)a->draws * a->groups;
    F32(omega0, READ, flat(a->draws));
    F32(lambda, UPDATED, flat(n));
    F32(u, WRITTEN, flat(n));
    u->flops = 30.0 * (double)n;
    SHAPE("M=%d G=%d", a->draws, a->groups);
}

static void describe_draw_rows(const op_call *c, const draw_rows_args *a, op_use *u)
{
    BITS(step, READ, 8, flat(1));
    BITS(index, WRITTEN, 4, flat((int64_t)a->sets * a->rows));
    SHAPE("S=%d B=%d n=%lld", a->sets, a->rows, (long long)a->n);
}

/* The data as a whole is where the rows come from; what is moved are the rows. */
static void rows_of_data(op_use *u, double bytes)
{
    operand *o = &u->at[u->count - 1];
    u->bytes += bytes - o->moved;
    o->moved = bytes;
}

static void describe_gather(const op_call *c, const gather_args *a, op_use *u)
{
    const device_data *d = &c->data;
    int64_t n = d->n, inputs = d->inputs, count = a->count;
    double values = (double)count * (double)inputs;
    add(u, c, "bytes", &c->data.bytes, READ, VALUE_BITS, 1, flat(n * inputs));
    if (d->bytes != NULL)
        rows_of_data(u, values);
    add(u, c, "floats", &c->data.floats, READ, VALUE_F32, 4, flat(n * inputs));
    if (d->floats != NULL)
        rows_of_data(u, 4 * values);
    if (a->label != NULL) {
        add(u, c, "labels", &c->data.label, READ, VALUE_BITS, 4, flat(n));
        rows_of_data(u, 4.0 * (double)count);
    }
    BITS(index, READ, 4, flat(count));
    F32(x, WRITTEN, flat(count * inputs));
    BITS(label, WRITTEN, 4, flat(count));
    u->flops = 2 * values;
    SHAPE("rows=%lld d=%d %s", (long long)count, d->inputs, d->bytes != NULL ? "bytes" : "floats");
}

static void describe_row_weights(const op_call *c, const row_weights_args *a, op_use *u)
{
    int64_t n = (int64_t)a->models * a->rows;
    add(u, c, "block", &c->data.block, READ, VALUE_BITS, 4, flat(c->data.n));
    rows_of_data(u, 4.0 * (double)(a->sets * a->rows));
    BITS(index, READ, 4, flat((int64_t)a->sets * a->rows));
    F32(omega, READ, flat(a->models * a->blocks));
    F32(weight, WRITTEN, flat(n));
    SHAPE("M=%d B=%d K=%lld", a->models, a->rows, (long long)a->blocks);
}

/* ---- products -------------------------------------------------------------------------------- */

static void describe_matmul(const op_call *c, const matmul_args *a, op_use *u)
{
    int64_t ar = a->transpose_a ? a->k : a->m, ac = a->transpose_a ? a->m : a->k;
    int64_t br = a->transpose_b ? a->n : a->k, bc = a->transpose_b ? a->k : a->n;
    F32(a, READ, ((region){a->batch, a->a_stride, ar, a->lda, ac}));
    F32(b, READ, ((region){a->batch, a->b_stride, br, a->ldb, bc}));
    F32(c, a->beta == 0.0f ? WRITTEN : UPDATED,
        ((region){a->batch, a->c_stride, a->m, a->ldc, a->n}));
    u->flops = 2.0 * a->batch * (double)a->m * (double)a->n * (double)a->k;
    SHAPE("%d× %lld×%lld×%lld%s%s", a->batch, (long long)a->m, (long long)a->n, (long long)a->k,
          a->transpose_a ? " Aᵀ" : "", a->transpose_b ? " Bᵀ" : "");
}

static void describe_linear_forward(const op_call *c, const linear_forward_args *a, op_use *u)
{
    int64_t models = a->models;
    F32(x, READ, ((region){models, a->x_stride, a->rows, a->ldx, a->in}));
    F32(weight, READ, tensor(models, a->weight_stride, a->out, a->in));
    F32(bias, READ, tensor(models, a->bias_stride, 1, a->out));
    F32(y, WRITTEN, ((region){models, a->y_stride, a->rows, a->ldy, a->out}));
    u->flops = 2.0 * a->models * a->rows * (double)a->in * a->out;
    SHAPE("M=%d B=%d %d→%d%s", a->models, a->rows, a->in, a->out,
          a->x_stride == 0 ? " shared x" : "");
}

static void describe_linear_backward(const op_call *c, const linear_backward_args *a, op_use *u)
{
    int64_t models = a->models;
    operand_role add_to = a->accumulate ? UPDATED : WRITTEN;
    region y = {models, a->y_stride, a->rows, a->ldy, a->out};
    F32(x, READ, ((region){models, a->x_stride, a->rows, a->ldx, a->in}));
    if (a->dx != NULL)
        F32(weight, READ, tensor(models, a->weight_stride, a->out, a->in));
    if (a->act != ACT_NONE)
        F32(y, READ, y);
    F32(dy, a->act != ACT_NONE ? UPDATED : READ, y);
    F32(dweight, add_to, tensor(models, a->dweight_stride, a->out, a->in));
    F32(dbias, add_to, tensor(models, a->dbias_stride, 1, a->out));
    F32(dx, WRITTEN, ((region){models, a->dx_stride, a->rows, a->lddx, a->in}));
    u->flops = 2.0 * ((a->dweight != NULL) + (a->dx != NULL)) * a->models * a->rows *
               (double)a->in * a->out;
    SHAPE("M=%d B=%d %d→%d%s", a->models, a->rows, a->in, a->out, a->dx != NULL ? " dx" : "");
}

static void describe_mix_forward(const op_call *c, const mix_forward_args *a, op_use *u)
{
    F32(c, READ, flat((int64_t)a->models * a->features));
    F32(z, READ, flat(a->features * a->count));
    F32(a, WRITTEN, flat(a->models * a->count));
    u->flops = 2.0 * a->models * a->features * (double)a->count;
    SHAPE("M=%d R=%d count=%lld", a->models, a->features, (long long)a->count);
}

static void describe_mix_backward(const op_call *c, const mix_backward_args *a, op_use *u)
{
    F32(c, READ, flat((int64_t)a->models * a->features));
    if (a->dc != NULL)
        F32(z, READ, flat(a->features * a->count));
    if (a->act != ACT_NONE)
        F32(a, READ, flat(a->models * a->count));
    F32(da, a->act != ACT_NONE ? UPDATED : READ, flat(a->models * a->count));
    F32(e, WRITTEN, flat(a->features * a->count));
    F32(dc, UPDATED, flat((int64_t)a->models * a->features));
    u->flops = 2.0 * (a->dc != NULL ? 2 : 1) * a->models * a->features * (double)a->count;
    SHAPE("M=%d R=%d count=%lld", a->models, a->features, (long long)a->count);
}

/* ---- features -------------------------------------------------------------------------------- */

static void describe_basis_forward(const op_call *c, const basis_forward_args *a, op_use *u)
{
    int64_t columns = 1 + a->terms + a->omega_columns;
    BITS(degree, READ, 4, flat((int64_t)a->terms * a->groups));
    F32(u, READ, flat((int64_t)a->draws * a->groups));
    F32(omega, READ, flat(a->draws * a->omega_columns));
    if (a->input_omega > 0)
        F32(omega_in, READ, flat((int64_t)a->draws * a->input_omega));
    F32(c, WRITTEN, matrix(a->draws, columns, a->features));
    F32(input, WRITTEN, flat((int64_t)a->draws * (a->groups + a->input_omega)));
    SHAPE("M=%d R=%d G=%d", a->draws, a->features, a->groups);
}

static void describe_basis_backward(const op_call *c, const basis_backward_args *a, op_use *u)
{
    BITS(degree, READ, 4, flat((int64_t)a->terms * a->groups));
    F32(u, READ, flat((int64_t)a->draws * a->groups));
    F32(dc, READ, flat((int64_t)a->draws * a->features));
    F32(du, UPDATED, flat((int64_t)a->draws * a->groups));
    SHAPE("M=%d R=%d G=%d", a->draws, a->features, a->groups);
}

/* ---- losses ---------------------------------------------------------------------------------- */

static void describe_loss(const op_call *c, const loss_args *a, op_use *u)
{
    int64_t models = a->models, rows = a->rows, values = models * rows * a->outputs;
    F32(logits, READ, flat(values));
    if (a->kind == LOSS_CROSS_ENTROPY)
        BITS(label, READ, 4, ((region){models, a->label_stride, 1, 0, rows}));
    else
        F32(target, READ, ((region){models, a->target_stride, 1, 0, rows * a->outputs}));
    F32(weight, READ, flat(models * rows));
    F32(dlogits, WRITTEN, flat(values));
    F64(loss, UPDATED, flat(models));
    u->flops = 12.0 * (double)values;
    SHAPE("M=%d B=%d C=%d", a->models, a->rows, a->outputs);
}

static void describe_l2_penalty(const op_call *c, const l2_penalty_args *a, op_use *u)
{
    int64_t models = a->models, last = a->groups.begin[a->groups.count];
    F32(lambda, READ, flat(models * a->groups.count));
    F32(theta, READ, tensor(models, a->theta_stride, 1, last));
    F32(dtheta, UPDATED, tensor(models, a->dtheta_stride, 1, last));
    F64(loss, UPDATED, flat(models));
    u->flops = 4.0 * (double)models * (double)(last - a->groups.begin[0]);
    SHAPE("M=%d P=%lld G=%d", a->models, (long long)last, a->groups.count);
}

static void describe_gram_penalty(const op_call *c, const gram_penalty_args *a, op_use *u)
{
    int64_t models = a->models, r = a->features;
    F32(c, READ, flat(models * r));
    F32(lambda, READ, matrix(models, 1, a->lambda_stride));
    F32(gram, READ, flat(r * r));
    F32(s, WRITTEN, flat(r * r));
    F32(dc, UPDATED, flat(models * r));
    F64(loss, UPDATED, flat(models));
    u->flops = 5.0 * (double)models * (double)(r * r);
    SHAPE("M=%d R=%d", a->models, a->features);
}

/* ---- Gauss–Newton products ---------------------------------------------------------------------- */

static void describe_slope(const op_call *c, const slope_args *a, op_use *u)
{
    F32(y, READ, flat(a->count));
    F32(t, UPDATED, flat(a->vectors * a->count));
    u->flops = 2.0 * a->vectors * (double)a->count;
    SHAPE("K=%d count=%lld", a->vectors, (long long)a->count);
}

static void describe_curvature(const op_call *c, const curvature_args *a, op_use *u)
{
    int64_t values = (int64_t)a->rows * a->outputs;
    F32(logits, READ, flat(values));
    F32(t, UPDATED, flat(a->vectors * values));
    u->flops = 5.0 * a->vectors * (double)values;
    SHAPE("K=%d B=%d C=%d", a->vectors, a->rows, a->outputs);
}

static void describe_add_diagonal(const op_call *c, const add_diagonal_args *a, op_use *u)
{
    F32(d, READ, flat(a->count));
    F32(x, READ, flat(a->vectors * a->count));
    F32(y, UPDATED, flat(a->vectors * a->count));
    u->flops = 4.0 * a->vectors * (double)a->count;
    SHAPE("K=%d count=%lld", a->vectors, (long long)a->count);
}

/* ---- optimisation ---------------------------------------------------------------------------- */

static void rule_operands(const op_call *c, const adam_rule *a, op_use *u)
{
    BITS(step, READ, 8, flat(1));
    BITS(guard, READ, sizeof(guard_state), flat(1));
}

static void describe_guard(const op_call *c, const guard_args *a, op_use *u)
{
    F32(grad, READ, flat(a->rows * a->columns));
    F32(c, READ, flat(a->rows * a->features));
    F64(loss, READ, flat(a->losses));
    BITS(step, READ, 8, flat(1));
    F64(guard, UPDATED, flat(2)); /* norm and clip factor */
    u->flops = (a->c != NULL && a->rows > 1 ? (double)a->rows : 1.0) * 2.0 * (double)a->rows *
               (double)a->columns;
    SHAPE("%lld×%lld%s", (long long)a->rows, (long long)a->columns, a->c != NULL ? " outer" : "");
}

static void describe_adam(const op_call *c, const adam_args *a, op_use *u)
{
    int64_t n = a->rows * a->columns;
    rule_operands(c, &a->rule, u);
    F32(rate_scale, READ, flat(a->rows));
    F32(grad, READ, flat(n));
    F32(theta, UPDATED, flat(n));
    F32(moment1, UPDATED, flat(n));
    F32(moment2, UPDATED, flat(n));
    u->flops = 15.0 * (double)n;
    SHAPE("%lld×%lld", (long long)a->rows, (long long)a->columns);
}

static void describe_adam_outer(const op_call *c, const adam_outer_args *a, op_use *u)
{
    int64_t n = a->features * a->params;
    rule_operands(c, &a->rule, u);
    F32(c, READ, flat((int64_t)a->models * a->features));
    F32(grad, READ, flat(a->models * a->params));
    F32(theta, UPDATED, flat(n));
    F32(moment1, UPDATED, flat(n));
    F32(moment2, UPDATED, flat(n));
    u->flops = (2.0 * a->models + 15.0) * (double)n;
    SHAPE("M=%d R=%d P=%lld", a->models, a->features, (long long)a->params);
}

static void describe_collocation(const op_call *c, const collocation_args *a, op_use *u)
{
    int64_t models = a->models * a->params, n = a->features * a->params;
    rule_operands(c, &a->rule, u);
    F32(u, READ, flat((int64_t)a->models * a->groups));
    F32(c, READ, flat((int64_t)a->models * a->features));
    F32(grad, READ, flat(models));
    F32(theta, UPDATED, flat(n));
    F32(moment1, UPDATED, flat(n));
    F32(moment2, UPDATED, flat(models));
    u->flops =
        (double)a->params * (2.0 * a->models * a->features + 12.0 * a->models + 4.0 * a->features);
    SHAPE("M=%d R=%d P=%lld", a->models, a->features, (long long)a->params);
}

/* ---- evaluation ------------------------------------------------------------------------------ */

static void describe_score(const op_call *c, const score_args *a, op_use *u)
{
    int64_t values = (int64_t)a->models * a->rows * a->outputs;
    F32(output, READ, flat(values));
    BITS(label, READ, 4, flat(a->rows));
    F32(target, READ, flat((int64_t)a->rows * a->outputs));
    F64(score, UPDATED, flat((int64_t)a->models * AM_SCORE_COLUMNS));
    u->flops = 20.0 * (double)values;
    SHAPE("M=%d B=%d C=%d", a->models, a->rows, a->outputs);
}

static void describe_softmax(const op_call *c, const softmax_args *a, op_use *u)
{
    int64_t values = (int64_t)a->models * a->rows * a->outputs;
    F32(logits, READ, flat(values));
    F32(probability, WRITTEN, flat(values));
    F32(mean, WRITTEN, flat((int64_t)a->rows * a->outputs));
    u->flops = 10.0 * (double)values;
    SHAPE("M=%d B=%d C=%d", a->models, a->rows, a->outputs);
}

void op_describe(const op_call *call, op_use *use)
{
    memset(use, 0, sizeof *use);
    switch (call->op) {
#define BENCH_DESCRIBE(name)                                                                       \
    case OP_##name:                                                                                \
        describe_##name(call, &call->args.name, use);                                              \
        break;
        BENCH_OPS(BENCH_DESCRIBE)
#undef BENCH_DESCRIBE
    default:
        break;
    }
}
