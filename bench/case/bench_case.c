/* bench_case — the program's side of the benchmark: prepares one case, then does what a line on stdin
 * asks for and answers with a line of JSON. See case_usage. */
#include "case.h"

#include "program_settings.h"

#include <string.h>

static void print_quality(const char *name, const case_result *r, int count, bool accuracy)
{
    printf(", \"%s\": [", name);
    for (int i = 0; i < count; i++)
        printf("%s%.9g", i == 0 ? "" : ", ", accuracy ? r->at[i].accuracy : r->at[i].nll);
    printf("]");
}

static void print_result(const case_result *r, int judged)
{
    printf("{\"seconds\": %.9g, \"steps\": %lld", r->seconds, (long long)r->steps);
    if (r->response_seconds > 0)
        printf(", \"response_seconds\": %.9g", r->response_seconds);
    if (judged > 0) {
        print_quality("val_nll", r, judged, false);
        print_quality("val_acc", r, judged, true);
    }
    printf("}\n");
}

static am_status obey(session *s, const case_options *o, const char *line, am_error *err)
{
    case_result r = {0};
    long long a = 0, b = 0;
    int judged = 0;
    if (sscanf(line, "fit %lld", &a) == 1) {
        AM_TRY(case_fit(s, a, &r, err));
    } else if (sscanf(line, "refits %lld %lld", &a, &b) == 2) {
        AM_TRY(case_refits(s, o, (int)a, b, &r, err));
        judged = a <= CASE_POINTS ? (int)a : 0;
    } else if (sscanf(line, "surface %lld", &a) == 1) {
        AM_TRY(case_surface(s, (int)a, &r, err));
    } else if (strncmp(line, "curve", 5) == 0) {
        AM_TRY(case_curve(s, &r, err));
        judged = CASE_POINTS;
    } else if (strncmp(line, "ceilings", 8) == 0) {
        return case_ceilings(s->be, err);
    } else {
        return am_fail(err, AM_ERR_USAGE, "'%.*s': no such line", (int)strcspn(line, "\n"), line);
    }
    print_result(&r, judged);
    return AM_OK;
}

static void print_ready(const session *s)
{
    const fit_settings *f = &s->record.fit;
    printf("{\"name\": \"amortune\", \"version\": \"%s\", \"device\": \"%s\", \"threads\": %d, "
           "\"data\": \"%s\", \"n\": %lld, \"steps\": %lld, \"params\": %lld, \"draws\": %d, "
           "\"batch\": %d",
           am_version(), s->be->device, s->be->threads, s->data->name, (long long)s->data->train.n,
           (long long)f->steps, (long long)s->record.spec.target.params, f->draws, f->rows);
    const response_settings *r = &f->response;
    if (r->nodes > 0)
        printf(", \"response\": {\"nodes\": %d, \"snapshots\": %d, \"rows\": %d, \"inputs\": %d, "
               "\"components\": %d, \"iterations\": %d}",
               r->nodes, r->snapshots, r->rows, r->inputs, r->components, r->iterations);
    printf("}\n");
}

int main(int count, char **word)
{
    case_options o;
    session s = {0};
    am_error err = {0};
    char line[128];
    as_the_program_does(word);
    if (!case_parse(count, word, &o)) {
        fputs(case_usage, stderr);
        return 2;
    }
    am_status status = case_open(&s, &o, &err);
    if (status == AM_OK)
        print_ready(&s);
    fflush(stdout);
    while (status == AM_OK && fgets(line, sizeof line, stdin) != NULL) {
        status = obey(&s, &o, line, &err);
        fflush(stdout);
    }
    if (status != AM_OK)
        fprintf(stderr, "bench_case: %s\n", err.message);
    generator_close(&s.g);
    s.g = (generator){0};
    session_close(&s);
    return status != AM_OK;
}
