/* help — what the program says about itself, from the tables of commands, options and experiments:
 * on the terminal, as a man page and as completions for bash. */
#ifndef AM_HELP_H
#define AM_HELP_H

#include "cli/option.h"

/* help_text.c — a command's paragraphs, by its bit. */
typedef struct {
    unsigned bit;
    const char *description;
    const char *more;  /* a second example, as command.example, or NULL */
    const char *files; /* what is written where, or NULL */
} help_text;
/* NULL: there is none. */
const help_text *help_text_of(const command *cmd);

/* Name and meaning, ended by a NULL name. */
typedef struct {
    const char *name, *meaning;
} help_item;
extern const help_item help_exit_codes[], help_environment[], help_files[];
extern const char help_about[], help_streams[];

/* help_man.c — the man page of the program, section 1 (groff man macros, ASCII). */
void help_man(FILE *stream);
/* help_completion.c — completion for bash, to be sourced or installed. */
void help_completion_bash(FILE *stream);

#endif
