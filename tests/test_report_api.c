/* am_report. */
#include "report/html.h"
#include "support/api_problem.h"
#include "support/scratch.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

static am_device *device;
static am_error err;

static void open_all(void)
{
    scratch_make();
    device = api_device();
}

static void close_all(void)
{
    am_device_close(device);
    scratch_remove();
}

TestSuite(report_api, .init = open_all, .fini = close_all);

static void put(const char *name, const char *text)
{
    scratch_put(scratch(name), text, strlen(text));
}

Test(report_api, says_what_it_needs)
{
    api_expect(am_report(NULL, "r", "p.html", NULL, &err), &err, AM_ERR_USAGE, "device is NULL");
    api_expect(am_report(device, NULL, "p.html", NULL, &err), &err, AM_ERR_USAGE,
               "results is NULL");
    api_expect(am_report(device, "r", NULL, NULL, &err), &err, AM_ERR_USAGE, "path is NULL");
    cr_expect_eq(am_report(device, NULL, NULL, NULL, NULL), AM_ERR_USAGE);
}

Test(report_api, writes_the_page_of_a_folder)
{
    if (!html_available())
        cr_skip_test("built without the chart library");
    am_report_options o;
    am_report_options_default(&o, sizeof o);
    put("summary.json",
        "{\"experiment\":\"ridge\",\"seed\":4,\"gcv\":{\"lambda\":0.05,\"mse\":2}}");
    put("risk.csv", "a\n1\n");
    cr_assert_eq(am_report(device, scratch_folder(), scratch("p.html"), &o, &err), AM_OK, "%s",
                 err.message);
    char *text = scratch_text(scratch("p.html"));
    static const char *const parts[] = {
        "<h1>experiment ridge</h1>", "seed 4", "λ by GCV", "<dd>0.05</dd>", "risk.csv", "</html>"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        cr_expect(strstr(text, parts[i]) != NULL, "'%s' is missing", parts[i]);
    free(text);
}

Test(report_api, a_model_of_rows_in_memory_has_no_data_to_be_judged_on)
{
    if (!html_available())
        cr_skip_test("built without the chart library");
    api_rows rows;
    api_rows_fill(&rows, 7);
    am_dataset *data = api_dataset(&rows);
    am_fit_options o = api_fit_options();
    am_model *model = api_fit(device, data, &o);
    cr_assert_eq(am_model_save(model, scratch("m.st"), &err), AM_OK);
    api_expect(am_report(device, scratch("m.st"), scratch("p.html"), NULL, &err), &err,
               AM_ERR_INPUT, "rows in memory");
    am_model_free(model);
    am_dataset_free(data);
}

Test(report_api, leaves_what_stood_there_when_it_fails)
{
    if (!html_available())
        cr_skip_test("built without the chart library");
    put("p.html", "before");
    put("summary.json", "{");
    api_expect(am_report(device, scratch_folder(), scratch("p.html"), NULL, &err), &err,
               AM_ERR_INPUT, "summary.json");
    char *text = scratch_text(scratch("p.html"));
    cr_expect_str_eq(text, "before");
    free(text);
}
