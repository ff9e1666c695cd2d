/* args — what every op of the backend takes: shapes, equations, ownership. Letters, layout and the
 * rules common to all ops are those of backend.h. */
#ifndef AM_BACKEND_ARGS_H
#define AM_BACKEND_ARGS_H

#include "backend/pointers.h"
#include "base/base.h"
#include "draw/axis.h"

enum {
    AM_MAX_GROUPS = 16,
    AM_ECE_BINS = 15,
    AM_MAX_COLLOCATION = 256 /* features */,
    AM_MAX_NODES = 16
};

/* ---- draws ----------------------------------------------------------------------------------- */

typedef enum {
    LAMBDA_STRATIFIED, /* u uniform: one point in each of M equal strata, per group a permutation */
    LAMBDA_NODES /* u_j = cos(π·t_j), t_j = ½ + stretch·((j+φ)/M − ½) clamped to [0, 1],
                          φ uniform on (0,1), per group its own; see draw_lambda_args */
} lambda_kind;

/* λ of M draws at *step: u on the axis of its group (draw/axis.h), λ_g = λ(u_g).
 * Nodes: draw m of the first group has the same node at every step, j = (m mod M/S)·S + ⌊m/(M/S)⌋, so
 * that neighbouring nodes belong to different sets of M/S draws (S = sets, a divisor of M); the other
 * groups take the nodes in a random order. stretch > 1 makes nodes at the ends of the range likely. */
typedef struct {
    lambda_kind kind;
    int sets;       /* S ≥ 1 */
    double stretch; /* ≥ 1 */
    uint64_t seed;
    int draws, groups; /* M, G */
    lambda_axis axis[AM_MAX_GROUPS];
    const dev_u64 *step;
    dev_f32 *lambda; /* (M, G) out */
    dev_f32 *u;      /* (M, G) out, in [−1, 1] */
} draw_lambda_args;

typedef enum {
    OMEGA_ONES,
    OMEGA_DIRICHLET,   /* K·Dirichlet(α·1) */
    OMEGA_EXPONENTIAL, /* −ln uniform */
    OMEGA_MULTINOMIAL, /* counts of K draws from K blocks */
    OMEGA_FOLD         /* draw (step·M+m) mod K: 0 on that block, K/(K−1) on the others */
} omega_kind;

/* ω of M draws at *step; E[ω_b] = 1 for every kind. */
typedef struct {
    omega_kind kind;
    uint64_t seed;
    double alpha;   /* dirichlet's concentration */
    int draws;      /* M */
    int64_t blocks; /* K */
    const dev_u64 *step;
    dev_f32 *omega;  /* (M, K) out */
    dev_f32 *omega0; /* (M) out: random penalty weight −ln uniform; NULL when not used */
} draw_omega_args;

/* Random penalty weight: λ_mg ← ω₀_m·λ_mg; u_mg ← u(λ_mg) on the group's axis, clamped to [−1, 1]. */
typedef struct {
    int draws, groups;
    lambda_axis axis[AM_MAX_GROUPS];
    const dev_f32 *omega0; /* (M) */
    dev_f32 *lambda, *u;   /* (M, G) in/out */
} scale_lambda_args;

/* Minibatch of *step: position p = step·B + shift + i of an endless stream of epochs; epoch e = p/n
 * uses the keyed permutation (seed, e, set). Sets are independent orders. */
typedef struct {
    uint64_t seed;
    int64_t n;
    int rows, sets; /* B, S */
    int64_t shift;  /* where earlier steps had other rows; step·B + shift ≥ 0 */
    const dev_u64 *step;
    dev_u32 *index; /* (S, B) out */
} draw_rows_args;

/* ---- data ------------------------------------------------------------------------------------ */

/* x = scale·raw + shift, for images as bytes; scale 1 and shift 0 for floats. */
typedef struct {
    const dev_u8 *bytes;   /* (n, d) or NULL */
    const dev_f32 *floats; /* (n, d) or NULL; exactly one of the two */
    int64_t n;
    int inputs; /* d */
    float scale, shift;
    const dev_i32 *label;  /* (n) classes, or NULL */
    const dev_f32 *target; /* (n, C) reals, or NULL */
    int outputs;           /* C */
    const dev_u32 *block;  /* (n) block of each row, or NULL */
} device_data;

/* Rows index[0..count) of the data; index NULL takes rows first, first+1, … */
typedef struct {
    const device_data *data;
    const dev_u32 *index; /* (count) or NULL */
    int64_t first, count;
    dev_f32 *x;      /* (count, d) out, normalised */
    dev_i32 *label;  /* (count) out, or NULL */
    dev_f32 *target; /* (count, C) out, or NULL */
} gather_args;

