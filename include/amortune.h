/* amortune — train one generator g(ω, λ) → θ of network weights, then read off the whole tuning
 * curve, the best λ and the posterior uncertainty. Method: Lopes, Polson, Sokolov (2025),
 * "Generative Bayesian Hyperparameter Tuning".
 *
 * Problem   L(θ; ω, λ) = (1/n) Σ_i ω_i ℓ(y_i, f_θ(x_i)) + Σ_g λ_g ‖θ_g‖², ℓ in nats (classes) or
 *           squared error summed over the outputs (regression), no factor ½, biases penalised.
 * Answer    g(ω, λ) ≈ argmin_θ L(θ; ω, λ) for every λ of a range at once; ω = 1 is the plain fit.
 * Letters   n training rows · d inputs · C outputs (classes) · P parameters of the network
 *           G penalty groups (1, or one per layer) · K blocks of rows that share a weight ω_b
 *           N points of a curve · D draws or models.  Arrays are row-major.
 *
 * Errors    The library never prints and never exits. Every function that can fail returns a status
 *           and, when `err` is not NULL, writes one line into it: what failed, why, and what to do.
 *           Messages call an option by its name on the command line: `lambda_low` is --lambda. When
 * a function fails, what it would have handed out is NULL or unspecified. Memory    Handles are
 * released by their own close or free function, in any order: a model keeps the device and the data
 * that it uses alive. Arrays are the caller's, in and out, and are not kept after the call. NULL is
 * fine for every close and free function. Threads   A device and the models on it are used by one
 * thread at a time; different devices may be used by different threads. Computations use several
 * cores by themselves. Options   Structs of options begin with their size and are filled by their
 * _default function; then set what should differ. A text that is NULL and an options pointer that
 * is NULL mean the default. So a program keeps working with a later library whose structs have
 * grown. */
#ifndef AMORTUNE_H
#define AMORTUNE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define AM_API __attribute__((visibility("default")))
#else
#define AM_API
#endif

#define AM_VERSION "0.1.0"

typedef enum am_status {
    AM_OK = 0,
    AM_ERR_USAGE,     /* an option or argument is wrong */
    AM_ERR_INPUT,     /* data or a model file is wrong, missing or damaged */
    AM_ERR_IO,        /* something could not be read or written: permissions, full disk */
    AM_ERR_MEMORY,    /* out of memory */
    AM_ERR_DEVICE,    /* no such device, or the device failed */
    AM_ERR_DIVERGED,  /* training produced values that are not finite */
    AM_ERR_INTERRUPT, /* stopped on request; a checkpoint, where one is kept, was written */
    AM_ERR_INTERNAL   /* a defect of this library */
} am_status;

typedef struct am_error {
    am_status status;
    char message[480]; /* one line, no newline at the end */
} am_error;

typedef struct am_device am_device;   /* a processor to compute on */
typedef struct am_dataset am_dataset; /* rows in memory: training, validation, test */
typedef struct am_model am_model;     /* a generator, with the data it is judged on */

/* "0.1.0" */
AM_API const char *am_version(void);
/* Short name of a status, "input"; never NULL. */
AM_API const char *am_status_name(am_status status);

/* ---- device ---------------------------------------------------------------------------------- */

/* name: "auto" (NULL; a GPU when one works, else the CPU), "cpu", "cuda" or "cuda:INDEX". threads:
 * of the CPU, 0 for all that this process may use. precision of matrix products: "fp32" (NULL),
 * "tf32" or "bf16", the latter two on a GPU. AM_ERR_USAGE for other words, AM_ERR_DEVICE when there
 * is no such device. A CPU device sets the process's OpenBLAS to one thread: it brings its own. */
AM_API am_status am_device_open(const char *name, int threads, const char *precision,
                                am_device **device, am_error *err);
AM_API void am_device_close(am_device *device);

