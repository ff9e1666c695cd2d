/* Texts of the help that are no rows of a table: paragraphs, exit codes, environment. */
#include "cli/commands.h"
#include "cli/help.h"

const char help_about[] =
    "amortune trains one generator g(ω, λ) → θ of network weights in place of a grid of training "
    "runs, and reads off it the tuning curve over the penalty λ, the best λ, the network for it, "
    "and how the network would answer to other bootstrap weights ω. Results can be audited: held "
    "against refits from scratch, with a verdict.";

const char help_streams[] = "Results go to stdout, progress and messages to stderr.";

const help_item help_exit_codes[] = {
    {"0", "success"},
    {"1", "the work failed: no memory, a full disk, no GPU"},
    {"2", "wrong usage or bad input; one line on stderr names option or file, fault and remedy"},
    {"130",
     "interrupted (Ctrl-C); where a checkpoint is kept it is written first, and --resume goes on"},
    {NULL, NULL},
};

const help_item help_environment[] = {
    {"AMORTUNE_DATA",
     "folder of data sets by name: mnist is looked for in $AMORTUNE_DATA/mnist, then in "
     "datasets/mnist"},
    {"XDG_CACHE_HOME", "the audit keeps its refits in $XDG_CACHE_HOME/amortune; without it in "
                       "~/.cache/amortune"},
    {"NO_COLOR", "any value turns colours off"},
    {"COLUMNS", "width of --plot; without it the terminal's, else 80"},
    {"LC_ALL, LC_CTYPE, LANG", "--plot draws in ASCII unless the first of them that is set names "
                               "UTF-8"},
    {"OMP_NUM_THREADS", "CPU threads, without --threads"},
    {"OPENBLAS_CORETYPE, GOMP_SPINCOUNT, OMP_WAIT_POLICY",
     "settings of OpenBLAS and OpenMP; where they are not set the program chooses them for itself"},
    {NULL, NULL},
};

const help_item help_files[] = {
    {"MODEL.safetensors", "a fitted generator: tensors, and in the header's metadata all that is "
                          "needed to use it: data, split, seed, ranges, settings of the fit"},
    {"MODEL.safetensors.checkpoint", "the state of an unfinished fit, for --resume; removed at its "
                                     "end"},
    {"results/NAME/", "what experiment NAME writes, summary.json first"},
    {NULL, NULL},
};

