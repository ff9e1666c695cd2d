/* pass — models run over a set of rows, tile by tile. */
#ifndef AM_PASS_H
#define AM_PASS_H

#include "tune/evaluate.h"

typedef struct {
    const model_set *set;
    const device_rows *rows;
    int tile;        /* most rows of a tile */
    int networks;    /* E */
    generator one;   /* the network whose turn it is */
    plan plan;       /* generator */
    network net;     /* explicit θ */
    dev_f32 *logits; /* several networks: (E, M, tile, C) */
    dev_f32 *mean;   /* … (M, tile, C) */
    dev_f32 *share;  /* … (E), 1/E each */
    dev_f32 *x, *target;
    dev_i32 *label;
} pass;

am_status pass_open(pass *p, const model_set *set, const device_rows *rows, am_error *err);
void pass_close(pass *p);
/* Gathers rows first..first+count and runs all models on them: their logits (E,M,count,C). */
dev_f32 *pass_logits(pass *p, int64_t first, int count);
/* Mean over the networks of values (E,M,count,C): (M,count,C); of one network the values themselves. */
dev_f32 *pass_mean(pass *p, dev_f32 *values, int count);

static inline int pass_outputs(const pass *p)
{
    return p->set->t->size[p->set->t->layers];
}
static inline bool pass_classes(const pass *p)
{
    return p->set->t->loss == LOSS_CROSS_ENTROPY;
}

#endif
