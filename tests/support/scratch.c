#include "support/scratch.h"

#include "base/base.h"

#include <criterion/criterion.h>

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];
static int files;

void scratch_make(void)
{
    strcpy(folder, "/tmp/amortune-test-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info, (void)type, (void)at;
    return remove(path);
}

static int count_entry(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)path, (void)info, (void)at;
    files += type == FTW_F;
    return 0;
}

void scratch_remove(void)
{
    cr_assert(nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

const char *scratch_folder(void)
{
    return folder;
}

const char *scratch(const char *name)
{
    static char path[4][512];
    static int next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", folder, name);
    return path[next];
}

int scratch_files(void)
{
    files = 0;
    cr_assert(nftw(folder, count_entry, 8, FTW_PHYS) == 0);
    return files;
}

void scratch_put(const char *path, const void *bytes, size_t size)
{
    unlink(path); /* some file systems flush a file that is cut and written again */
    FILE *stream = fopen(path, "wb");
    cr_assert(stream != NULL && fwrite(bytes, 1, size, stream) == size && fclose(stream) == 0);
}

char *scratch_text(const char *path)
{
    am_error err = {0};
    char *text;
    size_t size;
    cr_assert(am_read_file(path, &text, &size, &err) == AM_OK, "%s", err.message);
    cr_assert(strlen(text) == size);
    return text;
}
