/* components — a problem in the Q leading principal components of its inputs, not centred: with V (d,Q)
 * orthonormal, x ≈ VVᵀx, a network whose first layer is W sees Vᵀx through WV. What is left out are
 * directions in which the inputs hardly vary; nothing is where Q is at least d. */
#ifndef AM_COMPONENTS_H
#define AM_COMPONENTS_H

#include "model/device_rows.h"
#include "model/target.h"

typedef struct {
    backend *be;
    const target *full;
    target t;                /* Q–h1–…–C; P' parameters */
    const device_data *data; /* (n,d) */
    device_rows rows;        /* the same rows with inputs (n,Q): a view but for these */
    int kept;                /* Q; 0: all inputs, everything is the full problem's */
    dev_f32 *basis, *square; /* (d,Q) V, leading component first; V∘V */
    dev_f32 *x;              /* (n,Q) */
    int tile;                /* most rows at once */
    dev_f32 *raw;            /* (tile,d) */
} components;

/* The target in `kept` components: that of the problem where these are no fewer than its inputs. */
am_status components_target(const target *full, int kept, target *t, am_error *err);

am_status components_open(components *c, backend *be, const target *full, const device_rows *data,
                          int kept, am_error *err);
void components_close(components *c); /* safe on a zeroed one */

/* The basis, from the rows index (count), and the inputs of all rows in it. Once, before what follows. */
am_status components_find(components *c, const dev_u32 *index, int count, am_error *err);

/* own (count,P') = networks θ (count,P) restricted to the components. */
void components_restrict(const components *c, int count, const dev_f32 *theta, dev_f32 *own);
/* The reverse, θ (count,P) ← own (count,P'): nothing in the directions that are left out. */
void components_embed(const components *c, int count, const dev_f32 *own, dev_f32 *theta);
/* The diagonal of diag(m), m (P), in the components: own (P'). */
void components_diagonal(const components *c, const dev_f32 *m, dev_f32 *own);

#endif
