#include "train/train.h"

am_status batch_open(batch_buffers *b, backend *be, const device_rows *rows, uint64_t seed,
                     int models, int count, int sets, int64_t blocks, const dev_u64 *step,
                     am_error *err)
{
    const device_data *d = &rows->data;
    size_t examples = (size_t)sets * (size_t)count;
    *b = (batch_buffers){.be = be,
                         .rows = rows,
                         .seed = seed,
                         .models = models,
                         .count = count,
                         .sets = sets,
                         .blocks = blocks,
                         .step = step};
    b->index = be->op->alloc(be, examples * sizeof(uint32_t), "minibatch");
    b->x = be->op->alloc(be, examples * (size_t)d->inputs * sizeof(float), "minibatch");
    if (d->label != NULL)
        b->label = be->op->alloc(be, examples * sizeof(int32_t), "minibatch");
    else
        b->target = be->op->alloc(be, examples * (size_t)d->outputs * sizeof(float), "minibatch");
    b->weight = be->op->alloc(be, sizeof(float) * (size_t)models * (size_t)count, "minibatch");
    am_status status = be->op->sync(be, err);
    if (status != AM_OK)
        batch_close(b);
    return status;
}

void batch_close(batch_buffers *b)
{
    if (b->be == NULL)
        return;
    void *owned[] = {b->index, b->x, b->label, b->target, b->weight};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        b->be->op->release(b->be, owned[i]);
    *b = (batch_buffers){0};
}

minibatch batch_next(batch_buffers *b, const dev_f32 *lambda, const dev_f32 *omega,
                     double grad_scale)
{
    backend *be = b->be;
    const device_data *data = &b->rows->data;
    draw_rows_args rows = {.seed = b->seed,
                           .n = data->n,
                           .rows = b->count,
                           .sets = b->sets,
                           .shift = b->shift,
                           .step = b->step,
                           .index = b->index};
    be->op->draw_rows(be, &rows);
    gather_args gather = {.data = data,
                          .index = b->index,
                          .count = (int64_t)b->sets * b->count,
                          .x = b->x,
                          .label = b->label,
                          .target = b->target};
    be->op->gather(be, &gather);
    for (int s = 0; omega != NULL && s < b->sets; s++) {
        int models = b->models / b->sets;
        int64_t first = s * models;
        row_weights_args weights = {.data = data,
                                    .index = u32_at(b->index, (int64_t)s * b->count),
                                    .models = models,
                                    .rows = b->count,
                                    .sets = 1,
                                    .blocks = b->blocks,
                                    .omega = f32_at(omega, first * b->blocks),
                                    .weight = f32_at(b->weight, first * b->count)};
        be->op->row_weights(be, &weights);
    }
    return (minibatch){
        .models = b->models,
        .rows = b->count,
        .sets = b->sets,
        .x = b->x,
        .label = b->label,
        .target = b->target,
        .weight = omega != NULL ? b->weight : NULL,
        .lambda = lambda,
        .divisor = b->count,
        .grad_scale = grad_scale,
    };
}
