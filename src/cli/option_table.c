#include "cli/commands.h"
#include "cli/option.h"

#include <assert.h>

#define FIT CMD_FIT
#define REFIT CMD_REFIT
#define EXPERIMENT CMD_EXPERIMENT
#define TRAINS (CMD_FIT | CMD_REFIT)
#define AUDIT CMD_AUDIT
#define POLISH CMD_POLISH
#define MEST CMD_MEST
#define READS (CMD_CURVE | CMD_TUNE | CMD_SAMPLE | CMD_EXPORT | CMD_AUDIT | CMD_POLISH | CMD_REPORT)
#define CHOOSES (CMD_TUNE | CMD_SAMPLE | CMD_EXPORT | CMD_POLISH | CMD_EXPERIMENT)

#define AT(member) offsetof(settings, member)
#define INTS(...) .limit.integer = {__VA_ARGS__}
#define REALS(...) .limit.real = {__VA_ARGS__}
#define LAMBDAS REALS(1e-30, 1e30) /* well inside what a float holds */
#define CHOICES(text) .limit.choices = text
#define ON(set) .commands = (set)
#define MUST(set) .required = (set)
#define HELP(in, text) .group = (in), .help = (text)

/* OPTION_POINT and OPTION_RANGE write two doubles side by side. */
static_assert(AT(lambda_high) == AT(lambda_low) + sizeof(double), "λ bounds lie side by side");
static_assert(AT(range_high) == AT(range_low) + sizeof(double), "the range's bounds, too");

