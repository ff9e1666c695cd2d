/* A folder of results, read. */
#include "api/reporting.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static char *path_in(const char *folder, const char *name, am_error *err)
{
    char *path = am_format("%s/%s", folder, name);
    if (path == NULL)
        (void)am_fail(err, AM_ERR_MEMORY, "%s: out of memory; free some memory", folder);
    return path;
}

/* The document of this name, or NULL where there is none. */
static am_status read_document(const char *folder, const char *name, cJSON **json, am_error *err)
{
    char *path = path_in(folder, name, err), *text = NULL;
    size_t size = 0;
    if (path == NULL)
        return AM_ERR_MEMORY;
    am_status status = am_path_exists(path) ? am_read_file(path, &text, &size, err) : AM_OK;
    if (status == AM_OK && text != NULL) {
        *json = cJSON_ParseWithLength(text, size);
        if (!cJSON_IsObject(*json) && !cJSON_IsArray(*json))
            status = am_fail(err, AM_ERR_INPUT,
                             "%s: is no JSON document, or only the beginning of one; run the "
                             "command that wrote it again",
                             path);
    }
    free(text);
    free(path);
    return status;
}

static bool ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name), end = strlen(ending);
    return length > end && strcmp(name + length - end, ending) == 0;
}

static int is_shown(const struct dirent *entry)
{
    return ends_with(entry->d_name, ".svg") || ends_with(entry->d_name, ".csv");
}

static am_status read_file(report_results *r, const char *name, size_t *left, am_error *err)
{
    char *path = path_in(r->folder, name, err), *text = NULL;
    struct stat info;
    size_t size = 0;
    am_status status = path != NULL ? AM_OK : AM_ERR_MEMORY;
    bool small = status == AM_OK && stat(path, &info) == 0 && S_ISREG(info.st_mode) &&
                 info.st_size <= REPORT_FILE_BYTES && (size_t)info.st_size <= *left;
    if (small && r->files < REPORT_FILES)
        status = am_read_file(path, &text, &size, err);
    if (status == AM_OK && text != NULL) {
        char *copy = am_strdup(name, err);
        r->file[r->files++] = (html_file){copy, text, size};
        *left -= AM_MIN(size, *left);
        status = copy != NULL ? AM_OK : AM_ERR_MEMORY;
    }
    free(path);
    return status;
}

static am_status read_files(report_results *r, am_error *err)
{
    struct dirent **entry = NULL;
    size_t left = REPORT_ALL_BYTES;
    int count = scandir(r->folder, &entry, is_shown, alphasort);
    am_status status = AM_OK;
    for (int i = 0; i < count; i++) {
        if (status == AM_OK)
            status = read_file(r, entry[i]->d_name, &left, err);
        free(entry[i]);
    }
    free((void *)entry);
    return status;
}

static am_status read_documents(report_results *r, am_error *err)
{
    const struct {
        const char *name;
        cJSON **json;
    } table[] = {{"summary.json", &r->summary}, {"choice.json", &r->choice},
                 {"curve.json", &r->curve},     {"audit.json", &r->audit},
                 {"sample.json", &r->sample},   {"polish.json", &r->polish},
                 {"run.json", &r->run}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        AM_TRY(read_document(r->folder, table[i].name, table[i].json, err));
    const cJSON *inside = cJSON_GetObjectItemCaseSensitive(r->summary, "audit");
    r->audited = r->audit != NULL ? r->audit : inside;
    return AM_OK;
}

/* When the file was last written. */
static void read_time(const char *path, char when[32])
{
    struct stat info;
    struct tm utc;
    if (stat(path, &info) == 0 && gmtime_r(&info.st_mtime, &utc) != NULL)
        (void)strftime(when, 32, "%Y-%m-%d %H:%M UTC", &utc);
}

static am_status open_folder(report_results *r, am_error *err)
{
    AM_TRY(read_documents(r, err));
    AM_TRY(read_files(r, err));
    char *model = path_in(r->folder, "model.safetensors", err);
    if (model == NULL)
        return AM_ERR_MEMORY;
    if (am_path_exists(model))
        r->model = model;
    else
        free(model);
    bool any = r->summary || r->choice || r->curve || r->audit || r->sample || r->polish;
    if (!any && r->model == NULL)
        return am_fail(err, AM_ERR_INPUT,
                       "%s: holds no results (summary.json, curve.json, choice.json, audit.json, "
                       "sample.json); give the folder that an experiment or a command wrote",
                       r->folder);
    char *summary = path_in(r->folder, "summary.json", err);
    if (summary == NULL)
        return AM_ERR_MEMORY;
    read_time(r->summary != NULL ? summary : r->model != NULL ? r->model : r->folder, r->when);
    free(summary);
    return AM_OK;
}

am_status results_open(const char *path, report_results *r, am_error *err)
{
    *r = (report_results){0};
    if (!am_path_exists(path))
        return am_fail(err, AM_ERR_INPUT, "%s: no such folder or file; check the path", path);
    char *copy = am_strdup(path, err);
    if (copy == NULL)
        return AM_ERR_MEMORY;
    if (!am_path_is_folder(path)) {
        r->model = copy;
        read_time(path, r->when);
        return AM_OK;
    }
    r->folder = copy;
    am_status status = open_folder(r, err);
    if (status != AM_OK)
        results_close(r);
    return status;
}

void results_close(report_results *r)
{
    cJSON *documents[] = {r->summary, r->choice, r->curve, r->audit, r->sample, r->polish, r->run};
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++)
        cJSON_Delete(documents[i]);
    for (int i = 0; i < r->files; i++) {
        free((char *)(uintptr_t)r->file[i].name);
        free((char *)(uintptr_t)r->file[i].text);
    }
    free(r->folder);
    free(r->model);
    *r = (report_results){0};
}