typedef struct am_device_info {
    char name[16];              /* "cpu", "cuda" */
    char model[128];            /* of the processor */
    int threads;                /* CPU threads in use */
    char openblas_coretype[32]; /* OpenBLAS chose slow kernels: with this in the environment
                                   variable OPENBLAS_CORETYPE before the program starts it would
                                   take faster ones. Empty: nothing to gain */
} am_device_info;
AM_API am_status am_device_describe(const am_device *device, am_device_info *info, am_error *err);

/* ---- data ------------------------------------------------------------------------------------ */

typedef struct am_data_options {
    size_t size;
    const char *source; /* folder of IDX files, CSV file, or a known name: "mnist"; required */
    const char *label;  /* CSV: name of the column to predict; NULL: the last */
    const char *task;   /* "auto", "classification", "regression"; auto: classes when the labels are
                           text or at most 20 whole numbers, and for IDX */
    const char *test;   /* CSV: file with test rows, or NULL */
    double validation;  /* below 1 a share of the training rows, else their number; 1/6 */
    int64_t seed;       /* ≥ 0: of the split and of the blocks; 1 */
} am_data_options;
/* size: sizeof(am_data_options), as for every _default function. */
AM_API void am_data_options_default(am_data_options *options, size_t size);

/* Reads, checks, splits by a permutation keyed by the seed, and normalises by the training rows'
 * mean and standard deviation: per column, images by one of each. AM_ERR_INPUT names file and
 * fault. */
AM_API am_status am_dataset_load(const am_data_options *options, am_dataset **data, am_error *err);

/* Rows from memory, copied. Exactly one of label and target; the same one for the test rows. */
typedef struct am_arrays {
    size_t size;
    int64_t rows;              /* n + validation rows */
    int inputs;                /* d */
    int outputs;               /* C; 0: the largest label + 1, or 1 target */
    const float *x;            /* (rows, d), finite, as measured: normalised per column inside */
    const int32_t *label;      /* (rows) classes 0..C−1, or NULL */
    const float *target;       /* (rows, C), or NULL */
    int64_t test_rows;         /* 0: none */
    const float *test_x;       /* (test_rows, d) */
    const int32_t *test_label; /* (test_rows), when label is given */
    const float *test_target;  /* (test_rows, C), when target is given */
    double validation;         /* as in am_data_options; 1/6 */
    int64_t seed;              /* as in am_data_options; 1 */
    const am_dataset *like;    /* inputs are normalised as in these data; NULL: by their own rows */
} am_arrays;
AM_API void am_arrays_default(am_arrays *arrays, size_t size);
AM_API am_status am_dataset_from_arrays(const am_arrays *arrays, am_dataset **data, am_error *err);
AM_API void am_dataset_free(am_dataset *data);

typedef struct am_dataset_info {
    char name[64]; /* "mnist"; "arrays" for rows from memory */
    int64_t train_rows, validation_rows, test_rows;
    int inputs, outputs;           /* d, C */
    int classes;                   /* 1: classification, 0: regression */
    int image_rows, image_columns; /* 0 when the inputs are no images */
} am_dataset_info;
AM_API am_status am_dataset_describe(const am_dataset *data, am_dataset_info *info, am_error *err);
/* Name of class `index`; NULL when it has none. Lives as long as the data set. */
AM_API const char *am_dataset_class_name(const am_dataset *data, int index);
/* order (train_rows + validation_rows): the row of the source, from 0, that stands at each place;
 * training rows first, then validation rows. */
AM_API am_status am_dataset_order(const am_dataset *data, int64_t *order, am_error *err);
/* block (train_rows): b(i) ∈ 0..K−1, the block whose weight ω_b training row i carries. It depends
 * on seed, n and K only. AM_ERR_USAGE unless 1 ≤ blocks ≤ n. */
AM_API am_status am_dataset_blocks(const am_dataset *data, int64_t blocks, uint32_t *block,
                                   am_error *err);

/* ---- the target network ---------------------------------------------------------------------- */

