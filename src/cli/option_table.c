#include "cli/commands.h"
#include "cli/option.h"

#include <assert.h>

#define FIT CMD_FIT
#define REFIT CMD_REFIT
#define EXPERIMENT CMD_EXPERIMENT
#define TRAINS (CMD_FIT | CMD_REFIT)
#define READS (CMD_CURVE | CMD_TUNE | CMD_SAMPLE | CMD_EXPORT)
#define CHOOSES (CMD_TUNE | CMD_SAMPLE | CMD_EXPORT | CMD_EXPERIMENT)

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

const option option_table[] = {
    /* data */
    {"data", "D", OPTION_TEXT, AT(data), NULL, ON(TRAINS), MUST(TRAINS),
     HELP(GROUP_DATA, "folder of IDX files, CSV file, or a known name: mnist, fashion-mnist")},
    {"data", "D", OPTION_TEXT, AT(data), NULL, ON(READS),
     HELP(GROUP_DATA, "the data that the model was fitted to, when they lie elsewhere now")},
    {"label", "COLUMN", OPTION_TEXT, AT(label), NULL, ON(TRAINS),
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
    {"alpha", "A", OPTION_REAL, AT(alpha), "1", REALS(0.05, 1e6), ON(TRAINS),
     HELP(GROUP_GENERATOR, "concentration of --weights dirichlet")},
    {"blocks", "K", OPTION_INT, AT(blocks), "16", INTS(1, INT32_MAX, "n"), ON(TRAINS),
     HELP(GROUP_GENERATOR, "blocks of observations that share a weight; n: one per observation")},
    {"embedding", "I", OPTION_INT, AT(embedding), "0", INTS(0, AM_MAX_FEATURES - 1), ON(FIT),
     HELP(GROUP_GENERATOR, "columns that ω is embedded into; 0: chosen by the number of blocks")},
    {"omega0", NULL, OPTION_FLAG, AT(omega0), NULL, ON(FIT),
     HELP(GROUP_GENERATOR, "multiply λ by a random weight ω₀ too")},
    {"networks", "E", OPTION_INT, AT(networks), "1", INTS(1, AM_MAX_NETWORKS), ON(FIT | EXPERIMENT),
     HELP(GROUP_GENERATOR, "networks from different starts, trained at once; predictions are their "
                           "mean")},

    /* training */
    {"lambda", "L", OPTION_POINT, AT(lambda_low), NULL, LAMBDAS, ON(REFIT), MUST(REFIT),
     HELP(GROUP_TRAINING, "L2 penalty λ, the factor of Σθ²")},
    {"weights-seed", "S", OPTION_INT, AT(weights_seed), "-1", INTS(-1, INT64_MAX), ON(REFIT),
     HELP(GROUP_TRAINING,
          "seed of the draw of the weights ω, dirichlet without --weights; -1: --seed")},
    {"mode", "KIND", OPTION_CHOICE, AT(mode), "criterion", CHOICES("criterion"), ON(FIT),
     HELP(GROUP_TRAINING, "criterion: minimise the mean criterion over draws of λ and ω")},
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
    {"lambda", "L", OPTION_POINT, AT(lambda_low), NULL, LAMBDAS, ON(CMD_SAMPLE | CMD_EXPORT),
     HELP(GROUP_RESULTS, "L2 penalty λ; without it the λ that tune would choose")},
    {"points", "N", OPTION_INT, AT(points), "20", INTS(2, 10000),
     ON(CMD_CURVE | CMD_TUNE | EXPERIMENT),
     HELP(GROUP_RESULTS, "values of λ on the curve, equally spaced in log λ")},
    {"draws", "D", OPTION_INT, AT(posterior_draws), "50", INTS(0, 10000), ON(CMD_CURVE),
     HELP(GROUP_RESULTS, "draws of ω for the curve's band; 0: no band")},
    {"draws", "D", OPTION_INT, AT(posterior_draws), "50", INTS(2, 10000), ON(CMD_SAMPLE),
     HELP(GROUP_RESULTS, "draws of ω from the posterior")},
    {"draws", "D", OPTION_INT, AT(posterior_draws), "50", INTS(0, 10000), ON(EXPERIMENT),
     HELP(GROUP_RESULTS, "draws of ω from the posterior; below 2: no posterior")},
    {"select", "RULE", OPTION_CHOICE, AT(select), "grid", CHOICES("grid|one-se|gradient"),
     ON(CHOOSES),
     HELP(GROUP_RESULTS,
          "best point, largest λ within one standard error, or refined by gradient")},
    {"metric", "M", OPTION_CHOICE, AT(metric), "nll", CHOICES("nll|accuracy"),
     ON(CHOOSES & ~EXPERIMENT), HELP(GROUP_RESULTS, "what λ is chosen by, on the validation rows")},
    {"metric", "M", OPTION_CHOICE, AT(metric), NULL, CHOICES("nll|accuracy"), ON(EXPERIMENT),
     HELP(GROUP_RESULTS, "what λ is chosen by, on the validation rows; without it what the "
                         "protocol says")},

    /* experiment */
    {"protocol", "P", OPTION_CHOICE, AT(protocol), "default", CHOICES("default|paper"),
     ON(EXPERIMENT), HELP(GROUP_EXPERIMENT, "our best settings, or exactly the published ones")},
    {"dataset", "D", OPTION_TEXT, AT(dataset), "mnist", ON(EXPERIMENT),
     HELP(GROUP_EXPERIMENT, "mnist, fashion-mnist, or a folder of IDX files")},
    {"refits", "N", OPTION_INT, AT(refits), "1", INTS(1, 1000), ON(EXPERIMENT),
     HELP(GROUP_EXPERIMENT, "refits from scratch at every λ of the curve, averaged")},
    {"audit", NULL, OPTION_FLAG, AT(audit), NULL, ON(EXPERIMENT),
     HELP(GROUP_EXPERIMENT, "hold the generator against refits along λ")},

    /* common */
    {"out", "MODEL", OPTION_TEXT, AT(out), "model.safetensors", ON(FIT),
     HELP(GROUP_COMMON, "model file to write")},
    {"out", "FILE", OPTION_TEXT, AT(out), NULL, ON(CMD_EXPORT), MUST(CMD_EXPORT),
     HELP(GROUP_COMMON, "file to write the network's weights to (safetensors)")},
    {"out", "FILE", OPTION_TEXT, AT(out), NULL, ON(REFIT),
     HELP(GROUP_COMMON, "file to write the network's weights to; without it they are not kept")},
    {"out", "FOLDER", OPTION_TEXT, AT(out), NULL, ON(EXPERIMENT),
     HELP(GROUP_COMMON, "folder for the results; without it results/NAME")},
    {"out", "FOLDER", OPTION_TEXT, AT(out), NULL, ON(CMD_CURVE | CMD_SAMPLE),
     HELP(GROUP_COMMON, "folder for the results; without it they are only printed")},
    {"out", "FILE", OPTION_TEXT, AT(out), NULL, ON(CMD_TUNE | CMD_INFO),
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
        [GROUP_EXPERIMENT] = "experiment",
        [GROUP_COMMON] = "common",
    };
    return name[group];
}
