/* train — fits a generator, or refits models from scratch, by the same loop. */
#ifndef AM_TRAIN_H
#define AM_TRAIN_H

#include "model/device_rows.h"
#include "model/objective.h"
#include "response/response.h"

/* ---- loop.c: runs recorded steps, watches, reports, saves -------------------------------------- */

typedef struct {
    const char *task;    /* "fit", "refit" */
    int64_t step, total; /* done so far, of how many */
    double loss;         /* mean over the models and over the steps since the last report */
    double norm;         /* gradient norm of the last step */
    double seconds;      /* since this run began */
    double seconds_left; /* estimate; NaN before the first steps */
} train_progress;

/* How the caller takes part; any pointer may be NULL. */
typedef struct {
    void *context;
    void (*progress)(void *context, const train_progress *progress);
    bool (*stop)(void *context); /* asked between chunks of steps: true ends the run */
    const char *checkpoint;      /* file to save to, now and then and on a stop */
    double checkpoint_seconds;   /* between saves; 0: only on a stop */
} train_hooks;

/* Where a loop lies in a run of several, for reports and messages; all zero: it is all there is. */
typedef struct {
    int64_t before, total; /* steps of the stages before it, and of the whole run */
    int part, parts;       /* it is one of so many loops that share the steps of the stage */
    double later;          /* what comes after it costs as much as so many of its steps */
    double begin;          /* am_seconds() when the run began */
} train_stage;

typedef struct {
    backend *be;
    const char *task;
    train_stage stage;
    void (*issue)(void *context); /* issues the ops of one step */
    void *context;
    am_status (*save)(void *save_context, const char *path, am_error *err); /* or NULL */
    void *save_context;
    dev_guard *guard;
    dev_f64 *loss; /* (models): sums since the loop last cleared it */
    int models;
    int64_t done, total;
    bool
        saved; /* the checkpoint holds a state of this run: set by the loop, and where one is resumed */
    /* Called with `context` after step `pause`, between steps; sets the next. 0: no more. */
    int64_t pause;
    am_status (*paused)(void *context, am_error *err);
} train_loop;

/* Runs from step `done` to `total`. AM_ERR_DIVERGED when a loss or gradient is not finite or the loss
 * has grown a hundredfold: the parameters are then those before the bad step, or the last saved
 * checkpoint is kept. AM_ERR_INTERRUPT when hooks->stop said so; the message names the checkpoint. */
am_status train_loop_run(train_loop *loop, const train_hooks *hooks, am_error *err);

/* ---- step sizes -------------------------------------------------------------------------------- */

typedef struct {
    double rate; /* peak step size */
    schedule_kind schedule;
    int64_t warmup; /* steps */
    double beta1, beta2, epsilon;
    double clip; /* gradient norm to clip at; 0: none */
} optimiser;

am_status schedule_parse(const char *text, schedule_kind *kind, am_error *err);
adam_rule optimiser_rule(const optimiser *o, int64_t steps, const dev_u64 *step,
                         const dev_guard *guard);
/* ⌊epochs·n/B⌋, at least 1. */
int64_t steps_for(double epochs, int64_t n, int rows);

/* ---- batch.c: the minibatch buffers of a step ---------------------------------------------------- */

typedef struct {
    backend *be;
    const device_rows *rows;
    uint64_t seed;
    int models, count, sets; /* M, B, S */
    int64_t shift;           /* of the stream's positions (draw_rows_args) */
    int64_t blocks;          /* K */
    const dev_u64 *step;
    dev_u32 *index; /* (S, B) */
    dev_f32 *x, *target, *weight;
    dev_i32 *label;
} batch_buffers;

am_status batch_open(batch_buffers *b, backend *be, const device_rows *rows, uint64_t seed,
                     int models, int count, int sets, int64_t blocks, const dev_u64 *step,
                     am_error *err);
void batch_close(batch_buffers *b); /* safe on a zeroed one */
/* Issues: rows of this step, gather, and with omega (M,K) the weight of every row; returns the batch
 * with lambda and grad_scale filled in. */
minibatch batch_next(batch_buffers *b, const dev_f32 *lambda, const dev_f32 *omega,
                     double grad_scale);

/* ---- draws.c: the pairs (ω, λ) of a step ----------------------------------------------------------- */

typedef struct {
    backend *be;
    const generator_spec *spec;
    lambda_kind nodes;
    int draws, groups, sets; /* M, G, S */
    double stretch;
    uint64_t seed;
    const dev_u64 *step;
    dev_f32 *lambda;         /* (M, G) */
    dev_f32 *u;              /* (M, G): normalised log λ */
    dev_f32 *omega, *omega0; /* (M, K), (M); NULL without weights */
} draw_buffers;