/* One tensor of θ: names, shapes and order of a PyTorch nn.Sequential of nn.Linear layers. */
typedef struct am_param {
    char name[24];    /* "fc1.weight", "fc1.bias", "fc2.weight", … */
    int rank;         /* 2 or 1 */
    int64_t shape[2]; /* (out, in) or (out, 0) */
    int64_t offset;   /* of its first element in θ */
    int64_t count;    /* elements */
} am_param;

/* How θ (P) is cut into tensors. target: "784-64-10", layer sizes; NULL: inputs-64-outputs of the
 * data. data may be NULL when target is not; given, they must fit together. *count: tensors, twice
 * the layers; the first `capacity` of them go to table (which may be NULL). *params: P. Any of
 * table, count, params may be NULL. */
AM_API am_status am_param_table(const char *target, const am_dataset *data, int capacity,
                                am_param *table, int *count, int64_t *params, am_error *err);

/* ---- training -------------------------------------------------------------------------------- */

typedef struct am_progress {
    const char *task;    /* "fit", "refit", "polish", "audit" */
    int64_t step, total; /* done so far, of how many */
    double loss;         /* mean of L over the models and over the steps since the last report */
    double norm;         /* gradient norm of the last step */
    double seconds;      /* since this run began */
    double seconds_left; /* estimate */
} am_progress;
/* Called about twice a second, and at least every fiftieth of a run, from the thread that called
 * am_fit, am_refit, am_polish or am_audit. Non-zero stops the run, unless it has just done its last
 * step: AM_ERR_INTERRUPT, with a checkpoint where one is kept. It must not use the device. */
typedef int (*am_progress_function)(void *context, const am_progress *progress);

