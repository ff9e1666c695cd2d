/* base — what every room uses: errors, checked memory, files. Includes nothing above it.
 *
 * Convention: a function that can fail returns am_status and takes `am_error *err` last; err may
 * not be NULL inside the library. The first failure is written once, by am_fail, where it is found,
 * as one line: "file: fault; remedy". Callers only pass the status on. */
#ifndef AM_BASE_H
#define AM_BASE_H

#include "amortune.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#if defined(__GNUC__)
#define AM_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define AM_MUST_USE __attribute__((warn_unused_result))
#else
#define AM_PRINTF(fmt, args)
#define AM_MUST_USE
#endif

/* Pass a failure on: `AM_TRY(step(x, err));` returns the status when it is not AM_OK. */
#define AM_TRY(call)                                                                               \
    do {                                                                                           \
        am_status am_try_status_ = (call);                                                         \
        if (am_try_status_ != AM_OK)                                                               \
            return am_try_status_;                                                                 \
    } while (0)

#define AM_MIN(a, b) ((a) < (b) ? (a) : (b))
#define AM_MAX(a, b) ((a) > (b) ? (a) : (b))

/* error.c — writes the message and returns `status`, so that `return am_fail(…)` reads well. */
am_status am_fail(am_error *err, am_status status, const char *format, ...) AM_PRINTF(3, 4);
/* "path: cannot <action>: <what errno value `cause` means>; <remedy>" with AM_ERR_IO. */
am_status am_fail_errno(am_error *err, const char *path, const char *action, int cause);

/* memory.c — zeroed memory for `count` items of `size` bytes; NULL with AM_ERR_MEMORY in err when
 * the product overflows or memory is out. Release with free(). */
void *am_alloc(size_t count, size_t size, const char *what, am_error *err) AM_MUST_USE;
char *am_strdup(const char *text, am_error *err) AM_MUST_USE;
/* printf into fresh memory (free it); NULL when memory is out. */
char *am_format(const char *format, ...) AM_PRINTF(1, 2);

/* clock.c — monotonic seconds, for ledgers and progress. */
double am_seconds(void);

/* file.c — paths and whole files. */
bool am_path_exists(const char *path);
bool am_path_is_folder(const char *path);
/* Creates `path` and its parents; an existing folder is fine. AM_ERR_IO names path and cause. */
am_status am_make_folders(const char *path, am_error *err);
/* Checks that a file could be created in `folder` (creating the folder): fail before the work. */
am_status am_check_writable(const char *folder, am_error *err);
/* The same for a file that results are to be written to (--out). */
am_status am_check_writable_file(const char *path, am_error *err);
/* Whole file into fresh memory with a terminating NUL (not counted in *size); free() it. */
am_status am_read_file(const char *path, char **bytes, size_t *size, am_error *err);

/* output.c — a file that appears under its name only when complete: written to "PATH.tmp-PID",
 * synced, then renamed. On any failure, a full disk included, the temporary file is removed and
 * what stood at PATH before is untouched. A symbolic link is followed; anything else that is no
 * regular file is refused. Writes need no checks of their own: commit reports the stream's error.
 */
typedef struct {
    FILE *stream;
    char *path;      /* final name */
    char *temporary; /* name while writing */
} am_output;
am_status am_output_open(am_output *out, const char *path, am_error *err);
am_status am_output_commit(am_output *out, am_error *err); /* closes in every case */
void am_output_discard(am_output *out);                    /* safe on a zeroed or committed one */
am_status am_write_file(const char *path, const void *bytes, size_t size, am_error *err);

/* text.c — strict parsing, in any locale: the whole text must be one decimal number. false on junk,
 * blanks, overflow, NaN, infinity. */
bool am_parse_int(const char *text, int64_t *value);
bool am_parse_double(const char *text, double *value);
/* The shortest text that reads back as the same number, in any locale ('.' is the decimal point):
 * as the same float when the value is one, else as the same double; "nan", "inf", "-inf". */
enum { AM_NUMBER_TEXT = 32 };
void am_number_text(double value, char text[AM_NUMBER_TEXT]);
/* utf8.c — bytes of the UTF-8 character that starts `text` (1..4) and its code point; 0 when none
 * of at most `size` bytes does: malformed, overlong, a surrogate, or nothing there. */
int am_utf8_decode(const char *text, size_t size, uint32_t *codepoint);
/* Puts '?' in the place of every byte that is no part of a UTF-8 character. */
void am_utf8_repair(char *text);

#endif
