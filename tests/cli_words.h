/* A command line as one string, parsed: what the tests of the command line share. */
#ifndef AM_TEST_CLI_WORDS_H
#define AM_TEST_CLI_WORDS_H

#include "cli/cli.h"

#include <criterion/criterion.h>

#include <string.h>

enum { MOST_WORDS = 256, LONGEST_LINE = 8192 };

typedef struct {
    settings s;
    const command *cmd;
    cli_request request;
    am_status status;
    am_error err;
} parsed;

/* Words are parted by single blanks; "amortune" is put before them. */
static inline parsed parse_words(const char *words)
{
    char line[LONGEST_LINE], *argv[MOST_WORDS] = {(char *)"amortune"};
    int argc = 1;
    cr_assert(strlen(words) < sizeof line);
    strcpy(line, words);
    char *rest = line;
    for (char *word; (word = strsep(&rest, " ")) != NULL && *words != '\0';) {
        cr_assert(argc < MOST_WORDS);
        argv[argc++] = word;
    }
    parsed p = {0};
    p.status = settings_parse(argc, argv, &p.s, &p.cmd, &p.request, &p.err);
    return p;
}

/* The same, where success is expected. */
static inline parsed parse_good(const char *words)
{
    parsed p = parse_words(words);
    cr_assert(p.status == AM_OK, "amortune %s: %s", words, p.err.message);
    return p;
}

#endif