/* Everything that `amortune fit` takes, with its defaults. */
typedef struct am_fit_options {
    size_t size;
    /* network and generator */
    const char *target;     /* "784-64-10"; NULL: inputs-64-outputs */
    const char *activation; /* "relu", "tanh" */
    double lambda_low;      /* range of λ: 1e-5 .. 1e-1 */
    double lambda_high;
    const char *penalty; /* "scalar": one λ in all; "layer": one per layer */
    const char *features; /* c of g = Θ_0 + Σ_k c_k(ω, λ) Θ_k: "poly:D", "cheb:D", "mlp:H,…,R",
                             "split:H,…,R", "paper"; "auto": cheb:5, split:32,32,8 when ω enters */
    const char *init; /* "residual": starts as one ordinary network; "paper": uniform ±1/√fan_in;
                         NULL: paper for the features "paper", else residual */
    const char *weights; /* distribution of ω, mean 1: "ones" (ω does not enter), "dirichlet",
                            "exponential" (weighted Bayesian bootstrap: Newton, Polson, Xu 2021),
                            "multinomial" (bootstrap of blocks), "fold" (cross-validation) */
    double alpha;        /* concentration of dirichlet; 1 */
    int64_t blocks;      /* K; 0: one per training row; −1: 16, or n when that is less */
    int64_t embedding;   /* columns that ω is embedded into; 0: chosen by K */
    int omega0;          /* non-zero: λ is multiplied by a random weight ω₀ too */
    int64_t networks;    /* E: networks from different starts whose predictions are averaged; 1 */
    const char
        *posterior; /* "none"; "implicit": the fit is at ω = 1, and how the networks answer to
                              ω follows by implicit differentiation along it; weights then says for
                              which ω (dirichlet where it is "ones") */
    /* training */
    const char *mode; /* "criterion": minimise E L(g(ω, λ); ω, λ); "supervised": regress on labels,
                             networks refitted at draws of (ω, λ); "hybrid": criterion, then so */
    int64_t labels; /* supervised, hybrid: refits in a round, each of `steps` in all the rounds;
                             0: about 1.3 R, 4 R for supervised when ω enters, at most 256 */
    int64_t rounds; /* of labels, each from where the generator is after the last; 0: 2, hybrid 1 */
    double share;   /* hybrid: of the steps, in criterion mode; 0: 0.8 */
    const char *descent;  /* "auto", "gradient", "collocation" */
    const char *plan;     /* "auto", "direct", "factored" */
    const char *nodes;    /* how λ is drawn: "auto", "nodes", "stratified" */
    int64_t draws;        /* of (ω, λ) in every step; 0: by the recipe (about 1.3 R) */
    int64_t minibatches;  /* a step, each for an equal share of the draws; 0: 2 for collocation with
                             an even number of draws, else 1 */
    int64_t batch;        /* rows of a minibatch; 128 */
    double epochs;        /* passes over the training rows; 5 */
    int64_t steps;        /* of training; 0: from epochs */
    double rate;          /* peak step size of Adam; 0: by the recipe, from the steps */
    const char *schedule; /* after the warm-up: "cosine", "constant" */
    int64_t warmup;       /* steps; −1: 50, or a tenth of the steps when that is less */
    double beta1, beta2;  /* Adam's decays; 0: by the recipe */
    double clip;          /* largest gradient norm; 0: no limit */
    double ridge;         /* of the collocation's least squares; 1e-3 */
    double stretch; /* collocation: how far the nodes reach beyond the range; 0: by the recipe */
    double tilt;  /* collocation: step sizes fall as 2^(−tilt·u) along λ; −1: by the recipe */
    int64_t seed; /* ≥ 0: of initialisation, draws and minibatches; 1 */
    /* files */
    const char *out;           /* model file to write at the end, or NULL */
    const char *checkpoint;    /* file for the state of an unfinished run; NULL: OUT.checkpoint when
                                  out is given, else none. Removed once the model is in out. */
    int resume;                /* non-zero: go on from the checkpoint, to the same bits as without
                                  interruption. AM_ERR_USAGE when it is of another run */
    double checkpoint_seconds; /* between checkpoints; 0: only when stopped; 30 */
    /* progress */
    am_progress_function progress; /* or NULL */
    void *context;                 /* handed to progress */
    int64_t response_draws; /* implicit: answer to so many drawn weight vectors ω^s, at most 256,
                               instead of to every block, with any number of blocks; 0: 64 for more
                               than 256 blocks, else none. Such a model has draws of ω (am_sample takes
                               the ω^s in turn, then random mixtures of them) but refuses an ω that is
                               given to it; am_polish starts at ω = 1 for those */
    const char *path;       /* "full"; "coarse-to-fine": most steps with fewer features, draws and
                         rows, the last with all (docs/coarse-to-fine.md) */
    double lambda_knee; /* λ₀ ≥ 0: features are of u, the normalised log(λ + λ₀); −1: 0, with path
                           coarse-to-fine 0.3·√(low·high) */
} am_fit_options;
AM_API void am_fit_options_default(am_fit_options *options, size_t size);

/* Trains a generator on the data. The model holds on to both. AM_ERR_DIVERGED: the message names
 * the step and, where one is kept, the checkpoint with the last good state. */
AM_API am_status am_fit(am_device *device, am_dataset *data, const am_fit_options *options,
                        am_model **model, am_error *err);

/* ---- models ---------------------------------------------------------------------------------- */

/* Reads a model file of am_fit, am_model_save or the command line. It has no data yet: weights and
 * export work, curve, tune and sample need am_model_attach. */
AM_API am_status am_model_load(am_device *device, const char *path, am_model **model,
                               am_error *err);
/* Writes a safetensors file, by replacing `path` only once it is complete. */
AM_API am_status am_model_save(const am_model *model, const char *path, am_error *err);
AM_API void am_model_free(am_model *model);

/* Reads the data that the model was fitted to, split and normalised as then: from where the model
 * says (source NULL) or from where they are now. test: CSV file with test rows, or NULL. */
AM_API am_status am_model_dataset(const am_model *model, const char *source, const char *test,
                                  am_dataset **data, am_error *err);
