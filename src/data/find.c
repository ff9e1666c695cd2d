/* Where a name or path of data lies. */
#include "data/source.h"

#include <stdlib.h>
#include <string.h>

enum { PLACES = 4 };

static bool is_fashion(const char *name)
{
    return strcmp(name, "fashion-mnist") == 0;
}

static bool is_known(const char *name)
{
    return strcmp(name, "mnist") == 0 || is_fashion(name);
}

/* A file, or a folder with training images: one that a download has only begun does not count. */
static bool is_usable(const char *path)
{
    am_error ignored;
    char *images = NULL;
    if (!am_path_is_folder(path))
        return am_path_exists(path);
    bool found =
        idx_source_find(path, "train-images", &images, &ignored) != AM_OK || images != NULL;
    free(images);
    return found;
}

/* The places of a name, in order, fresh; the number of them, or −1 without memory. */
static int list_places(const char *name, char *place[PLACES])
{
    int count = 0;
    const char *own = getenv("AMORTUNE_DATA");
    if (own != NULL && own[0] != '\0')
        place[count++] = am_format("%s/%s", own, name);
    place[count++] = am_format("datasets/%s", name);
#ifdef AM_SOURCE_FOLDER /* set by the build: the folder of the program's source */
    place[count++] = am_format("%s/datasets/%s", AM_SOURCE_FOLDER, name);
#endif
    if (is_fashion(name))
        place[count++] = am_format("/usr/share/datasets/fashion-mnist");
    for (int i = 0; i < count; i++)
        if (place[i] == NULL)
            return -1;
    return count;
}

static am_status not_found(const char *name, char *const place[PLACES], int count, am_error *err)
{
    char looked[320] = "";
    for (int i = 0; i < count; i++) {
        const size_t used = strlen(looked);
        (void)snprintf(looked + used, sizeof looked - used, "%s%s", i == 0 ? "" : ", ", place[i]);
    }
    if (is_known(name))
        return am_fail(err, AM_ERR_INPUT,
                       "%s: this data set is not here; get it with: datasets/get %s (looked in %s)",
                       name, name, looked);
    return am_fail(err, AM_ERR_INPUT,
                   "%s: no such file, folder or data set; give a folder of IDX files, a CSV file, "
                   "mnist or fashion-mnist (looked in %s)",
                   name, looked);
}

static am_status find_name(const char *name, char **path, am_error *err)
{
    char *place[PLACES] = {NULL};
    int count = list_places(name, place);
    am_status status = AM_OK;
    if (count < 0)
        status = am_fail(err, AM_ERR_MEMORY, "%s: no memory to look for it", name);
    for (int i = 0; i < count && *path == NULL; i++)
        if (is_usable(place[i])) {
            *path = place[i];
            place[i] = NULL;
        }
    if (status == AM_OK && *path == NULL)
        status = not_found(name, place, count, err);
    for (int i = 0; i < PLACES; i++)
        free(place[i]);
    return status;
}

am_status data_find(const char *source, char **path, am_error *err)
{
    *path = NULL;
    if (source == NULL || source[0] == '\0')
        return am_fail(err, AM_ERR_USAGE,
                       "data: nothing named; give a folder of IDX files, a CSV file, mnist or "
                       "fashion-mnist");
    if (am_path_exists(source)) {
        *path = am_strdup(source, err);
        return *path == NULL ? err->status : AM_OK;
    }
    if (strchr(source, '/') != NULL)
        return am_fail(err, AM_ERR_INPUT, "%s: no such file or folder; check the path", source);
    return find_name(source, path, err);
}