/* weight[m][b] = omega[m][block[row b]] */
typedef struct {
    const device_data *data;
    const dev_u32 *index; /* (S, B) or NULL: rows first.. */
    int64_t first;
    int models, rows;     /* M, B */
    int sets;             /* S: 1 or M */
    int64_t blocks;       /* K */
    const dev_f32 *omega; /* (M, K) */
    dev_f32 *weight;      /* (M, B) out */
} row_weights_args;

/* ---- linear algebra -------------------------------------------------------------------------- */

/* C_i = alpha·op(A_i)·op(B_i) + beta·C_i for i < batch; op(A) is m×k, op(B) is k×n. */
typedef struct {
    int batch;
    bool transpose_a, transpose_b;
    int64_t m, n, k;
    float alpha, beta;
    const dev_f32 *a;
    int64_t lda, a_stride;
    const dev_f32 *b;
    int64_t ldb, b_stride;
    dev_f32 *c;
    int64_t ldc, c_stride;
} matmul_args;

typedef enum { ACT_NONE, ACT_RELU, ACT_TANH } activation;

/* Y_m = act(X_m W_mᵀ + 1 b_mᵀ);  X (B,in), W (out,in), b (out), Y (B,out). */
typedef struct {
    int models, rows, in, out;
    activation act;
    const dev_f32 *x;
    int64_t ldx, x_stride;
    const dev_f32 *weight, *bias; /* bias may be NULL */
    int64_t weight_stride, bias_stride;
    dev_f32 *y;
    int64_t ldy, y_stride;
} linear_forward_args;

/* dA_m = act'(Y_m)∘dY_m (in place in dy);  dW_m = dA_mᵀX_m;  db_m = 1ᵀdA_m;  dX_m = dA_m W_m.
 * act' is taken from the output: relu 1[y>0], tanh 1−y². */
typedef struct {
    int models, rows, in, out;
    activation act;
    const dev_f32 *x;
    int64_t ldx, x_stride;
    const dev_f32 *weight;
    int64_t weight_stride;
    const dev_f32 *y; /* may be NULL when act is ACT_NONE */
    int64_t ldy, y_stride;
    dev_f32 *dy;              /* in: dL/dY; out: dL/dA; same layout as y */
    bool accumulate;          /* add to dweight, dbias instead of overwriting */
    dev_f32 *dweight, *dbias; /* both NULL: only dx */
    int64_t dweight_stride, dbias_stride;
    dev_f32 *dx; /* NULL: not wanted; always overwritten */
    int64_t lddx, dx_stride;
} linear_backward_args;

/* Factored first layer (METHOD §3): A_m = act(Σ_k c_mk Z_k), Z_k (count) flat. */
typedef struct {
    int models, features;
    int64_t count; /* B·H */
    activation act;
    const dev_f32 *c; /* (M, R) */
    const dev_f32 *z; /* (R, count) */
    dev_f32 *a;       /* (M, count) out */
} mix_forward_args;

/* dA ← act'(A)∘dA in place;  E_k = Σ_m c_mk dA_m (into e);  dc_mk += ⟨dA_m, Z_k⟩. */
typedef struct {
    int models, features;
    int64_t count;
    activation act;
    const dev_f32 *c, *z, *a;
    dev_f32 *da; /* (M, count) in: dL/dA after activation; out: before */
    dev_f32 *e;  /* (R, count) out */
    dev_f32 *dc; /* (M, R), added to; NULL: not wanted */
} mix_backward_args;

/* ---- features -------------------------------------------------------------------------------- */

typedef enum { BASIS_NONE, BASIS_POLYNOMIAL, BASIS_CHEBYSHEV } basis_kind;

/* Fixed columns of c and the input of a feature network:
 *   c[m][0] = 1
 *   c[m][1+t] = Π_g T_{degree[t][g]}(u_mg)                         t < terms  (T_j(u)=u^j or Chebyshev)
 *   c[m][1+terms+b] = omega_scale·(ω_mb − 1)                        b < omega_columns (0 or K)
 *   or, with N nodes v_j: c[m][1+terms+jK+b] = ℓ_j(u_m)·omega_scale·(ω_mb − 1), ℓ_j Lagrange's
 *   polynomial that is 1 at v_j and 0 at the other nodes (lagrange.h; one penalty group only)
 *   input[m] = (u_m1..u_mG, ω_m1 − centre .. ω_mI − centre)         when input is not NULL,
 * input's ω part coming from `omega_in` (I columns; it is ω itself or a linear embedding of ω−1). */
