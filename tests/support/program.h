/* program — the program as a user runs it: started by a shell in a folder, and what it left. */
#ifndef AM_TEST_PROGRAM_H
#define AM_TEST_PROGRAM_H

#include "data_files.h"

#include <cjson/cJSON.h>
#include <sys/types.h>

typedef struct {
    int code;  /* exit code as a shell says it: 128 + S for a process that signal S ended */
    char *out; /* what it printed on stdout, */
    char *err; /* and on stderr; owned */
} outcome;
void outcome_free(outcome *o);

/* Runs `amortune WORDS`, quoted as in a shell, in the folder, on one thread. */
outcome amortune(const test_folder *folder, const char *words, ...) AM_PRINTF(2, 3);
/* Runs a script with `bash -e` in the folder; "$AMORTUNE" is the program. */
outcome script(const test_folder *folder, const char *text, ...) AM_PRINTF(2, 3);
/* The same with stdout and stderr on one terminal: all that is printed is in out. */
outcome script_on_terminal(const test_folder *folder, const char *text, ...) AM_PRINTF(2, 3);

/* A script that is not waited for yet. */
typedef struct {
    pid_t pid;
    FILE *out, *err;
} running;
running start_script(const test_folder *folder, const char *text, ...) AM_PRINTF(2, 3);
outcome finish_script(running *r);

/* Runs `amortune WORDS --quiet` and sends the signal once it has written a new checkpoint, a file
 * in the folder; a run that ends before is not signalled. */
outcome signal_at_checkpoint(const test_folder *folder, int signal_number, const char *checkpoint,
                             const char *words, ...) AM_PRINTF(4, 5);

/* ---- expectations ---------------------------------------------------------------------------- */

/* `amortune WORDS --quiet` succeeds and prints nothing on stderr; returns what is on stdout (free).
 */
char *succeeds(const test_folder *folder, const char *words, ...) AM_PRINTF(2, 3);
/* `amortune WORDS --quiet` fails with this exit code, nothing on stdout, and on stderr one line
 * "amortune: …" that holds every part; parts are parted by '|'. */
void refuses(const test_folder *folder, int code, const char *parts, const char *words, ...)
    AM_PRINTF(4, 5);
void expect_holds(const char *text, const char *part);
void expect_lacks(const char *text, const char *part);

/* ---- what it wrote --------------------------------------------------------------------------- */

cJSON *parse_json(const char *text);
/* The item at a path such as "test.nll" or "0.lambda"; a test fails where there is none. */
const cJSON *json_item(const cJSON *root, const char *path);
double json_value(const cJSON *root, const char *path);
/* Every path of a list parted by blanks. */
void expect_json_items(const cJSON *root, const char *paths);
/* The file as text (free). */
char *file_text(const test_folder *folder, const char *name);
/* The document that --json printed (freed), which must be what the file holds. */
cJSON *summary_of(const test_folder *folder, const char *name, char *printed);
/* The file's header is `header` and it has `rows` lines of as many fields. */
void expect_csv(const test_folder *folder, const char *name, const char *header, int rows);
/* An SVG whose elements are closed in the right order. */
void expect_svg(const test_folder *folder, const char *name);
/* A safetensors file that holds an F32 tensor of this shape (columns 0: rank 1). */
void expect_tensor(const test_folder *folder, const char *name, const char *tensor, int64_t rows,
                   int64_t columns);
bool same_files(const test_folder *folder, const char *a, const char *b);
int lines_of(const char *text);
int count_entries(const test_folder *folder);

#endif