/* Gives the model the data to be judged on; NULL: am_model_dataset(model, NULL, NULL). AM_ERR_INPUT
 * unless their shape, training rows, blocks and normalisation are those of the fit. */
AM_API am_status am_model_attach(am_model *model, am_dataset *data, am_error *err);

typedef struct am_model_info {
    char target[192]; /* "784-64-10" */
    char activation[8];
    char features[64];
    char weights[16]; /* distribution of ω */
    int classes;      /* 1: classification, 0: regression */
    int groups;       /* G, length of every λ below */
    int64_t params;   /* P, length of every θ below */
    int64_t blocks;   /* K, length of every ω below */
    int sees_omega;   /* 1: g depends on ω; 0: ω must be NULL below */
    double lambda_low, lambda_high;
    int64_t seed;
    int64_t step, steps; /* done, of how many */
    char plan[16];       /* execution plan that was used; empty for a loaded model */
    double fit_loss;     /* mean of L over the last steps; NaN for a loaded model */
    double fit_seconds;  /* of the fit; NaN for a loaded model */
    char data_name[64];
    int64_t train_rows; /* n */
    int has_data;       /* 1: data are attached */
    int networks;       /* E, whose predictions are averaged */
} am_model_info;
AM_API am_status am_model_describe(const am_model *model, am_model_info *info, am_error *err);

/* ---- results --------------------------------------------------------------------------------- */

/* What one network, or a predictive mean, does on a set of rows. */
typedef struct am_metrics {
    double nll, nll_se;           /* mean of ℓ and its standard error over the rows */
    double accuracy, accuracy_se; /* NaN in regression, as all below */
    double brier;                 /* Σ_c (p_c − 1[c = y])², 0..2 */
    double ece;                   /* calibration error: top label, 15 equal-width bins, L1 (Guo et
                                     al. 2017, eq. 3) */
} am_metrics;

typedef struct am_curve_options {
    size_t size;
    int points;             /* N ≥ 2; 20 */
    int draws;              /* of ω for the band; 0: none; 50 */
    int quantiles;          /* Q of the band, or 0 */
    const double *quantile; /* (Q) in 0..1, by linear interpolation over the draws */
} am_curve_options;
AM_API void am_curve_options_default(am_curve_options *options, size_t size);

/* The tuning curve on the validation rows: lambda (N) equally spaced in log λ over the range, both
 * ends included, the same λ for all groups; at (N) at ω = 1; nll_band and accuracy_band (N, Q) the
 * quantiles over draws of ω, NaN when the model does not see ω. Any output may be NULL. */
AM_API am_status am_curve(am_model *model, const am_curve_options *options, double *lambda,
                          am_metrics *at, double *nll_band, double *accuracy_band, am_error *err);

enum { AM_CHOICE_GROUPS = 16 }; /* most groups a model may have */
typedef struct am_choice {
    int groups;                      /* G */
    double lambda[AM_CHOICE_GROUPS]; /* (G) the choice */
    double value;                    /* metric there */
    double derivative; /* ‖∂NLL/∂u‖ there, u ∈ [−1, 1] the normalised log λ; NaN unless
                          the rule is "gradient" */
    int edge_alarm;    /* 1: the choice lies on the end of the range: widen it */
    int flat_alarm;    /* 1: half the range is within one standard error of the best */
} am_choice;

typedef struct am_tune_options {
    size_t size;
    const char *rule;   /* "grid": best point; "one-se": largest λ within one standard error of it
                           (Breiman et al. 1984); "gradient": refined from it by the exact
                           derivative of the NLL through the generator */
    const char *metric; /* "nll", "accuracy" */
    int points;         /* N of the grid; 20 */
    int draws;          /* of ω for `best`; 50 */
} am_tune_options;
AM_API void am_tune_options_default(am_tune_options *options, size_t size);