/* d holds what is drawn; allocates where to: lambda has room for `copies` times its rows. */
am_status draws_open(draw_buffers *d, int copies, am_error *err);
void draws_close(draw_buffers *d); /* safe on a zeroed one */
/* Issues the draws of *step. */
void draws_next(const draw_buffers *d);
/* u of draw m of the first group when φ = ½: where its node is on average. */
double draws_middle(int draws, int sets, double stretch, int m);

/* ---- fit.c: the generator ------------------------------------------------------------------------ */

typedef enum {
    DESCENT_GRADIENT,   /* Adam on Θ and φ: the gradient of the mean criterion over the draws */
    DESCENT_COLLOCATION /* METHOD §4: every draw's own gradient, projected on fixed features */
} descent_kind;
am_status descent_parse(const char *text, descent_kind *kind, am_error *err);
const char *descent_name(descent_kind kind);

typedef enum {
    MODE_CRITERION,  /* minimise E L(g(ω, λ); ω, λ): METHOD §4, B */
    MODE_SUPERVISED, /* regress refits θ̂(ω, λ) on the features: METHOD §4, A (supervised.h) */
    MODE_HYBRID      /* the first, then the second on what the refits add to g */
} fit_mode;

/* A first stage with fewer features, which the networks share more of: noise of the minibatches falls
 * with features ÷ rows, and early steps need no more of λ's detail (docs/coarse-to-fine.md). */
typedef struct {
    double share;          /* of the steps; 0: there is none */
    int degree;            /* of its features, the first columns of the fit's own */
    int draws, rows, sets; /* M, B, S */
    double stretch;        /* of its nodes */
    double boost;          /* on the later features' steps after it (collocation_args) */
} coarse_stage;

typedef struct {
    fit_mode mode;
    int labels, rounds; /* supervised, hybrid: refits in each of so many rounds */
    int part;           /* labels refitted at a time; 0: as many as a GiB holds */
    double share;       /* hybrid: of the steps, in criterion mode */
    optimiser label;    /* of the labels' refits; no clipping */
    double warm;        /* factor on its step size in rounds that start from the generator */
    descent_kind descent;
    plan_kind plan;
    lambda_kind nodes; /* how λ is drawn */
    int draws, rows;   /* M, B; M of every network, which each have minibatches of their own */
    int sets; /* S minibatches a step, a divisor of M; more than 1 in the direct plan only */
    int64_t steps;
    double ridge;   /* collocation: of the least squares */
    double stretch; /* collocation: reach of the nodes (draw_lambda_args) */
    double tilt;    /* collocation: fall of the step size along λ (collocation_args) */
    optimiser adam;
    coarse_stage coarse;
    response_settings response; /* its nodes 0: none */
} fit_settings;

typedef struct generator_fit generator_fit;

/* Takes a generator that is initialised (or about to be restored); g and data must outlive the fit. */
am_status fit_open(generator_fit **f, generator *g, const fit_settings *settings,
                   const device_rows *data, am_error *err);
void fit_close(generator_fit *f); /* NULL is fine */
am_status fit_run(generator_fit *f, const train_hooks *hooks, am_error *err);
int64_t fit_step(const generator_fit *f);
plan_kind fit_plan(const generator_fit *f);
/* The optimiser's state: moments, step, guard; saved with the generator's parameters. */
const arena *fit_state(const generator_fit *f);
/* Seconds that the response has taken so far. */
double fit_response_seconds(const generator_fit *f);
/* With a response: the generator that has it (opens `full`), from what the finished fit holds. */
am_status fit_attach_response(const generator_fit *f, generator *full, am_error *err);
/* After arena_restore of parameters and state: takes the step from it. */
am_status fit_resume(generator_fit *f, am_error *err);
/* What fit_run calls to save; set by the owner of the file format. */
void fit_set_save(generator_fit *f,
                  am_status (*save)(void *context, const char *path, am_error *err), void *context);

/* ---- refit.c: D models from scratch as one batch ------------------------------------------------- */

typedef struct {
    const char *task; /* in progress and errors; NULL: "refit" */
    const target *t;
    bool per_layer;
    int models;              /* D */
    const double *lambda;    /* (D, G) */
    const float *omega;      /* (D, K), or NULL for ω = 1 */
    int64_t blocks;          /* K */
    const uint32_t *init;    /* (D) index of each model's initialisation, or NULL: all 0 */
    const float *start;      /* (D, P) warm start instead, or NULL */
    const float *rate_scale; /* (D) factor on the step size, or NULL */
    uint64_t seed;           /* initialisations and batch order */
    bool separate;           /* every model its own batch order */
    bool average;            /* θ is the mean of the iterates of the second half of the steps */
    int rows;                /* B */
    int64_t steps;
    optimiser adam; /* its clip is not used: one norm over the batch would couple the models */
} refit_request;

/* Trains and leaves θ (D,P) in fresh device memory for the caller to release. */
am_status refit_run(backend *be, const refit_request *request, const device_rows *data,
                    const train_hooks *hooks, dev_f32 **theta, am_error *err);

#endif