typedef struct {
    basis_kind kind;
    int draws, groups, features; /* M, G, R = leading dimension of c */
    int terms;
    const dev_i32 *degree; /* (terms, G) */
    int64_t omega_columns;
    float omega_scale;
    int nodes; /* N; 0: plain columns of ω */
    double node[AM_MAX_NODES];
    const dev_f32 *u;     /* (M, G) */
    const dev_f32 *omega; /* (M, K) with K = omega_columns, or NULL when omega_columns = 0 */
    dev_f32 *c;           /* (M, R) out: the columns named above only */
    int input_omega;      /* I */
    float centre;
    const dev_f32 *omega_in; /* (M, I) or NULL when I = 0 */
    dev_f32 *input;          /* (M, G+I) out or NULL */
} basis_forward_args;

/* du_mg += Σ_t dc[m][1+t]·∂c[m][1+t]/∂u_mg */
typedef struct {
    basis_kind kind;
    int draws, groups, features, terms;
    const dev_i32 *degree;
    const dev_f32 *u;
    const dev_f32 *dc; /* (M, R) */
    dev_f32 *du;       /* (M, G), added to */
} basis_backward_args;

/* ---- losses ---------------------------------------------------------------------------------- */

typedef enum { LOSS_CROSS_ENTROPY, LOSS_SQUARED } loss_kind;

/* loss_m += (1/divisor) Σ_b w_mb ℓ(y_b, o_mb);   dO_mb = (grad_scale/divisor) w_mb ∂ℓ/∂o.
 * cross-entropy: ℓ = −log softmax(o)_y, in nats.  squared: ℓ = Σ_c (o_c − y_c)², no factor ½.
 * dlogits may alias logits, or be NULL (value only). */
typedef struct {
    loss_kind kind;
    int models, rows, outputs;
    double divisor, grad_scale; /* divisor: B for a minibatch, n for a pass over all data */
    const dev_f32 *logits;      /* (M, B, C) */
    const dev_i32 *label;       /* (S, B) for cross-entropy */
    const dev_f32 *target;      /* (S, B, C) for squared */
    int64_t label_stride, target_stride; /* between models; 0 when shared */
    const dev_f32 *weight;               /* (M, B) or NULL = 1 */
    dev_f32 *dlogits;                    /* (M, B, C) out or NULL */
    dev_f64 *loss;                       /* (M) added to */
} loss_args;

/* Penalty groups cut 0..P into G consecutive ranges [begin_g, begin_{g+1}). */
typedef struct {
    int count;
    int64_t begin[AM_MAX_GROUPS + 1];
} penalty_groups;

/* loss_m += Σ_g λ_mg‖θ_mg‖²;  dθ_mg += grad_scale·2λ_mg θ_mg (dtheta may be NULL). */
typedef struct {
    int models;
    penalty_groups groups;
    double grad_scale;
    const dev_f32 *lambda; /* (M, G) */
    const dev_f32 *theta;  /* (M, P) */
    int64_t theta_stride;
    dev_f32 *dtheta; /* (M, P) added to, or NULL */
    int64_t dtheta_stride;
    dev_f64 *loss; /* (M) added to, or NULL */
} l2_penalty_args;

/* The same through the Gram matrix of the head, for one group (METHOD §3, factored plan):
 *   S = grad_scale·2 Σ_m λ_m c_m c_mᵀ  (R,R) out: the caller adds S·Θ_group to dΘ
 *   loss_m += λ_m c_mᵀ gram c_m;   dc_m += grad_scale·2λ_m gram c_m */
typedef struct {
    int models, features;
    double grad_scale;
    const dev_f32 *c;      /* (M, R) */
    const dev_f32 *lambda; /* lambda[m·lambda_stride] */
    int64_t lambda_stride;
    const dev_f32 *gram; /* (R, R) = Θ_g Θ_gᵀ */
    dev_f32 *s;          /* (R, R) out */
    dev_f32 *dc;         /* (M, R) added to, or NULL */
    dev_f64 *loss;       /* (M) added to */
} gram_penalty_args;

/* ---- optimisation ---------------------------------------------------------------------------- */

typedef enum { SCHEDULE_CONSTANT, SCHEDULE_COSINE } schedule_kind;

/* lr(t), t = 0,1,…: peak·min(1,(t+1)/warmup)·shape, cosine shape ½(1+cos(π·(t−warmup)₊/(total−warmup)))
 * evaluated by draw/portable.h (schedule.h: schedule_rate), the same bits on every backend. */
typedef struct {
    schedule_kind kind;
    double peak;
    int64_t warmup, total; /* steps */
} schedule;

/* What the optimiser ops obey, written by `guard`: a halted run is frozen at its last good state. */
typedef struct {
    double norm;        /* gradient norm of the last step */
    double clip_factor; /* 1, or clip/norm */
    uint64_t halted;    /* 0, or 1 + the step at which loss or gradient was not finite */
} guard_state;
typedef struct dev_guard dev_guard; /* guard_state on the device */