/* Chooses λ on the validation rows. best (N), or NULL: how often each point of the grid is the best
 * over the draws of ω, shares that sum to 1; all 0 when the model does not see ω. */
AM_API am_status am_tune(am_model *model, const am_tune_options *options, am_choice *choice,
                         double *best, am_error *err);

typedef struct am_posterior {
    int draws;          /* D */
    int from_generator; /* 1: θ_d = g(ω_d, λ); 0: the model does not see ω, and the
                           draws are weighted refits of a few steps from g(1, λ) */
    int64_t steps;      /* of those refits, else 0 */
    int test_rows;      /* 1: judged on the test rows; 0: there are none, on the
                           validation rows */
    am_metrics mean;    /* of the predictive mean, the average of the probabilities;
                           NaN in regression */
    double accuracy_mean, accuracy_sd; /* over the draws */
    double nll_mean;
} am_posterior;

/* D ≥ 2 draws of ω at one λ (G) within the model's range. draw (D): metrics of every draw; theta
 * (D, P): its parameters; each may be NULL. The draws depend on the model's seed only. */
AM_API am_status am_sample(am_model *model, const double *lambda, int draws,
                           am_posterior *posterior, am_metrics *draw, float *theta, am_error *err);

/* How sure the draws are of one row, with p_d their probabilities, p̄ the mean of these over the draws
 * and H(p) = −Σ_c p_c ln p_c, nats. What the draws agree to be unsure of is expected_entropy; what they
 * disagree on is the mutual information of the prediction and the network (Houlsby et al. 2011). */
typedef struct am_row_uncertainty {
    double confidence;         /* max_c p̄_c */
    double entropy;            /* H(p̄), the predictive entropy */
    double expected_entropy;   /* mean_d H(p_d) */
    double mutual_information; /* H(p̄) − mean_d H(p_d) */
} am_row_uncertainty;

/* The draws of am_sample on the rows that it judges them on (data NULL), or on other data of the same
 * inputs, that pass through the model's own normalisation (am_model_dataset(model, SOURCE, …), or `like` of
 * am_arrays): the test rows, or all rows where there are none. *rows: their number; the first
 * `capacity` of them go to row. Classification only. */
AM_API am_status am_uncertainty(am_model *model, const double *lambda, int draws,
                                const am_dataset *data, int64_t capacity, am_row_uncertainty *row,
                                int64_t *rows, am_error *err);

/* How well a score tells rows from elsewhere (out of distribution, OOD) from the model's own. Higher
 * score = more OOD, for which the entropy, the mutual information and 1 − confidence serve; OOD is the
 * positive class. */
typedef struct am_detection {
    double auroc;    /* chance that an OOD row scores higher than one of the own, ties half */
    double aupr_ood; /* average precision, OOD rows positive */
    double aupr_own; /* the same with the own rows positive and the scores negated */
    double fpr95; /* share of the own rows at or above the score that 95 % of the OOD rows reach */
} am_detection;
/* own (own_rows), ood (ood_rows): finite scores, at least one of each. */
AM_API am_status am_detect(const double *own, int64_t own_rows, const double *ood, int64_t ood_rows,
                           am_detection *detection, am_error *err);

/* omega (D, K): draws of block weights with mean 1. kind, alpha: as in am_fit_options. */
AM_API am_status am_draw_weights(am_device *device, const char *kind, double alpha, int64_t blocks,
                                 int draws, int64_t seed, float *omega, am_error *err);

/* theta (P) = g(ω, λ), tensors as in am_param_table. lambda (G) within the model's range; omega
 * (K), not negative, or NULL for ω = 1. */
AM_API am_status am_weights(am_model *model, const double *lambda, const float *omega, float *theta,
                            am_error *err);
/* The same as a safetensors file that other tools load; inputs that were normalised per column
 * bring "input.mean" and "input.sd" along, images the metadata input_mean and input_sd. */
