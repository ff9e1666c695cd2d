/* option — the one table of options. Parsing, validation, --config, help and the start-up print all
 * follow it; a new option is a new row and a field of settings. */
#ifndef AM_OPTION_H
#define AM_OPTION_H

#include "cli/cli.h"

typedef enum {
    OPTION_FLAG,   /* bool */
    OPTION_INT,    /* int64_t */
    OPTION_REAL,   /* double */
    OPTION_TEXT,   /* char *, not empty */
    OPTION_CHOICE, /* char *, one of limit.choices */
    OPTION_POINT,  /* two doubles, both L: a positive number within limit.real */
    OPTION_RANGE   /* two doubles, LOW:HIGH with 0 < LOW < HIGH, both within limit.real */
} option_kind;

typedef enum {
    GROUP_DATA,
    GROUP_GENERATOR,
    GROUP_TRAINING,
    GROUP_RESULTS,
    GROUP_ESTIMATION,
    GROUP_EXPERIMENT,
    GROUP_COMMON,
    GROUP_COUNT
} option_group;

/* A name may have several rows when it means different things to different commands; no two rows of
 * one name share a command. */
typedef struct {
    const char *name;    /* "lambda" */
    const char *metavar; /* "LOW:HIGH"; NULL for a flag */
    option_kind kind;
    size_t field;         /* offset in settings */
    const char *fallback; /* default, as it would be typed; NULL: none */
    union {
        struct {
            int64_t low, high;
            const char *zero; /* a word that stands for 0, or NULL */
        } integer;
        struct {
            double low, high;
            bool above; /* low itself is excluded */
        } real;
        const char *choices; /* "auto|direct|factored" */
    } limit;
    unsigned commands; /* set of CMD_ bits that take it */
    unsigned required; /* those that cannot do without */
    option_group group;
    const char *help; /* one line, with units */
} option;

/* option_table.c */
extern const option option_table[];
extern const int option_count;
const char *option_group_name(option_group group);

/* option_value.c — text → field, within the row's limits. file: the file of --config, or NULL for
 * the command line; it decides how an error names the option. */
am_status option_set(settings *s, const option *o, const char *file, const char *text,
                     am_error *err);
/* option_text.c — the field as it would be typed, in fresh memory; NULL when it has no value. */
char *option_value_text(const settings *s, const option *o);
/* The shortest text that reads back as the same double. */
void option_number_text(double value, char text[AM_NUMBER_TEXT]);
/* What the option takes: "a whole number in 1..4096". */
void option_limits_text(const option *o, char *text, size_t size);

/* option_find.c — the row of this name that cmd takes. AM_ERR_USAGE when there is none: names the
 * nearest option, or the commands that do take this one. */
am_status option_find(const command *cmd, const char *file, const char *name, size_t length,
                      const option **row, am_error *err);
/* The command of this name; the error names the nearest. */
am_status command_find(const char *name, const command **cmd, am_error *err);

/* suggest.c — how many insertions, deletions, substitutions and swaps of neighbours lead from
 * `typed` (length bytes) to `known`. */
int edit_distance(const char *typed, size_t length, const char *known);
/* The best of a series of candidates: offer them all, then read `best` (NULL: none is near). */
typedef struct {
    const char *typed;
    size_t length;
    const char *best;
    int distance;
} suggestion;
void suggestion_offer(suggestion *s, const char *known);

/* config.c — applies the JSON object in `path`: keys are long names without dashes. */
am_status config_apply(settings *s, const command *cmd, const char *path, am_error *err);

/* wrap.c — text in columns: words go to a new line, indented, before they pass AM_COLUMNS. */
enum { AM_COLUMNS = 100 };
typedef struct {
    FILE *stream;
    int indent; /* of the lines that follow */
    int column; /* where the next character would go */
} wrapper;
int text_width(const char *text); /* columns: characters of UTF-8 */
/* Writes `word` behind a blank, or on a new line. */
void wrap_word(wrapper *w, const char *word);
/* The words of a text, one by one. */
void wrap_text(wrapper *w, const char *text);

#endif
