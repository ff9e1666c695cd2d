/* base: errors, memory, text, UTF-8, files, atomic output. */
#include "base/base.h"

#include <criterion/criterion.h>

#include <float.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a temporary folder ---------------------------------------------------------------------- */

static char folder[64];

static void make_temporary(void)
{
    strcpy(folder, "/tmp/amortune-base-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
}

static void remove_temporary(void)
{
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    cr_assert(system(command) == 0);
}

/* The path of `name` in the folder, in one of four buffers used in turn. */
static const char *in_folder(const char *name)
{
    static char path[4][512];
    static int next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", folder, name);
    return path[next];
}

static int files_in_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "find '%s' -type f | wc -l", folder);
    FILE *pipe = popen(command, "r");
    int count = -1;
    cr_assert(pipe && fscanf(pipe, "%d", &count) == 1);
    pclose(pipe);
    return count;
}

static void cr_holds(const char *path, const char *expected)
{
    char *bytes;
    size_t size;
    am_error err = {0};
    cr_assert(am_read_file(path, &bytes, &size, &err) == AM_OK, "%s", err.message);
    cr_assert(size == strlen(expected) && strcmp(bytes, expected) == 0, "%s holds '%s'", path,
              bytes);
    free(bytes);
}

static void cr_says(const am_error *err, am_status status, const char *part)
{
    cr_assert(err->status == status, "status %s: %s", am_status_name(err->status), err->message);
    cr_assert(strstr(err->message, part) != NULL, "'%s' is not in: %s", part, err->message);
    cr_assert(strchr(err->message, '\n') == NULL);
}

/* ---- errors ---------------------------------------------------------------------------------- */

Test(error, fail_writes_status_and_message)
{
    am_error err = {0};
    cr_assert(am_fail(&err, AM_ERR_INPUT, "%s: row %d; fix it", "a.csv", 7) == AM_ERR_INPUT);
    cr_assert(err.status == AM_ERR_INPUT);
    cr_assert_str_eq(err.message, "a.csv: row 7; fix it");
}

Test(error, message_is_one_clean_line)
{
    am_error err = {0};
    am_fail(&err, AM_ERR_IO, "a\nb\x1b[31m\xff λ");
    cr_assert_str_eq(err.message, "a?b?[31m? λ");
}

Test(error, long_message_keeps_head_and_tail)
{
    char path[3000];
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    memcpy(path, "/start", 6);
    am_error err = {0};
    am_fail(&err, AM_ERR_IO, "%s: the fault; the remedy", path);
    cr_assert(strlen(err.message) == sizeof err.message - 1);
    cr_assert(strncmp(err.message, "/start", 6) == 0);
    cr_says(&err, AM_ERR_IO, " ... ");
    cr_says(&err, AM_ERR_IO, "xx: the fault; the remedy");
}

Test(error, long_message_is_cut_between_characters)
{
    char text[2000] = "";
    for (int i = 0; i < 600; i++)
        strcat(text, "λ");
    for (int shift = 0; shift < 4; shift++) {
        am_error err = {0};
        am_fail(&err, AM_ERR_IO, "%s%s", &"abc"[3 - shift], text);
        cr_assert(strchr(err.message, '?') == NULL);
        char copy[sizeof err.message];
        strcpy(copy, err.message);
        am_utf8_repair(copy);
        cr_assert_str_eq(copy, err.message);
    }
}

Test(error, message_may_quote_itself)
{
    am_error err = {0};
    am_fail(&err, AM_ERR_IO, "inner");
    am_fail(&err, AM_ERR_IO, "outer (%s)", err.message);
    cr_assert_str_eq(err.message, "outer (inner)");
}

Test(version, names)
{
    cr_assert_str_eq(am_version(), AM_VERSION);
    cr_assert_str_eq(am_status_name(AM_OK), "ok");
    cr_assert_str_eq(am_status_name(AM_ERR_INPUT), "input");
    cr_assert_str_eq(am_status_name((am_status)99), "unknown");
    for (int a = AM_OK; a <= AM_ERR_INTERNAL; a++)
        for (int b = a + 1; b <= AM_ERR_INTERNAL; b++)
            cr_assert(strcmp(am_status_name((am_status)a), am_status_name((am_status)b)) != 0);
}

/* ---- memory and clock ------------------------------------------------------------------------ */

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

