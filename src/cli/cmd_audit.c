/* amortune audit — hold a generator against refits from scratch: the curve, the posterior, a verdict. */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/output_audit.h"
#include "cli/terminal.h"

#include <stdlib.h>

static am_status report(const session *s, const settings *set, const audit_result *r,
                        const audit_cost *cost, am_error *err)
{
    cJSON *document = output_audit_json(r, cost);
    char *title = am_format("Audit: %s, %s", s->record.data.name, set->argument[0]);
    am_status status =
        document && title ? AM_OK : am_fail(err, AM_ERR_MEMORY, "results: out of memory");
    if (status == AM_OK && set->out != NULL)
        status = output_audit_files(r, document, title, set->out, err);
    if (status == AM_OK && !set->json)
        status = output_audit_print(r, cost, stdout, err);
    if (status == AM_OK && set->plot)
        status = output_audit_figure(r, "audit_curve.svg", title, NULL, err);
    if (status == AM_OK && set->json)
        output_json(document, stdout);
    else
        cJSON_Delete(document);
    free(title);
    return status;
}

am_status command_audit(const settings *set, am_error *err)
{
    session s = {0};
    audit_result r = {0};
    audit_cost cost = {0};
    AM_TRY(terminal_check(set, err));
    AM_TRY(audit_check_options(set, err));
    if (set->out != NULL)
        AM_TRY(am_check_writable(set->out, err));
    am_status status =
        session_model(&s, set, set->argument[0], (int)set->posterior_draws, true, err);
    if (status == AM_OK)
        status = audit_session(&s, set, (int)set->posterior_draws, &r, &cost, err);
    if (status == AM_OK)
        status = report(&s, set, &r, &cost, err);
    audit_free(&r);
    audit_cost_free(&cost);
    session_close(&s);
    return status;
}