static const help_text texts[] = {
    {CMD_FIT,
     "Trains one generator on the data: many networks along λ at once, each taking the step that "
     "it would take alone, and the generator the projection of these steps. It costs about as much "
     "as a few ordinary training runs and stands for all λ of the range. With --posterior implicit "
     "the networks' answer to the weights ω follows by implicit differentiation.",
     "--data trial.csv --label outcome --posterior implicit --out trial.safetensors",
     "The model, and while the fit runs a checkpoint beside it."},
    {CMD_CURVE,
     "Evaluates the generator's networks along λ on the validation rows: loss and accuracy at ω = "
     "1, and, where the generator sees ω, the band of 5 to 95 % over draws of ω.",
     "mnist.safetensors --plot",
     "In the folder of --out: curve.csv, curve.json, curve.npz, curve.svg."},
    {CMD_TUNE,
     "Chooses λ by the validation rows: the best point of the grid, the largest λ within one "
     "standard error of it, or a point refined by the exact gradient through the generator. Says "
     "when the choice lies at the range's edge or on a plateau, and over draws of ω how sure it "
     "is.",
     "mnist.safetensors --plot", "In the folder of --out: choice.json, choice.csv, choice.svg."},
    {CMD_SAMPLE,
     "Draws networks of the weighted Bayesian bootstrap at one λ and scores the mean of their "
     "predictions on the test rows: loss, accuracy, Brier score, calibration, entropy and mutual "
     "information. With --ood, how well the uncertainty tells other data from the model's own. A "
     "generator that does not see ω serves as the start of short weighted refits.",
     "mnist.safetensors --ood fashion-mnist --out results/sample",
     "In the folder of --out: sample.json, draws.csv, draws.npz; for classes uncertainty.csv, "
     "reliability.csv, reliability.svg; with --ood ood.csv, ood_uncertainty.csv, ood.svg."},
    {CMD_AUDIT,
     "Trains refits from scratch, their step size found by a search, and reports how far the "
     "generator's curve and posterior can be trusted: accuracy and training criterion against "
     "them, rank correlation, regret of the chosen λ; and at a few λ the spread ratio, the "
     "captured signal and the fidelity of the draws. Every property gets PASS, WARN or FAIL with "
     "the rule that decides. Refits are cached: a second audit is quick.",
     "mnist.safetensors --lambda-points 1e-4,1e-2 --cache none",
     "In the folder of --out: audit.json, audit_curve.csv, audit_posterior.csv, audit_rates.csv, "
     "audit_curve.svg, audit_gap.svg, audit_draws.svg, audit_spread.svg."},
    {CMD_POLISH,
     "Takes the generator's network at one λ, or one for every draw of ω, and trains it on by a "
     "few steps of its own true gradient. --parity finds how few steps make it as good as a refit "
     "from scratch.",
     "mnist.safetensors --draws 20 --out networks",
     "The network of --out; with --draws a folder of networks with polish.csv and polish.json."},
    {CMD_REFIT,
     "Trains one network from scratch at one λ, with the same loss, data and epochs as a fit: the "
     "baseline that generators are held against.",
     "--data mnist --lambda 1e-4 --weights-seed 7 --out refit.safetensors",
     "The network's weights, with --out."},
    {CMD_EXPORT, "Writes the generator's network at one λ as plain tensors in PyTorch's layout.",
     "mnist.safetensors --select one-se --out network.safetensors",
     "A safetensors file: fc1.weight (outputs × inputs), fc1.bias, fc2.weight, …"},
    {CMD_INFO,
     "Shows what a model file holds: target, features, ranges, data, settings of the fit.",
     "mnist.safetensors", NULL},
    {CMD_MEST,
     "Estimates β̂(ω, λ) = argmin (1/n) Σ ω_i ℓ(y_i, x_iᵀβ) + λ·penalty on a CSV, for thousands of "
     "weights ω at the price of a few exact solves, and uses it for bootstrap intervals, "
     "calibrated intervals, cross-validation, stability selection and paths. --audit-refits holds "
     "the draws against exact refits and measures how the generator answers to ω.",
     "--data patients.csv --label died --loss logistic --use cv --penalty l1",
     "In the folder of --out: summary.json, and by --use coefficients.csv, draws.csv, "
     "intervals.svg; curve.csv, curve.svg, path.csv, path.svg; frequencies.csv, stability.svg."},
    {CMD_REPORT,
     "Writes one self-contained page that opens offline in any browser: the verdict first, then a "
     "slider along λ that moves loss, accuracy, confusion matrix, calibration, first-layer weights "
     "and the predictions over draws of ω for a gallery of rows; how sure the choice is, what it "
     "cost, all numbers, and the command that reproduces them. A small generator is carried in the "
     "page and evaluated by the browser, others at λ computed before. Experiments write it by "
     "themselves.",
     "trial.safetensors --out trial.html",
     "The page; without --out RESULTS/report.html, of a model report.html."},
    {CMD_EXPERIMENT,
     "Reproduces a published experiment and prints its results beside the published numbers. The "
     "classical experiments, whose optimum is exact, also hold their generators' answer to ω "
     "against exact refits.",
     "ridge --replications 5 --out results/ridge",
     "In the folder of --out: summary.json, run.json, CSV files, figures and report.html; mnist "
     "also model.safetensors."},
};

const help_text *help_text_of(const command *cmd)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].bit == cmd->bit)
            return &texts[i];
    return NULL;
}