Test(memory, alloc_is_zeroed_even_when_empty)
{
    am_error err = {0};
    char *bytes = am_alloc(100, 3, "test", &err), *none = am_alloc(0, 8, "test", &err);
    cr_assert(bytes && none && err.status == AM_OK);
    for (int i = 0; i < 300; i++)
        cr_assert(bytes[i] == 0);
    free(bytes);
    free(none);
}

Test(memory, alloc_refuses_overflow_and_too_much)
{
    am_error err = {0};
    cr_assert(am_alloc(SIZE_MAX / 2, 4, "head", &err) == NULL);
    cr_says(&err, AM_ERR_MEMORY, "head: ");
    err = (am_error){0};
    cr_assert(am_alloc((size_t)1 << 60, 2, "head", &err) == NULL);
    cr_says(&err, AM_ERR_MEMORY, "head: out of memory");
}

Test(memory, text_copies)
{
    am_error err = {0};
    char *copy = am_strdup("λ", &err), *made = am_format("%s=%d", "K", 16);
    cr_assert_str_eq(copy, "λ");
    cr_assert_str_eq(made, "K=16");
    free(copy);
    free(made);
}

Test(clock, seconds_grow)
{
    double before = am_seconds();
    usleep(2000);
    double passed = am_seconds() - before;
    cr_assert(passed >= 0.002 && passed < 10.0);
}

/* ---- numbers as text ------------------------------------------------------------------------- */