AM_API am_status am_export(am_model *model, const double *lambda, const float *omega,
                           const char *path, am_error *err);

/* ---- predictions ----------------------------------------------------------------------------- */

/* What D networks make of rows from anywhere: g(ω_d, λ_d), or networks with the weights θ_d of
 * am_weights, am_sample, am_polish or am_refit. x (rows, d) as measured, images as 0..255: it is
 * normalised inside. lambda (D, G) within the model's range, with omega (D, K) or NULL for ω = 1; or
 * theta (D, P); one of the two, the other NULL. output (D, rows, C): probabilities of the classes, in
 * regression the values; where the model averages several networks, their mean. logit (D, rows, C):
 * the same before the softmax; AM_ERR_USAGE for a mean of several networks. Either may be NULL. */
AM_API am_status am_predict(am_model *model, int models, const double *lambda, const float *omega,
                            const float *theta, int64_t rows, const float *x, float *output,
                            float *logit, am_error *err);

/* ---- polish ---------------------------------------------------------------------------------- */

typedef struct am_polish_options {
    size_t size;
    int64_t steps; /* −1: a twentieth of the fit's; 0: the networks as the generator gives them */
    double rate;   /* step size of Adam, constant after a warm-up; 0: 1.5e-3 */
    am_progress_function progress; /* or NULL */
    void *context;
} am_polish_options;
AM_API void am_polish_options_default(am_polish_options *options, size_t size);

/* One draw before and after. */
typedef struct am_polished {
    double criterion_before,
        criterion_after;      /* L(θ; ω, λ) on the training rows, mean over networks */
    am_metrics before, after; /* of their mean prediction, on the validation rows */
} am_polished;

/* Networks that need no generator any more, for D draws all E of the model: from g(ω_d, λ_d) a few steps
 * along the gradient of L(θ; ω_d, λ_d), as one batch on minibatches that make whole passes over the
 * training rows; each is the mean of its second half's iterates. lambda (D, G) within the model's range;
 * omega (D, K), not negative, or NULL for ω = 1 (a model that does not see ω starts at g(1, λ)). theta
 * (E, D, P) and score (D) may be NULL. */
AM_API am_status am_polish(am_model *model, const am_polish_options *options, int models,
                           const double *lambda, const float *omega, float *theta,
                           am_polished *score, am_error *err);

/* ---- refits ---------------------------------------------------------------------------------- */

/* As in am_fit_options, with the same defaults. */
typedef struct am_refit_options {
    size_t size;
    const char *target, *activation, *penalty;
    int64_t blocks; /* K of omega */
    int64_t batch;
    double epochs;
    int64_t steps;
    double rate;
    const char *schedule;
    int64_t warmup;
    double beta1, beta2;
    int64_t seed;
    int separate;         /* non-zero: every model its own order of the rows; 0: all the same */
    const uint32_t *init; /* (D) number of each model's initialisation, or NULL: all start alike */
    am_progress_function progress;
    void *context;
} am_refit_options;
AM_API void am_refit_options_default(am_refit_options *options, size_t size);

/* Trains D models from scratch as one batch, each on L(θ; ω_d, λ_d): the baseline for a generator,
 * and its check. A model gets the bits that it would get alone. lambda (D, G) positive; omega (D,
 * K) or NULL for ω = 1. Outputs, each may be NULL: theta (D, P); validation (D) and test (D),
 * metrics on these rows; test needs a data set with test rows. Nothing is kept of an interrupted
 * run. */
AM_API am_status am_refit(am_device *device, am_dataset *data, const am_refit_options *options,
                          int models, const double *lambda, const float *omega, float *theta,
                          am_metrics *validation, am_metrics *test, am_error *err);

/* ---- audit ----------------------------------------------------------------------------------- */

enum { AM_AUDIT_LAMBDAS = 16, AM_AUDIT_LINES = 16 }; /* most of each */

