/* amortune report — one page with all that a folder of results, or a model, has to tell. */
#include "api/reporting.h"
#include "cli/commands.h"
#include "cli/paging.h"

#include <stdlib.h>

/* Where the page goes without --out: into the folder; of a model into the working folder. */
static char *default_path(const char *results)
{
    return am_path_is_folder(results) ? am_format("%s/report.html", results)
                                      : am_format("report.html");
}

am_status command_report(const settings *set, am_error *err)
{
    const char *results = set->argument[0];
    char *path = set->out != NULL ? am_strdup(set->out, err) : default_path(results);
    if (path == NULL)
        return am_fail(err, AM_ERR_MEMORY, "%s: out of memory; free some memory", results);
    report_request request = paging_request(set, results);
    if (settings_given(set, "data"))
        request.data = set->data;
    request.test = set->test;
    request.candidates = set->candidates;
    am_status status = am_check_writable_file(path, err);
    if (status == AM_OK && set->candidates != NULL)
        status = am_check_writable_file(set->candidates, err);
    if (status == AM_OK)
        status = report_run(&request, path, err);
    if (status == AM_OK)
        printf("written to %s\n", path);
    free(path);
    return status;
}
