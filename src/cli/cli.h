/* cli — the program: one table of options, one file per command. Results go to stdout, progress and
 * messages to stderr. Exit 0 success, 1 the work failed, 2 wrong usage or bad input, 130 after
 * Ctrl-C (a checkpoint, where one is kept, is written first). */
#ifndef AM_CLI_H
#define AM_CLI_H

#include "train/train.h"

#include <signal.h>

enum { AM_MAX_OPTIONS = 256 /* rows of the option table */ };

/* Every option's value, filled from the table's defaults, then --config, then the command line; a
 * command that lacks an option sees its default. Text is owned by the settings. */
typedef struct {
    /* common */
    int64_t seed;
    char *device;
    int64_t threads;
    char *precision;
    char *out;
    bool json, quiet;
    char *config;
    /* data */
    char *data, *label, *task, *test;
    double validation;
    /* generator */
    char *target, *activation, *features, *init, *penalty, *weights;
    /* --lambda LOW:HIGH of fit; both equal for --lambda L; both 0 when there is no default */
    double lambda_low, lambda_high;
    double lambda_knee; /* −1: by the recipe */
    double alpha;
    int64_t blocks; /* 0: one per observation */
    int64_t embedding;
    bool omega0;
    int64_t networks;
    char *posterior;        /* none, implicit */
    int64_t response_draws; /* 0: by the number of blocks */
    /* training */
    char *mode, *path, *descent, *plan, *schedule, *nodes;
    int64_t labels, rounds;
    double share;
    int64_t draws, batch, warmup, steps;
    int64_t minibatches;
    double epochs, rate, clip, ridge, stretch, tilt, beta1, beta2;
    bool resume;
    double checkpoint_seconds;
    /* curve, tune, sample, refit, export */
    int64_t points;
    int64_t posterior_draws; /* --draws of curve, tune, sample, polish, experiment */
    int64_t weights_seed;    /* −1: ω = 1 */
    char *select;            /* grid, one-se, gradient */
    char *metric;            /* nll, accuracy */
    char *ood;               /* data that the model has not seen the like of, or NULL */
    bool parity;
    bool plot;
    char *candidates; /* file of report, or NULL */
    /* audit */
    char *lambda_points; /* "L,L,…" of the posterior, or NULL */
    char *cache;         /* folder of refits, "none", or NULL: the user's cache folder */
    int64_t repeats;     /* refits at every λ */
    /* experiment */
    char *protocol, *dataset;
    bool audit;
    int64_t refits;       /* at every λ of the curve */
    char *reference;      /* folder of reference data */
    int64_t replications; /* 0: the experiment's own number */
    /* mest */
    char *use, *loss, *method;
    double mixing, quantile, nu, delta, scale, level, threshold;
    double range_low, range_high; /* of --range; both 0: chosen from the data */
    int64_t folds, inner, exact;
    bool no_intercept, no_standardise;
    /* positional arguments behind the command */
    int argument_count;
    char *argument[4];
    bool given[AM_MAX_OPTIONS]; /* row i of the option table was set by the user */
} settings;

typedef struct {
    const char *name;      /* "fit" */
    unsigned bit;          /* this command in the option table's sets of commands */
    const char *arguments; /* "--data D --out MODEL", for the usage line */
    const char *summary;   /* one line */
    const char *example;   /* what follows "amortune fit " in the help's example */
    int least, most;       /* positional arguments */
    bool announces;        /* prints its settings before a long run */
    /* Whether this run uses the option; NULL: every option of the command, as the common ones. */
    bool (*uses)(const settings *s, const char *option);
    am_status (*run)(const settings *s, am_error *err);
} command;

/* commands.c — the table of commands, ended by a NULL name. */
extern const command command_table[];

/* option_parse.c — what the command line asks for. */
typedef enum { ASK_RUN, ASK_HELP, ASK_MAN, ASK_COMPLETION, ASK_VERSION } cli_request;
/* Parses the command line and the file that --config names. AM_ERR_USAGE names the option, the
 * fault and the remedy (the nearest known option for an unknown one). *cmd is NULL for general
 * help. s needs settings_free in every case. */
am_status settings_parse(int argc, char **argv, settings *s, const command **cmd,
                         cli_request *request, am_error *err);
void settings_free(settings *s);
/* Whether the user set this option (by its long name, without dashes), on the command line or in
 * the file of --config. */
bool settings_given(const settings *s, const char *option);
/* help.c — general help (cmd NULL) or one command's, from the tables. */
void help_print(const command *cmd, FILE *stream);
/* settings_print.c — the start-up print: every option of cmd that has a value; nothing with
 * --quiet. */
void settings_print(const settings *s, const command *cmd, FILE *stream);

/* progress.c — how a run reports and is stopped: one rewritten line on a terminal, otherwise a line
 * per interval; nothing with --quiet. The first SIGINT or SIGTERM asks the loop to stop, the second
 * kills. The same hooks may serve several loops, one after the other. */
typedef struct {
    bool quiet, terminal, colour;
    FILE *stream;         /* stderr; not owned */
    const char *task;     /* of the last report; not owned */
    int64_t step;         /* of the last report */
    double shown_seconds; /* time and share done of the last line */
    double shown_share;
    double rate;                /* steps a second */
    int width;                  /* characters of the unfinished line on the terminal */
    struct sigaction before[2]; /* what SIGINT and SIGTERM did before */
    bool caught[2];
} progress;
/* p must outlive the hooks; the caller ends it with progress_end. */
train_hooks progress_hooks(progress *p, const settings *s, const char *checkpoint);
/* Finishes the line and gives the signals back. */
void progress_end(progress *p);
/* A message line on stderr unless --quiet. */
void progress_note(const settings *s, const char *format, ...) AM_PRINTF(2, 3);

/* Where --out points, or the command's default. */
static inline const char *out_or(const settings *s, const char *fallback)
{
    return s->out != NULL ? s->out : fallback;
}

#endif