/* norm² = Σ g² (or, with c, the norm of cᵀg, M×R by M×P, through the two M×M Gram matrices). */
typedef struct {
    int64_t rows, columns;
    const dev_f32 *grad; /* (rows, columns) */
    const dev_f32 *c; /* NULL, or (rows, features): the gradient is the outer product cᵀ·grad */
    int features;
    const dev_f64 *loss; /* (losses): all must be finite */
    int losses;
    double clip; /* 0: no clipping */
    const dev_u64 *step;
    dev_guard *guard; /* in/out */
} guard_args;

typedef struct {
    schedule rate;
    double beta1, beta2, epsilon;
    const dev_u64 *step; /* t = 0, 1, …; bias corrections use t+1 */
    const dev_guard *guard;
} adam_rule;

/* m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;  θ ← θ − lr·rate_scale·m̂/(√v̂+ε), g times clip_factor. */
typedef struct {
    adam_rule rule;
    int64_t rows, columns;     /* one row per model */
    const dev_f32 *rate_scale; /* (rows) or NULL = 1 */
    dev_f32 *theta;
    const dev_f32 *grad;
    dev_f32 *moment1, *moment2;
} adam_args;

/* Adam on Θ (R,P) whose gradient is the outer product Σ_m c_mk g_m, consumed on the fly and never
 * written. */
typedef struct {
    adam_rule rule;
    int models, features;
    int64_t params;             /* P */
    const dev_f32 *c;           /* (M, R) */
    const dev_f32 *grad;        /* (M, P), already scaled by 1/M */
    dev_f32 *theta;             /* (R, P) */
    dev_f32 *moment1, *moment2; /* (R, P) */
} adam_outer_args;

/* Collocation descent. Every draw j takes the step that Adam would give it alone, and the features
 * take the least-squares projection of these steps: with W = (cᵀc/M + ridge·I)⁻¹cᵀ/M  (R,M),
 *   v_j ← β₂v_j + (1−β₂)G_j²;  D_j = 2^(−tilt·ū_j)·G_j/(√v̂_j + ε), ū_j the mean of the draw's
 *   normalised log λ, which its u_j tell on the axis;
 *   m ← β₁m + (1−β₁)·W·D, the last `late` rows of W times `boost`;  Θ ← Θ − lr·m/(1−β₁ᵗ⁺¹). */
typedef struct {
    adam_rule rule;
    int models, features;
    int64_t params;
    int groups; /* G */
    double ridge, tilt;
    lambda_axis axis;    /* of every group; only a knee above 0 is looked at */
    int late;            /* 0..R: features that came late, to catch up */
    double boost;        /* > 0 where there are any */
    const dev_f32 *u;    /* (M, G) */
    const dev_f32 *c;    /* (M, R) */
    const dev_f32 *grad; /* (M, P): every model's own gradient, unscaled */
    dev_f32 *theta;      /* (R, P) */
    dev_f32 *moment1;    /* (R, P) */
    dev_f32 *moment2;    /* (M, P) */
} collocation_args;

/* ---- evaluation ------------------------------------------------------------------------------ */

/* Sums over the rows of a tile, added to `score`; one row of AM_SCORE_COLUMNS doubles a model. */
enum {
    SCORE_NLL,     /* Σ −log p_y, or Σ squared error for LOSS_SQUARED */
    SCORE_NLL2,    /* Σ (−log p_y)², or Σ (squared error)²: for standard errors */
    SCORE_CORRECT, /* number with argmax = label (first of equals); 0 for LOSS_SQUARED */
    SCORE_BRIER,   /* Σ_rows Σ_c (p_c − 1[c=y])² */
    SCORE_BINS, /* then 3 × AM_ECE_BINS: count, Σ confidence, Σ correct; bin = ⌈conf·15⌉−1 */
    AM_SCORE_COLUMNS = SCORE_BINS + 3 * AM_ECE_BINS
};
typedef struct {
    loss_kind kind;
    bool probabilities; /* `outputs` holds probabilities already, not logits */
    int models, rows, outputs;
    const dev_f32 *output; /* (M, B, C) */
    const dev_i32 *label;  /* (B) */
    const dev_f32 *target; /* (B, C) */
    dev_f64 *score;        /* (M, AM_SCORE_COLUMNS) added to */
} score_args;

/* probability = softmax(logits) over C; may alias. mean (B,C), if not NULL, gets the average over
 * the models. */
typedef struct {
    int models, rows, outputs;
    const dev_f32 *logits; /* (M, B, C) */
    dev_f32 *probability;  /* (M, B, C) out or NULL */
    dev_f32 *mean;         /* (B, C) out or NULL */
} softmax_args;

#endif