typedef struct am_audit_options {
    size_t size;
    int points;           /* N of the curve; 20 */
    int repeats;          /* R refits at each of them; 3 */
    int draws;            /* D ≥ 3 of ω at every λ of the posterior, each with two refits; 20 */
    int lambdas;          /* L of these; 0: four that lie along the range */
    const double *lambda; /* (L) within the model's range */
    int64_t seed;         /* ≥ 0: of the refits and of ω; 1 */
    const char *cache;    /* folder that refits are kept in and taken from; NULL: none are kept */
    am_progress_function progress; /* or NULL */
    void *context;
} am_audit_options;
AM_API void am_audit_options_default(am_audit_options *options, size_t size);

typedef enum am_verdict { AM_PASS = 0, AM_WARN, AM_FAIL } am_verdict;

/* One property, judged. */
typedef struct am_audit_line {
    char property[64], unit[16];
    char rule[96];  /* the thresholds: "≥ -0.25, fails < -1" */
    char note[160]; /* what else there is to say, or empty */
    am_verdict verdict;
    double value, se; /* se NaN where there is none */
    double lambda;    /* where it is worst; NaN for a property of the whole curve */
} am_audit_line;

/* The generator at ω = 1 and refits from scratch at one λ of the curve. */
typedef struct am_audit_point {
    double lambda;
    am_metrics generator;              /* on the validation rows */
    double refit_nll, refit_accuracy;  /* means over the repeats */
    double criterion, refit_criterion; /* L(θ; 1, λ) on the training rows */
} am_audit_point;

/* How draws of the generator follow what ω does to refits, at one λ. With δ a predicted probability
 * minus its mean over the draws; a, b two refits at the same ω; g the generator. */
typedef struct am_audit_posterior {
    double lambda;
    double signal;                /* S = mean δ_a·δ_b */
    double reproducible;          /* S over the mean of δ_a² and δ_b² */
    double spread, spread_se;     /* mean δ_g² / S, ideal 1 */
    double captured, captured_se; /* mean δ_g·(δ_a + δ_b)/2 / S, ideal 1 */
    double fidelity, fidelity_se; /* captured/√spread, ideal 1 */
    am_metrics generator, refits; /* of the predictive means; NaN in regression */
} am_audit_posterior;

typedef struct am_audit_summary {
    am_verdict verdict; /* the worst of the lines */
    int lines, lambdas;
    am_audit_line line[AM_AUDIT_LINES];      /* (lines) */
    am_audit_posterior at[AM_AUDIT_LAMBDAS]; /* (lambdas) */
    int refits, cached;                      /* in all, and of these found in the cache */
    int64_t steps;                           /* of each refit */
    double rate;                             /* their step size, found by a search of its own */
    double seconds;
} am_audit_summary;

/* Holds curve and posterior of the generator against refits from scratch, trained as long as it was,
 * on the validation rows. point (N) may be NULL. */
AM_API am_status am_audit(am_model *model, const am_audit_options *options,
                          am_audit_summary *summary, am_audit_point *point, am_error *err);

/* ---- report ---------------------------------------------------------------------------------- */

typedef struct am_report_options {
    size_t size;
    const char *data; /* the model's data set, when it lies elsewhere now; or NULL */
    const char *test; /* CSV: file with the test rows, or NULL */
    /* safetensors file for the program's own logits of the page's rows, to hold those that the page
     * computes against; or NULL */
    const char *candidates;
} am_report_options;
AM_API void am_report_options_default(am_report_options *options, size_t size);

/* Writes one self-contained HTML page to `path`, of a folder that an experiment or a command wrote, or
 * of a model file: verdict, a slider along λ with all that it moves, what it cost, all numbers. Where
 * the model's data are missing the page says so and lacks what needs them. AM_ERR_IO when the library
 * was built without the chart library. */
AM_API am_status am_report(am_device *device, const char *results, const char *path,
                           const am_report_options *options, am_error *err);

#ifdef __cplusplus
}
#endif
#endif
