/* base: folders, reading, and output that appears whole or not at all. */
#include "support/scratch.h"

#include "base/base.h"

#include <criterion/criterion.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void cr_holds(const char *path, const char *expected)
{
    char *text = scratch_text(path);
    cr_assert_str_eq(text, expected);
    free(text);
}

static void cr_says(const am_error *err, am_status status, const char *part)
{
    cr_assert(err->status == status, "status %s: %s", am_status_name(err->status), err->message);
    cr_assert(strstr(err->message, part) != NULL, "'%s' is not in: %s", part, err->message);
    cr_assert(strchr(err->message, '\n') == NULL);
}

/* ---- folders and reading --------------------------------------------------------------------- */

TestSuite(file, .init = scratch_make, .fini = scratch_remove);

Test(file, make_folders_with_parents)
{
    am_error err = {0};
    cr_assert(am_make_folders(scratch("a/b//c/"), &err) == AM_OK, "%s", err.message);
    cr_assert(am_path_is_folder(scratch("a/b/c")));
    cr_assert(am_make_folders(scratch("a/b/c"), &err) == AM_OK);
    cr_assert(am_make_folders("/", &err) == AM_OK);
    cr_assert(am_make_folders(".", &err) == AM_OK);
    cr_assert(am_make_folders("", &err) == AM_ERR_IO);
}

Test(file, make_folders_names_the_file_in_the_way)
{
    am_error err = {0};
    cr_assert(am_write_file(scratch("plain"), "x", 1, &err) == AM_OK);
    cr_assert(am_path_exists(scratch("plain")) && !am_path_is_folder(scratch("plain")));
    cr_assert(am_make_folders(scratch("plain/sub"), &err) == AM_ERR_IO);
    cr_says(&err, AM_ERR_IO, "plain: a file stands where a folder is wanted");
    cr_assert(am_check_writable(scratch("plain"), &err) == AM_ERR_IO);
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
    cr_assert(am_make_folders(scratch("locked"), &err) == AM_OK);
    cr_assert(chmod(scratch_folder(), 0755) == 0 && chmod(scratch("locked"), 0555) == 0);
    become_nobody();
    am_check_writable(scratch("locked"), &err);
    am_make_folders(scratch("locked/a/b"), &deeper);
    am_write_file(scratch("locked/f"), "x", 1, &output);
    become_oneself();
    cr_says(&err, AM_ERR_IO, "locked: cannot write into the folder: Permission denied; ");
    cr_says(&deeper, AM_ERR_IO, "locked/a: cannot create the folder: Permission denied; ");
    cr_says(&output, AM_ERR_IO, "locked/f: cannot write: Permission denied; ");
    cr_assert(scratch_files() == 0);
}

Test(file, check_writable_creates_the_folder_and_leaves_nothing)
{
    am_error err = {0};
    cr_assert(am_check_writable(scratch("new/results"), &err) == AM_OK, "%s", err.message);
    cr_assert(am_path_is_folder(scratch("new/results")));
    cr_assert(scratch_files() == 0);
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
        cr_assert(am_write_file(scratch("f"), bytes, sizes[i], &err) == AM_OK);
        cr_assert(am_read_file(scratch("f"), &back, &size, &err) == AM_OK);
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
    am_read_file(scratch("none"), &bytes, &size, &err);
    cr_says(&err, AM_ERR_INPUT, "none: no such file; ");
    cr_assert(bytes == NULL && size == 0);
    am_read_file(scratch_folder(), &bytes, &size, &err);
    cr_says(&err, AM_ERR_INPUT, ": is a folder; ");
    cr_assert(am_write_file(scratch("secret"), "x", 1, &err) == AM_OK);
    cr_assert(chmod(scratch_folder(), 0755) == 0 && chmod(scratch("secret"), 0) == 0);
    become_nobody();
    am_read_file(scratch("secret"), &bytes, &size, &err);
    become_oneself();
    cr_says(&err, AM_ERR_IO, "secret: cannot read: Permission denied; ");
}

/* ---- atomic output --------------------------------------------------------------------------- */

TestSuite(output, .init = scratch_make, .fini = scratch_remove);

