/* am_report. */
#include "api/options.h"
#include "api/reporting.h"

void am_report_options_default(am_report_options *options, size_t size)
{
    am_report_options defaults = {0};
    options_hand_out(options, size, &defaults, sizeof defaults);
}

am_status am_report(am_device *device, const char *results, const char *path,
                    const am_report_options *options, am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(device, "open one");
    API_NEED(results, "give the folder or model file");
    API_NEED(path, "give the page to write");
    am_report_options o;
    am_report_options_default(&o, sizeof o);
    AM_TRY(options_take(&o, sizeof o, options, "am_report_options", err));
    report_request request = {.results = results,
                              .data = o.data,
                              .test = o.test,
                              .candidates = o.candidates,
                              .device = device};
    AM_TRY(am_check_writable_file(path, err));
    return report_run(&request, path, err);
}