const option option_table[] = {
    /* data */
    {"data", "D", OPTION_TEXT, AT(data), NULL, ON(TRAINS), MUST(TRAINS),
     HELP(GROUP_DATA, "folder of IDX files, CSV file, or a known name: mnist, fashion-mnist")},
    {"data", "D", OPTION_TEXT, AT(data), NULL, ON(READS),
     HELP(GROUP_DATA, "the data that the model was fitted to, when they lie elsewhere now")},
    {"data", "FILE", OPTION_TEXT, AT(data), NULL, ON(MEST), MUST(MEST),
     HELP(GROUP_DATA, "CSV file with a header and numbers in all columns, plain or gzip")},
    {"label", "COLUMN", OPTION_TEXT, AT(label), NULL, ON(TRAINS | MEST),
     HELP(GROUP_DATA, "CSV: name of the column to predict; without it the last column")},
    {"test", "FILE", OPTION_TEXT, AT(test), NULL, ON(TRAINS | READS),
     HELP(GROUP_DATA, "CSV: file with the test rows")},
    {"task", "KIND", OPTION_CHOICE, AT(task), "auto", CHOICES("auto|classification|regression"),
     ON(TRAINS),
     HELP(GROUP_DATA, "what the labels are; auto: classes when text or at most 20 whole numbers")},
    {"validation", "V", OPTION_REAL, AT(validation), "0.1666666666666667", REALS(0, 1e9, true),
     ON(TRAINS),
     HELP(GROUP_DATA, "validation rows: below 1 a share of the training rows, else their number")},

    /* generator and target */
    {"target", "SIZES", OPTION_TEXT, AT(target), NULL, ON(TRAINS),
     HELP(GROUP_GENERATOR, "layer sizes of the network, e.g. 784-64-10; without it "
                           "inputs-64-outputs")},
    {"activation", "KIND", OPTION_CHOICE, AT(activation), "relu", CHOICES("relu|tanh"), ON(TRAINS),
     HELP(GROUP_GENERATOR, "activation of the network's hidden layers")},
    {"lambda", "LOW:HIGH", OPTION_RANGE, AT(lambda_low), "1e-5:1e-1", LAMBDAS, ON(FIT),
     HELP(GROUP_GENERATOR, "range of the L2 penalty λ, the factor of Σθ²")},
    {"lambda-knee", "L0", OPTION_REAL, AT(lambda_knee), "-1", REALS(-1, 1e30), ON(FIT | EXPERIMENT),
     HELP(GROUP_GENERATOR, "features are of the normalised log(λ + L0); -1: 0, with --path "
                           "coarse-to-fine 0.3·√(LOW·HIGH)")},
    {"penalty", "KIND", OPTION_CHOICE, AT(penalty), "scalar", CHOICES("scalar|layer"), ON(TRAINS),
     HELP(GROUP_GENERATOR, "one λ for the whole network, or one per layer")},
    {"features", "F", OPTION_TEXT, AT(features), "auto", ON(FIT),
     HELP(GROUP_GENERATOR, "poly:D, cheb:D, mlp:H,…,R, split:H,…,R or paper; auto: cheb:5, or "
                           "split:32,32,8 when ω enters")},
    {"init", "KIND", OPTION_CHOICE, AT(init), NULL, CHOICES("residual|paper"), ON(FIT),
     HELP(GROUP_GENERATOR, "start as one ordinary network, or uniform ±1/√fan_in; without it paper "
                           "for --features paper, else residual")},
    {"weights", "KIND", OPTION_CHOICE, AT(weights), "ones",
     CHOICES("ones|dirichlet|exponential|multinomial|fold"), ON(TRAINS),
     HELP(GROUP_GENERATOR, "distribution of the bootstrap weights ω")},
    {"alpha", "A", OPTION_REAL, AT(alpha), "1", REALS(0.05, 1e6), ON(TRAINS | MEST),
     HELP(GROUP_GENERATOR, "concentration of --weights dirichlet")},
    {"blocks", "K", OPTION_INT, AT(blocks), "16", INTS(1, INT32_MAX, "n"), ON(TRAINS),
     HELP(GROUP_GENERATOR, "blocks of observations that share a weight; n: one per observation")},
    {"blocks", "K", OPTION_INT, AT(blocks), "16", INTS(1, INT32_MAX, "n"), ON(EXPERIMENT),
     HELP(GROUP_GENERATOR, "blocks of observations that share a weight; n: one per observation")},
    {"embedding", "I", OPTION_INT, AT(embedding), "0", INTS(0, AM_MAX_FEATURES - 1), ON(FIT),
     HELP(GROUP_GENERATOR, "columns that ω is embedded into; 0: chosen by the number of blocks")},
    {"omega0", NULL, OPTION_FLAG, AT(omega0), NULL, ON(FIT),
     HELP(GROUP_GENERATOR, "multiply λ by a random weight ω₀ too")},
    {"networks", "E", OPTION_INT, AT(networks), "1", INTS(1, AM_MAX_NETWORKS), ON(FIT | EXPERIMENT),
     HELP(GROUP_GENERATOR, "networks from different starts, trained at once; predictions are their "
                           "mean")},

    {"posterior", "KIND", OPTION_CHOICE, AT(posterior), "none", CHOICES("none|implicit"), ON(FIT),
     HELP(GROUP_GENERATOR, "implicit: fit at ω = 1, then follow how the networks answer to ω by "
                           "implicit differentiation")},
    {"posterior", "KIND", OPTION_CHOICE, AT(posterior), NULL, CHOICES("none|implicit"),
     ON(EXPERIMENT),
     HELP(GROUP_GENERATOR, "how the generator answers to ω; without it what the protocol says")},
    {"response-draws", "S", OPTION_INT, AT(response_draws), "0", INTS(0, AM_DIRECT_BLOCKS),
     ON(FIT | EXPERIMENT),
     HELP(GROUP_GENERATOR,
          "implicit: answer to S drawn weight vectors instead of to every block, with any number "
          "of blocks; sample takes these, then mixtures of them; 0: 64 for more than 256 blocks, "
          "else none")},

    /* training */
    {"lambda", "L", OPTION_POINT, AT(lambda_low), NULL, LAMBDAS, ON(REFIT), MUST(REFIT),
     HELP(GROUP_TRAINING, "L2 penalty λ, the factor of Σθ²")},
    {"weights-seed", "S", OPTION_INT, AT(weights_seed), "-1", INTS(-1, INT64_MAX), ON(REFIT),
     HELP(GROUP_TRAINING,
          "seed of the draw of the weights ω, dirichlet without --weights; -1: --seed")},
    {"mode", "KIND", OPTION_CHOICE, AT(mode), "criterion", CHOICES("criterion|supervised|hybrid"),
     ON(FIT),
     HELP(GROUP_TRAINING,
          "criterion: minimise the mean criterion over draws of λ and ω; supervised: "
          "regress on labels, networks refitted at draws; hybrid: first the one, "
          "then the other")},
    {"labels", "B", OPTION_INT, AT(labels), "0", INTS(0, 4096), ON(FIT),
     HELP(GROUP_TRAINING, "supervised, hybrid: networks refitted in every round; 0: about 1.3 for "
                          "every feature, 4 for supervised when ω enters, at most 256")},
    {"rounds", "R", OPTION_INT, AT(rounds), "0", INTS(0, 1000), ON(FIT),
     HELP(GROUP_TRAINING, "supervised, hybrid: rounds of labels, each refitted from where the "
                          "generator is; 0: 2, hybrid 1")},
    {"share", "X", OPTION_REAL, AT(share), "0", REALS(0, 0.99), ON(FIT),
     HELP(GROUP_TRAINING, "hybrid: share of the steps in criterion mode; 0: 0.8")},
    {"path", "KIND", OPTION_CHOICE, AT(path), "full", CHOICES("full|coarse-to-fine"),
     ON(FIT | EXPERIMENT),
     HELP(GROUP_TRAINING, "coarse-to-fine: most steps with fewer features, draws and rows; about "
                          "half the time, at a somewhat higher training criterion")},
    {"descent", "KIND", OPTION_CHOICE, AT(descent), "auto", CHOICES("auto|gradient|collocation"),
     ON(FIT), HELP(GROUP_TRAINING, "auto: collocation where the features allow it")},
    {"plan", "KIND", OPTION_CHOICE, AT(plan), "auto", CHOICES("auto|direct|factored"), ON(FIT),
     HELP(GROUP_TRAINING, "how the draws' networks are computed; auto: the cheaper plan")},
    {"nodes", "KIND", OPTION_CHOICE, AT(nodes), "auto", CHOICES("auto|nodes|stratified"), ON(FIT),
     HELP(GROUP_TRAINING, "how λ is drawn; auto: nodes for collocation, else stratified")},
    {"draws", "M", OPTION_INT, AT(draws), "0", INTS(0, 4096), ON(FIT),
     HELP(GROUP_TRAINING,
          "draws of λ and ω in every step; 0: about 1.3 for every feature, 16 for gradient "
          "descent")},
    {"minibatches", "S", OPTION_INT, AT(minibatches), "0", INTS(0, 4096), ON(FIT | EXPERIMENT),
     HELP(GROUP_TRAINING,
          "minibatches a step, each for draws/S of the draws; 0: 2 for collocation, "
          "else 1")},
    {"stretch", "X", OPTION_REAL, AT(stretch), "0", REALS(0, 2), ON(FIT),
     HELP(GROUP_TRAINING,
          "collocation: reach of the nodes beyond the range, at least 1; 0: M/(M-0.9)")},
    {"tilt", "X", OPTION_REAL, AT(tilt), "-1", REALS(-1, 4), ON(FIT),
     HELP(GROUP_TRAINING,
          "collocation: the step size falls as 2^(-X·u) along the normalised log λ; -1: 0.5, "
          "up to 1 for more than 1,953 steps")},
    {"beta1", "B", OPTION_REAL, AT(beta1), "0", REALS(0, 0.99999), ON(TRAINS),
     HELP(GROUP_TRAINING, "decay of Adam's first moment; 0: 0.9, collocation 0.8")},
    {"beta2", "B", OPTION_REAL, AT(beta2), "0", REALS(0, 0.999999), ON(TRAINS),
     HELP(GROUP_TRAINING, "decay of Adam's second moment; 0: 0.99, gradient descent 0.999")},
    {"batch", "B", OPTION_INT, AT(batch), "128", INTS(1, 1 << 20), ON(TRAINS),
     HELP(GROUP_TRAINING, "rows in a minibatch")},
    {"epochs", "E", OPTION_REAL, AT(epochs), "5", REALS(0, 1e6, true), ON(TRAINS | EXPERIMENT),
     HELP(GROUP_TRAINING, "passes over the training rows")},
    {"steps", "N", OPTION_INT, AT(steps), "0", INTS(0, INT32_MAX), ON(TRAINS),
     HELP(GROUP_TRAINING, "steps of training; 0: from --epochs")},
    {"rate", "R", OPTION_REAL, AT(rate), "0", REALS(0, 1e3), ON(TRAINS),
     HELP(GROUP_TRAINING,
          "peak step size of Adam; 0: 5e-3, less for more than 1,953 steps; gradient "
          "descent 3e-3")},
    {"schedule", "KIND", OPTION_CHOICE, AT(schedule), "cosine", CHOICES("cosine|constant"),
     ON(TRAINS), HELP(GROUP_TRAINING, "step size after the warm-up")},
    {"warmup", "N", OPTION_INT, AT(warmup), "-1", INTS(-1, INT32_MAX), ON(TRAINS),
     HELP(GROUP_TRAINING,
          "steps in which the step size rises to its peak; -1: 50, at most a tenth")},
    {"clip", "NORM", OPTION_REAL, AT(clip), "0", REALS(0, 1e30), ON(FIT),
     HELP(GROUP_TRAINING, "largest gradient norm; 0: no limit")},
    {"ridge", "R", OPTION_REAL, AT(ridge), "1e-3", REALS(0, 1e6, true), ON(FIT),
     HELP(GROUP_TRAINING, "ridge of the collocation's least squares")},
    {"resume", NULL, OPTION_FLAG, AT(resume), NULL, ON(FIT | EXPERIMENT),
     HELP(GROUP_TRAINING, "go on from the checkpoint of the same run")},
    {"checkpoint-seconds", "S", OPTION_REAL, AT(checkpoint_seconds), "30", REALS(0, 1e9),
     ON(FIT | EXPERIMENT),
     HELP(GROUP_TRAINING, "seconds between checkpoints; 0: only when stopped")},

    /* results */
    {"lambda", "L", OPTION_POINT, AT(lambda_low), NULL, LAMBDAS,
     ON(CMD_SAMPLE | CMD_EXPORT | POLISH),
     HELP(GROUP_RESULTS, "L2 penalty λ; without it the λ that tune would choose")},
    {"points", "N", OPTION_INT, AT(points), "20", INTS(2, 10000),
     ON(CMD_CURVE | CMD_TUNE | EXPERIMENT | AUDIT),
     HELP(GROUP_RESULTS, "values of λ on the curve, equally spaced in log λ")},
    {"draws", "D", OPTION_INT, AT(posterior_draws), "50", INTS(0, 10000), ON(CMD_CURVE),
     HELP(GROUP_RESULTS, "draws of ω for the curve's band; 0: no band")},
    {"draws", "D", OPTION_INT, AT(posterior_draws), "50", INTS(0, 10000), ON(CMD_TUNE),
     HELP(GROUP_RESULTS, "draws of ω for how often each λ is the best; 0: none")},
    {"draws", "D", OPTION_INT, AT(posterior_draws), "50", INTS(2, 10000), ON(CMD_SAMPLE),
     HELP(GROUP_RESULTS, "draws of ω from the posterior")},
    {"ood", "D", OPTION_TEXT, AT(ood), NULL, ON(CMD_SAMPLE),
     HELP(GROUP_RESULTS, "other data, a known name, folder or CSV file: how well the uncertainty "
                         "tells its test rows (all, where it has none) from the model's own")},
    {"draws", "D", OPTION_INT, AT(posterior_draws), "0", INTS(0, 10000), ON(POLISH),
     HELP(GROUP_RESULTS, "polish the networks of so many draws of ω, into the folder of --out; "
                         "0: those at ω = 1")},
    {"weights-seed", "S", OPTION_INT, AT(weights_seed), "-1", INTS(-1, INT64_MAX), ON(POLISH),
     HELP(GROUP_RESULTS, "seed of the draws of ω, as of refit; -1: the model's, as of sample, and "
                         "without --draws no weights")},
    {"steps", "N", OPTION_INT, AT(steps), "-1", INTS(-1, INT32_MAX), ON(POLISH),
     HELP(GROUP_RESULTS,
          "steps; 0: the generator's network as it is; -1: a twentieth of the fit's")},
    {"batch", "B", OPTION_INT, AT(batch), "0", INTS(0, 1 << 20), ON(POLISH),
     HELP(GROUP_RESULTS,
          "rows in a minibatch; 0: eight times the fit's, cut to make whole passes")},
    {"rate", "R", OPTION_REAL, AT(rate), "0", REALS(0, 1e3), ON(POLISH),
     HELP(GROUP_RESULTS, "step size of Adam, constant after a warm-up; 0: 1.5e-3")},
    {"parity", NULL, OPTION_FLAG, AT(parity), NULL, ON(POLISH),
     HELP(GROUP_RESULTS, "find how few steps make the networks as good as refits from scratch")},
    {"repeats", "R", OPTION_INT, AT(repeats), "3", INTS(1, 1000), ON(POLISH),
     HELP(GROUP_RESULTS, "refits that --parity holds every network against")},
    {"draws", "D", OPTION_INT, AT(posterior_draws), "50", INTS(0, 10000), ON(EXPERIMENT),
     HELP(GROUP_RESULTS, "draws of ω from the posterior; below 2: no posterior")},
    {"draws", "D", OPTION_INT, AT(posterior_draws), "20", INTS(3, 1000), ON(AUDIT),
     HELP(GROUP_RESULTS, "draws of ω at every λ, each with two refits")},
    {"lambda-points", "L,L,…", OPTION_TEXT, AT(lambda_points), NULL, ON(AUDIT | EXPERIMENT),
     HELP(GROUP_RESULTS, "λ at which the audit looks at the posterior; without it 1e-5, 4.3e-5, "
                         "1.3e-3 and 2e-2 of a range 1e-5:1e-1, and so placed on others")},
    {"repeats", "R", OPTION_INT, AT(repeats), "3", INTS(1, 1000), ON(AUDIT | EXPERIMENT),
     HELP(GROUP_RESULTS, "refits at every λ of the audited curve, each with a seed of its own")},
    {"cache", "FOLDER", OPTION_TEXT, AT(cache), NULL, ON(AUDIT | EXPERIMENT),
     HELP(GROUP_RESULTS,
          "where the audit's refits are kept, so that the next one is quick, or none; "
          "without it the user's cache folder")},
    {"candidates", "FILE", OPTION_TEXT, AT(candidates), NULL, ON(CMD_REPORT),
     HELP(GROUP_RESULTS, "also write the program's own logits there (safetensors), to hold against "
                         "those that the page computes")},
    {"select", "RULE", OPTION_CHOICE, AT(select), "grid", CHOICES("grid|one-se|gradient"),
     ON(CHOOSES),
     HELP(GROUP_RESULTS,
          "best point, largest λ within one standard error, or refined by gradient")},
    {"plot", NULL, OPTION_FLAG, AT(plot), NULL, ON(CMD_CURVE | CMD_TUNE | AUDIT | EXPERIMENT),
     HELP(GROUP_RESULTS, "draw the curve in the terminal too")},
    {"metric", "M", OPTION_CHOICE, AT(metric), "nll", CHOICES("nll|accuracy"),
     ON(CHOOSES & ~EXPERIMENT), HELP(GROUP_RESULTS, "what λ is chosen by, on the validation rows")},
    {"metric", "M", OPTION_CHOICE, AT(metric), NULL, CHOICES("nll|accuracy"), ON(EXPERIMENT),
     HELP(GROUP_RESULTS, "what λ is chosen by, on the validation rows; without it what the "
                         "protocol says")},

    /* estimation */
    {"use", "USE", OPTION_CHOICE, AT(use), "bootstrap",
     CHOICES("bootstrap|double-bootstrap|cv|stability|path"), ON(MEST),
     HELP(GROUP_ESTIMATION, "intervals; intervals calibrated by draws inside draws; choice of λ; "
                            "how often coefficients are selected; coefficients along λ")},
    {"loss", "KIND", OPTION_CHOICE, AT(loss), "squared",
     CHOICES("squared|logistic|lad|huber|quantile|student-t|hinge"), ON(MEST),
     HELP(GROUP_ESTIMATION, "what is minimised; logistic and hinge: two classes")},
    {"penalty", "KIND", OPTION_CHOICE, AT(penalty), NULL, CHOICES("none|l2|l1|elastic-net"),
     ON(MEST),
     HELP(GROUP_ESTIMATION, "λ·Σβ², λ·Σ|β| or both, on standardised columns, never on the "
                            "intercept; without it none for bootstrap, else l1")},
    {"lambda", "L", OPTION_POINT, AT(lambda_low), NULL, LAMBDAS, ON(MEST),
     HELP(GROUP_ESTIMATION, "penalty λ of a bootstrap; without it by cross-validation")},
    {"range", "LOW:HIGH", OPTION_RANGE, AT(range_low), NULL, LAMBDAS, ON(MEST),
     HELP(GROUP_ESTIMATION,
          "range of λ for cv, stability and path; without it from the data, and stability "
          "ends where one false selection is to be expected")},
    {"points", "N", OPTION_INT, AT(points), "100", INTS(2, 10000), ON(MEST),
     HELP(GROUP_ESTIMATION, "values of λ in the range, equally spaced in log λ")},
    {"mixing", "A", OPTION_REAL, AT(mixing), "0.5", REALS(0, 1, true), ON(MEST),
     HELP(GROUP_ESTIMATION, "elastic-net: share A of Σ|β|, 1 - A of Σβ²")},
    {"quantile", "Q", OPTION_REAL, AT(quantile), "0.5", REALS(0, 1, true), ON(MEST),
     HELP(GROUP_ESTIMATION, "quantile: the order of the quantile, below 1")},
    {"nu", "N", OPTION_REAL, AT(nu), "4", REALS(0, 1e6, true), ON(MEST),
     HELP(GROUP_ESTIMATION, "student-t: degrees of freedom")},
    {"delta", "D", OPTION_REAL, AT(delta), "1.345", REALS(0, 1e6, true), ON(MEST),
     HELP(GROUP_ESTIMATION, "huber: residuals beyond D times the scale count linearly")},
    {"scale", "S", OPTION_REAL, AT(scale), "0", REALS(0, 1e30), ON(MEST),
     HELP(GROUP_ESTIMATION,
          "huber, student-t: scale of the residuals; 0: 1.4826·MAD of a LAD fit")},
    {"folds", "K", OPTION_INT, AT(folds), "10", INTS(2, INT32_MAX), ON(MEST),
     HELP(GROUP_ESTIMATION, "folds of cross-validation, at most one per row")},
    {"blocks", "K", OPTION_INT, AT(blocks), "100", INTS(1, INT32_MAX, "n"), ON(MEST),
     HELP(GROUP_ESTIMATION, "blocks of rows that share a weight, at most one per row; n: that")},
    {"weights", "KIND", OPTION_CHOICE, AT(weights), "dirichlet",
     CHOICES("dirichlet|exponential|multinomial"), ON(MEST),
     HELP(GROUP_ESTIMATION, "distribution of the bootstrap weights ω; stability takes halves")},
    {"draws", "D", OPTION_INT, AT(posterior_draws), "0", INTS(0, 60000), ON(MEST),
     HELP(GROUP_ESTIMATION, "draws of ω, two at least; 0: 1000, for stability and path 200")},
    {"inner", "D", OPTION_INT, AT(inner), "100", INTS(10, 60000), ON(MEST),
     HELP(GROUP_ESTIMATION, "double-bootstrap: draws inside each draw")},
    {"level", "P", OPTION_REAL, AT(level), "0.95", REALS(0.01, 0.9999), ON(MEST),
     HELP(GROUP_ESTIMATION, "nominal level of the intervals and bands")},
    {"threshold", "P", OPTION_REAL, AT(threshold), "0.75", REALS(0.01, 1), ON(MEST),
     HELP(GROUP_ESTIMATION, "stability: frequency from which a coefficient counts as stable")},
    {"method", "KIND", OPTION_CHOICE, AT(method), "auto", CHOICES("auto|generator|refit"), ON(MEST),
     HELP(GROUP_ESTIMATION, "draws from the generator or by exact refits; auto: refits for lad, "
                            "quantile and hinge, whose generator smooths the loss")},
    {"audit-refits", "N", OPTION_INT, AT(exact), "0", INTS(0, 60000), ON(MEST),
     HELP(GROUP_ESTIMATION, "exact refits of the first N draws, with cv of all folds, to hold the "
                            "generator against")},
    {"no-intercept", NULL, OPTION_FLAG, AT(no_intercept), NULL, ON(MEST),
     HELP(GROUP_ESTIMATION, "no constant term")},
    {"no-standardise", NULL, OPTION_FLAG, AT(no_standardise), NULL, ON(MEST),
     HELP(GROUP_ESTIMATION, "penalise coefficients of the columns as they are")},

    /* experiment */
    {"protocol", "P", OPTION_CHOICE, AT(protocol), "default", CHOICES("default|paper"),
     ON(EXPERIMENT), HELP(GROUP_EXPERIMENT, "our best settings, or exactly the published ones")},
    {"dataset", "D", OPTION_TEXT, AT(dataset), "mnist", ON(EXPERIMENT),
     HELP(GROUP_EXPERIMENT, "mnist, fashion-mnist, or a folder of IDX files")},
    {"refits", "N", OPTION_INT, AT(refits), "1", INTS(1, 1000), ON(EXPERIMENT),
     HELP(GROUP_EXPERIMENT, "refits from scratch at every λ of the curve, averaged")},
    {"audit", NULL, OPTION_FLAG, AT(audit), NULL, ON(EXPERIMENT),
     HELP(GROUP_EXPERIMENT, "the whole audit: curve and posterior against refits, with a verdict")},
    {"reference", "FOLDER", OPTION_TEXT, AT(reference), NULL, ON(EXPERIMENT),
     HELP(GROUP_EXPERIMENT,
          "data and expected results to reproduce; without it data are simulated")},
    {"replications", "N", OPTION_INT, AT(replications), "0", INTS(0, 10000), ON(EXPERIMENT),
     HELP(GROUP_EXPERIMENT,
          "simulated data sets or repeated draws; 0: the experiment's own number")},

    /* common */
    {"out", "MODEL", OPTION_TEXT, AT(out), "model.safetensors", ON(FIT),
     HELP(GROUP_COMMON, "model file to write")},
    {"out", "FILE", OPTION_TEXT, AT(out), NULL, ON(CMD_EXPORT), MUST(CMD_EXPORT),
     HELP(GROUP_COMMON, "file to write the network's weights to (safetensors)")},
    {"out", "FILE", OPTION_TEXT, AT(out), NULL, ON(REFIT),
     HELP(GROUP_COMMON, "file to write the network's weights to; without it they are not kept")},
    {"out", "FILE", OPTION_TEXT, AT(out), NULL, ON(POLISH),
     HELP(GROUP_COMMON, "file to write the network's weights to, a folder with --draws or for a "
                        "model of several networks; without it they are not kept")},
    {"out", "FOLDER", OPTION_TEXT, AT(out), NULL, ON(EXPERIMENT),
     HELP(GROUP_COMMON, "folder for the results; without it results/NAME")},
    {"out", "FILE", OPTION_TEXT, AT(out), NULL, ON(CMD_CURVE),
     HELP(GROUP_COMMON, "NAME.npz, NAME.csv or NAME.json to write the curve to, or a folder for "
                        "all of them and the figure; without it it is only printed")},
    {"out", "FILE", OPTION_TEXT, AT(out), NULL, ON(CMD_SAMPLE),
     HELP(GROUP_COMMON, "NAME.npz to write the draws to, their weights included, NAME.json, or a "
                        "folder for tables and figures; without it results are only printed")},
    {"out", "FOLDER", OPTION_TEXT, AT(out), NULL, ON(AUDIT | MEST),
     HELP(GROUP_COMMON, "folder for the results; without it they are only printed")},
    {"out", "FILE", OPTION_TEXT, AT(out), NULL, ON(CMD_TUNE),
     HELP(GROUP_COMMON, "NAME.json to write the results to, or a folder for JSON, CSV and figure")},
    {"out", "FILE", OPTION_TEXT, AT(out), NULL, ON(CMD_REPORT),
     HELP(GROUP_COMMON, "page to write; without it report.html in the folder of the results")},
    {"out", "FILE", OPTION_TEXT, AT(out), NULL, ON(CMD_INFO),
     HELP(GROUP_COMMON, "file to write the results to as JSON")},
    {"seed", "N", OPTION_INT, AT(seed), "1", INTS(0, INT64_MAX), ON(CMD_ALL),
     HELP(GROUP_COMMON, "seed of every random number: split, blocks, initialisation, draws")},
    {"device", "KIND", OPTION_CHOICE, AT(device), "auto", CHOICES("auto|cpu|cuda"), ON(CMD_ALL),
     HELP(GROUP_COMMON, "where to compute; auto: on a GPU when one works")},
    {"threads", "N", OPTION_INT, AT(threads), "0", INTS(0, 1024), ON(CMD_ALL),
     HELP(GROUP_COMMON, "CPU threads; 0: all this process may use")},
    {"precision", "KIND", OPTION_CHOICE, AT(precision), "fp32", CHOICES("fp32|tf32|bf16"),
     ON(CMD_ALL), HELP(GROUP_COMMON, "arithmetic of matrix products; tf32 and bf16 need a GPU")},
    {"config", "FILE", OPTION_TEXT, AT(config), NULL, ON(CMD_ALL),
     HELP(GROUP_COMMON, "JSON object of options by long name; the command line overrides it")},
    {"json", NULL, OPTION_FLAG, AT(json), NULL, ON(CMD_ALL),
     HELP(GROUP_COMMON, "print the results as JSON")},
    {"quiet", NULL, OPTION_FLAG, AT(quiet), NULL, ON(CMD_ALL),
     HELP(GROUP_COMMON, "no progress and no messages, only results and errors")},
};

enum { COUNT = sizeof option_table / sizeof *option_table };
static_assert((int)COUNT <= (int)AM_MAX_OPTIONS, "settings.given has a place for every row");
const int option_count = COUNT;

const char *option_group_name(option_group group)
{
    static const char *const name[GROUP_COUNT] = {
        [GROUP_DATA] = "data",
        [GROUP_GENERATOR] = "generator",
        [GROUP_TRAINING] = "training",
        [GROUP_RESULTS] = "results",
        [GROUP_ESTIMATION] = "estimation",
        [GROUP_EXPERIMENT] = "experiment",
        [GROUP_COMMON] = "common",
    };
    return name[group];
}
