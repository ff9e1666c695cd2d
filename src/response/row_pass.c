#include "response/row_pass.h"

am_status row_pass_open(row_pass *p, backend *be, const target *t, int networks,
                        const device_rows *rows, int tile, am_error *err)
{
    const device_data *d = &rows->data;
    *p = (row_pass){.be = be, .rows = rows, .tile = (int)AM_MIN((int64_t)tile, d->n)};
    size_t most = (size_t)p->tile;
    if (d->block == NULL)
        return am_fail(err, AM_ERR_INTERNAL, "response: training rows with blocks are needed");
    p->x = be->op->alloc(be, most * (size_t)d->inputs * sizeof(float), "rows");
    if (d->label != NULL)
        p->label = be->op->alloc(be, most * sizeof(int32_t), "labels");
    else
        p->target = be->op->alloc(be, most * (size_t)d->outputs * sizeof(float), "targets");
    p->loss = be->op->alloc(be, sizeof(double) * (size_t)networks, "loss");
    AM_TRY(be->op->sync(be, err));
    return network_open(&p->net, be, t, networks, p->tile, true, err);
}

void row_pass_close(row_pass *p)
{
    if (p->be == NULL)
        return;
    void *owned[] = {p->x, p->target, p->label, p->loss};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        p->be->op->release(p->be, owned[i]);
    network_close(&p->net);
    *p = (row_pass){0};
}

static network_input input_of(const row_pass *p)
{
    return (network_input){p->x, 1, p->count, p->net.models};
}

void row_pass_forward(row_pass *p, const dev_u32 *index, int64_t first, int count, dev_f32 *theta)
{
    gather_args gather = {.data = &p->rows->data,
                          .index = index,
                          .first = first,
                          .count = count,
                          .x = p->x,
                          .label = p->label,
                          .target = p->target};
    p->be->op->gather(p->be, &gather);
    p->count = count;
    network_input in = input_of(p);
    network_forward(&p->net, &in, (theta_view){theta, p->net.t->params}, 0);
}

void row_pass_backward(row_pass *p, const dev_f32 *weight, dev_f32 *theta, theta_view to)
{
    const target *t = p->net.t;
    loss_args loss = {.kind = t->loss,
                      .models = p->net.models,
                      .rows = p->count,
                      .outputs = t->size[t->layers],
                      .divisor = (double)p->rows->data.n,
                      .grad_scale = 1,
                      .logits = network_logits(&p->net),
                      .label = p->label,
                      .target = p->target,
                      .weight = weight,
                      .dlogits = network_dlogits(&p->net),
                      .loss = p->loss};
    p->be->op->loss(p->be, &loss);
    network_input in = input_of(p);
    network_backward(&p->net, &in, (theta_view){theta, t->params}, to, 0, true);
}