Test(output, appears_only_when_committed)
{
    am_error err = {0};
    const char *path = scratch("out.txt");
    cr_assert(am_write_file(path, "old", 3, &err) == AM_OK);
    am_output out;
    cr_assert(am_output_open(&out, path, &err) == AM_OK, "%s", err.message);
    fputs("new text", out.stream);
    fflush(out.stream);
    cr_holds(path, "old");
    cr_assert(scratch_files() == 2);
    cr_assert(am_output_commit(&out, &err) == AM_OK, "%s", err.message);
    cr_holds(path, "new text");
    cr_assert(scratch_files() == 1);
    am_output_discard(&out);
    cr_holds(path, "new text");
}

Test(output, discard_leaves_the_old_file)
{
    am_error err = {0};
    const char *path = scratch("out.txt");
    cr_assert(am_write_file(path, "old", 3, &err) == AM_OK);
    am_output out;
    cr_assert(am_output_open(&out, path, &err) == AM_OK);
    fputs("new", out.stream);
    am_output_discard(&out);
    am_output_discard(&out);
    am_output zeroed = {0};
    am_output_discard(&zeroed);
    cr_assert(am_output_commit(&zeroed, &err) == AM_ERR_INTERNAL);
    cr_holds(path, "old");
    cr_assert(scratch_files() == 1);
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
    const char *path = scratch("model");
    cr_assert(am_write_file(path, "old", 3, &err) == AM_OK);
    char *large = am_alloc(bytes, 1, "bytes", &err);
    limit_files(64);
    am_status status = am_write_file(path, large, bytes, &err);
    limit_files(RLIM_INFINITY);
    free(large);
    cr_assert(status == AM_ERR_IO);
    cr_says(&err, AM_ERR_IO, "model: cannot write: File too large; ");
    cr_holds(path, "old");
    cr_assert(scratch_files() == 1);
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
    const char *path = scratch("log");
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
    cr_assert(scratch_files() == 1);
}

Test(output, follows_a_link)
{
    am_error err = {0};
    cr_assert(am_write_file(scratch("real"), "old", 3, &err) == AM_OK);
    cr_assert(symlink("real", scratch("link")) == 0);
    cr_assert(am_write_file(scratch("link"), "new", 3, &err) == AM_OK, "%s", err.message);
    cr_holds(scratch("real"), "new");
    struct stat info;
    cr_assert(lstat(scratch("link"), &info) == 0 && S_ISLNK(info.st_mode));
    cr_assert(symlink("nowhere", scratch("dangling")) == 0);
    cr_assert(am_write_file(scratch("dangling"), "new", 3, &err) == AM_ERR_IO);
    cr_says(&err, AM_ERR_IO, "dangling: the link leads nowhere; ");
}

Test(output, refuses_what_is_no_file)
{
    am_error err = {0};
    am_write_file("/dev/full", "x", 1, &err);
    cr_says(&err, AM_ERR_IO, "/dev/full: is no regular file; ");
    am_write_file(scratch_folder(), "x", 1, &err);
    cr_says(&err, AM_ERR_IO, ": is a folder; ");
    am_write_file(scratch("sub/"), "x", 1, &err);
    cr_says(&err, AM_ERR_IO, "names no file; ");
    am_write_file("", "x", 1, &err);
    cr_says(&err, AM_ERR_IO, "names no file; ");
    am_write_file(scratch("missing/f"), "x", 1, &err);
    cr_says(&err, AM_ERR_IO, "missing/f: cannot write: No such file or directory; ");
    cr_assert(am_write_file(scratch("f"), "x", 1, &err) == AM_OK);
    am_write_file(scratch("f/g"), "x", 1, &err);
    cr_says(&err, AM_ERR_IO, "f/g: cannot write: Not a directory; ");
    cr_assert(scratch_files() == 1);
}

Test(output, failed_open_leaves_a_zeroed_output)
{
    am_error err = {0};
    am_output out;
    cr_assert(am_output_open(&out, scratch("missing/f"), &err) == AM_ERR_IO);
    cr_assert(out.stream == NULL && out.path == NULL && out.temporary == NULL);
    am_output_discard(&out);
}

Test(output, replaces_what_a_dead_process_left)
{
    am_error err = {0};
    char left[128];
    snprintf(left, sizeof left, "f.tmp-%ld", (long)getpid());
    cr_assert(am_write_file(scratch(left), "left over", 9, &err) == AM_OK);
    cr_assert(am_write_file(scratch("f"), "new", 3, &err) == AM_OK, "%s", err.message);
    cr_holds(scratch("f"), "new");
    cr_assert(scratch_files() == 1);
}