Test(text, parse_int)
{
    int64_t value;
    cr_assert(am_parse_int("0", &value) && value == 0);
    cr_assert(am_parse_int("+16", &value) && value == 16);
    cr_assert(am_parse_int("-9223372036854775808", &value) && value == INT64_MIN);
    cr_assert(am_parse_int("9223372036854775807", &value) && value == INT64_MAX);
    const char *wrong[] = {"",    "+",    " 1",  "1 ",  "1.0",
                           "1e3", "0x10", "--1", "12a", "9223372036854775808"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert(!am_parse_int(wrong[i], &value), "'%s' was taken", wrong[i]);
}

Test(text, parse_double)
{
    double value;
    cr_assert(am_parse_double("1e-5", &value) && value == 1e-5);
    cr_assert(am_parse_double("-.5", &value) && value == -0.5);
    cr_assert(am_parse_double("2.", &value) && value == 2.0);
    cr_assert(am_parse_double("1E+2", &value) && value == 100.0);
    cr_assert(am_parse_double("5e-324", &value) && value == 5e-324);
    const char *wrong[] = {"",    ".",        "e5",    "1e", "1e+", "1e400", "-1e400", "nan",
                           "inf", "infinity", "0x1p3", " 1", "1 ",  "1,5",   "1.2.3",  "1-2"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert(!am_parse_double(wrong[i], &value), "'%s' was taken", wrong[i]);
}

static void cr_reads(double value, const char *expected)
{
    char text[AM_NUMBER_TEXT];
    am_number_text(value, text);
    cr_assert_str_eq(text, expected);
}

Test(text, number_text_is_the_shortest)
{
    cr_reads(0.0, "0");
    cr_reads(-0.0, "-0");
    cr_reads(50000.0, "50000");
    cr_reads(1e15, "1e+15");
    cr_reads(0.1, "0.1");
    cr_reads(0.1f, "0.1"); /* a float reads back as that float */
    cr_reads(1.0 / 3.0, "0.3333333333333333");
    cr_reads(4.28e-5, "4.28e-05");
    cr_reads(123456.75, "123456.75");
    cr_reads(-DBL_MAX, "-1.7976931348623157e+308");
    cr_reads(5e-324, "5e-324");
    cr_reads(NAN, "nan");
    cr_reads(-INFINITY, "-inf");
}

Test(text, number_text_reads_back)
{
    uint64_t state = 1;
    for (int i = 0; i < 20000; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        double wide, back;
        float narrow;
        uint32_t half = (uint32_t)(state >> 32);
        memcpy(&wide, &state, sizeof wide);
        memcpy(&narrow, &half, sizeof narrow);
        char text[AM_NUMBER_TEXT];
        if (isfinite(wide)) {
            am_number_text(wide, text);
            cr_assert(am_parse_double(text, &back) && back == wide, "%s", text);
        }
        if (isfinite(narrow)) {
            am_number_text((double)narrow, text);
            cr_assert(strtof(text, NULL) == narrow, "%s", text);
            cr_assert(strlen(text) <= 16);
        }
    }
}

Test(text, numbers_ignore_the_locale)
{
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8"))
        cr_skip_test("no locale with a decimal comma is installed");
    double value;
    cr_assert(am_parse_double("1.5", &value) && value == 1.5);
    cr_assert(!am_parse_double("1,5", &value));
    cr_reads(1.5, "1.5");
}

/* ---- UTF-8 ----------------------------------------------------------------------------------- */

static void cr_decodes(const char *text, int length, uint32_t expected)
{
    uint32_t code = 0;
    cr_assert(am_utf8_decode(text, strlen(text), &code) == length && code == expected);
}

Test(utf8, decodes_every_length)
{
    cr_decodes("a", 1, 0x61);
    cr_decodes("λ", 2, 0x3BB);
    cr_decodes("−", 3, 0x2212);
    cr_decodes("\xF0\x9D\x9C\x86", 4, 0x1D706);
    cr_decodes("\xF4\x8F\xBF\xBF", 4, 0x10FFFF);
}

Test(utf8, refuses_what_is_not_well_formed)
{
    const char *wrong[] = {"\x80",             /* continuation alone */
                           "\xC0\xAF",         /* overlong */
                           "\xE0\x80\xAF",     /* overlong */
                           "\xF0\x80\x80\xAF", /* overlong */
                           "\xED\xA0\x80",     /* surrogate */
                           "\xF4\x90\x80\x80", /* above U+10FFFF */
                           "\xFF",
                           "\xCE",      /* cut */
                           "\xE2\x88"}; /* cut */
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint32_t code;
        cr_assert(am_utf8_decode(wrong[i], strlen(wrong[i]), &code) == 0, "case %zu", i);
    }
    uint32_t code;
    cr_assert(am_utf8_decode("λ", 1, &code) == 0);
    cr_assert(am_utf8_decode("", 0, &code) == 0);
}

Test(utf8, repair_replaces_bytes)
{
    char text[] = "a\xC0\xAF\xCE\xBB\xE2\x88";
    am_utf8_repair(text);
    cr_assert_str_eq(text, "a??λ??");
}

/* ---- folders and reading --------------------------------------------------------------------- */

TestSuite(file, .init = make_temporary, .fini = remove_temporary);

Test(file, make_folders_with_parents)
{
    am_error err = {0};
    cr_assert(am_make_folders(in_folder("a/b//c/"), &err) == AM_OK, "%s", err.message);
    cr_assert(am_path_is_folder(in_folder("a/b/c")));
    cr_assert(am_make_folders(in_folder("a/b/c"), &err) == AM_OK);
    cr_assert(am_make_folders("/", &err) == AM_OK);
    cr_assert(am_make_folders(".", &err) == AM_OK);
    cr_assert(am_make_folders("", &err) == AM_ERR_IO);
}

Test(file, make_folders_names_the_file_in_the_way)
{
    am_error err = {0};
    cr_assert(am_write_file(in_folder("plain"), "x", 1, &err) == AM_OK);
    cr_assert(am_path_exists(in_folder("plain")) && !am_path_is_folder(in_folder("plain")));
    cr_assert(am_make_folders(in_folder("plain/sub"), &err) == AM_ERR_IO);
    cr_says(&err, AM_ERR_IO, "plain: a file stands where a folder is wanted");
    cr_assert(am_check_writable(in_folder("plain"), &err) == AM_ERR_IO);
}

/* Root may write anywhere: the test gives the right up for its length. */
static void become_nobody(void)
{
    if (geteuid() == 0)
        cr_assert(seteuid(65534) == 0);
}

static void become_oneself(void)
{
    cr_assert(seteuid(getuid()) == 0);
}

Test(file, unwritable_folder_is_told_before_the_work)
{
    am_error err = {0}, deeper = {0}, output = {0};
    cr_assert(am_make_folders(in_folder("locked"), &err) == AM_OK);
    cr_assert(chmod(folder, 0755) == 0 && chmod(in_folder("locked"), 0555) == 0);
    become_nobody();
    am_check_writable(in_folder("locked"), &err);
    am_make_folders(in_folder("locked/a/b"), &deeper);
    am_write_file(in_folder("locked/f"), "x", 1, &output);
    become_oneself();
    cr_says(&err, AM_ERR_IO, "locked: cannot write into the folder: Permission denied; ");
    cr_says(&deeper, AM_ERR_IO, "locked/a: cannot create the folder: Permission denied; ");
    cr_says(&output, AM_ERR_IO, "locked/f: cannot write: Permission denied; ");
    cr_assert(files_in_folder() == 0);
}

Test(file, check_writable_creates_the_folder_and_leaves_nothing)
{
    am_error err = {0};
    cr_assert(am_check_writable(in_folder("new/results"), &err) == AM_OK, "%s", err.message);
    cr_assert(am_path_is_folder(in_folder("new/results")));
    cr_assert(files_in_folder() == 0);
}

Test(file, read_gives_every_byte_and_a_nul)
{
    am_error err = {0};
    size_t sizes[] = {0, 1, 4095, 4096, 4097, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t size;
        char *bytes = am_alloc(sizes[i], 1, "bytes", &err), *back;
        for (size_t j = 0; j < sizes[i]; j++)
            bytes[j] = (char)(j * 31 + i);
        cr_assert(am_write_file(in_folder("f"), bytes, sizes[i], &err) == AM_OK);
        cr_assert(am_read_file(in_folder("f"), &back, &size, &err) == AM_OK);
        cr_assert(size == sizes[i] && memcmp(back, bytes, size) == 0 && back[size] == '\0');
        free(bytes);
        free(back);
    }
}

Test(file, read_of_a_file_without_a_size)
{
    char *bytes;
    size_t size;
    am_error err = {0};
    cr_assert(am_read_file("/proc/self/status", &bytes, &size, &err) == AM_OK, "%s", err.message);
    cr_assert(size > 100 && strlen(bytes) == size && strncmp(bytes, "Name:", 5) == 0);
    free(bytes);
}

Test(file, read_faults_are_named)
{
    char *bytes;
    size_t size;
    am_error err = {0};
    am_read_file(in_folder("none"), &bytes, &size, &err);
    cr_says(&err, AM_ERR_INPUT, "none: no such file; ");
    cr_assert(bytes == NULL && size == 0);
    am_read_file(folder, &bytes, &size, &err);
    cr_says(&err, AM_ERR_INPUT, ": is a folder; ");
    cr_assert(am_write_file(in_folder("secret"), "x", 1, &err) == AM_OK);
    cr_assert(chmod(folder, 0755) == 0 && chmod(in_folder("secret"), 0) == 0);
    become_nobody();
    am_read_file(in_folder("secret"), &bytes, &size, &err);
    become_oneself();
    cr_says(&err, AM_ERR_IO, "secret: cannot read: Permission denied; ");
}

/* ---- atomic output --------------------------------------------------------------------------- */

TestSuite(output, .init = make_temporary, .fini = remove_temporary);

Test(output, appears_only_when_committed)
{
    am_error err = {0};
    const char *path = in_folder("out.txt");
    cr_assert(am_write_file(path, "old", 3, &err) == AM_OK);
    am_output out;
    cr_assert(am_output_open(&out, path, &err) == AM_OK, "%s", err.message);
    fputs("new text", out.stream);
    fflush(out.stream);
    cr_holds(path, "old");
    cr_assert(files_in_folder() == 2);
    cr_assert(am_output_commit(&out, &err) == AM_OK, "%s", err.message);
    cr_holds(path, "new text");
    cr_assert(files_in_folder() == 1);
    am_output_discard(&out);
    cr_holds(path, "new text");
}

Test(output, discard_leaves_the_old_file)
{
    am_error err = {0};
    const char *path = in_folder("out.txt");
    cr_assert(am_write_file(path, "old", 3, &err) == AM_OK);
    am_output out;
    cr_assert(am_output_open(&out, path, &err) == AM_OK);
    fputs("new", out.stream);
    am_output_discard(&out);
    am_output_discard(&out);
    am_output zeroed = {0};
    am_output_discard(&zeroed);
    cr_holds(path, "old");
    cr_assert(files_in_folder() == 1);
}

/* Files of this process may not grow beyond `size`: the kernel then refuses as on a full disk. */
static void limit_files(rlim_t size)
{
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit;
    cr_assert(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = size;
    cr_assert(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

/* 100 bytes fail when the buffer is flushed at the end, a million while writing. */
static void fill_up(size_t bytes)
{
    am_error err = {0};
    const char *path = in_folder("model");
    cr_assert(am_write_file(path, "old", 3, &err) == AM_OK);
    char *large = am_alloc(bytes, 1, "bytes", &err);
    limit_files(64);
    am_status status = am_write_file(path, large, bytes, &err);
    limit_files(RLIM_INFINITY);
    free(large);
    cr_assert(status == AM_ERR_IO);
    cr_says(&err, AM_ERR_IO, "model: cannot write: File too large; ");
    cr_holds(path, "old");
    cr_assert(files_in_folder() == 1);
}

Test(output, full_disk_at_the_end_loses_nothing)
{
    fill_up(100);
}

Test(output, full_disk_while_writing_loses_nothing)
{
    fill_up(1000000);
}

Test(output, full_disk_noticed_long_after_loses_nothing)
{
    am_error err = {0};
    const char *path = in_folder("log");
    cr_assert(am_write_file(path, "old", 3, &err) == AM_OK);
    am_output out;
    cr_assert(am_output_open(&out, path, &err) == AM_OK);
    limit_files(64);
    for (int i = 0; i < 10000; i++)
        fprintf(out.stream, "line %d\n", i);
    limit_files(RLIM_INFINITY);
    fputs("room again, yet lines are missing\n", out.stream);
    cr_assert(am_output_commit(&out, &err) == AM_ERR_IO);
    cr_says(&err, AM_ERR_IO, "log: cannot write: ");
    cr_holds(path, "old");
    cr_assert(files_in_folder() == 1);
}

Test(output, follows_a_link)
{
    am_error err = {0};
    cr_assert(am_write_file(in_folder("real"), "old", 3, &err) == AM_OK);
    cr_assert(symlink("real", in_folder("link")) == 0);
    cr_assert(am_write_file(in_folder("link"), "new", 3, &err) == AM_OK, "%s", err.message);
    cr_holds(in_folder("real"), "new");
    struct stat info;
    cr_assert(lstat(in_folder("link"), &info) == 0 && S_ISLNK(info.st_mode));
    cr_assert(symlink("nowhere", in_folder("dangling")) == 0);
    cr_assert(am_write_file(in_folder("dangling"), "new", 3, &err) == AM_ERR_IO);
    cr_says(&err, AM_ERR_IO, "dangling: the link leads nowhere; ");
}

Test(output, refuses_what_is_no_file)
{
    am_error err = {0};
    am_write_file("/dev/full", "x", 1, &err);
    cr_says(&err, AM_ERR_IO, "/dev/full: is no regular file; ");
    am_write_file(folder, "x", 1, &err);
    cr_says(&err, AM_ERR_IO, ": is a folder; ");
    am_write_file(in_folder("sub/"), "x", 1, &err);
    cr_says(&err, AM_ERR_IO, "names no file; ");
    am_write_file("", "x", 1, &err);
    cr_says(&err, AM_ERR_IO, "names no file; ");
    am_write_file(in_folder("missing/f"), "x", 1, &err);
    cr_says(&err, AM_ERR_IO, "missing/f: cannot write: No such file or directory; ");
    cr_assert(am_write_file(in_folder("f"), "x", 1, &err) == AM_OK);
    am_write_file(in_folder("f/g"), "x", 1, &err);
    cr_says(&err, AM_ERR_IO, "f/g: cannot write: Not a directory; ");
    cr_assert(files_in_folder() == 1);
}

Test(output, failed_open_leaves_a_zeroed_output)
{
    am_error err = {0};
    am_output out;
    cr_assert(am_output_open(&out, in_folder("missing/f"), &err) == AM_ERR_IO);
    cr_assert(out.stream == NULL && out.path == NULL && out.temporary == NULL);
    am_output_discard(&out);
}

Test(output, replaces_what_a_dead_process_left)
{
    am_error err = {0};
    char left[128];
    snprintf(left, sizeof left, "f.tmp-%ld", (long)getpid());
    cr_assert(am_write_file(in_folder(left), "left over", 9, &err) == AM_OK);
    cr_assert(am_write_file(in_folder("f"), "new", 3, &err) == AM_OK, "%s", err.message);
    cr_holds(in_folder("f"), "new");
    cr_assert(files_in_folder() == 1);
}
