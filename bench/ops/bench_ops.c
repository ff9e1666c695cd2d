/* bench_ops — every op of the backend at the shapes of real runs: right first, then how fast, beside
 * what the device can reach; then whole steps. See --help. */
#include "program_settings.h"
#include "report.h"
#include "scenario.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *device, *precision, *only, *md, *csv;
    int threads;
    bool scaling;
} options;

typedef struct {
    backend *be, *cpu;
    ceilings ceiling;
    FILE *md, *csv;
    const options *options;
    int wrong; /* ops beyond the tolerance */
} bench;

/* ---- one scenario -------------------------------------------------------------------------------- */

/* Equal calls, op and shape, are one. */
static int fold_calls(recorder *r)
{
    int distinct = 0;
    for (int i = 0; i < r->calls; i++) {
        op_use use, other;
        int j = 0;
        op_describe(&r->call[i], &use);
        for (; j < distinct; j++) {
            op_describe(&r->call[j], &other);
            if (r->call[j].op == r->call[i].op && strcmp(other.shape, use.shape) == 0)
                break;
        }
        if (j < distinct)
            r->call[j].times++;
        else
            r->call[distinct++] = r->call[i];
    }
    return distinct;
}

static am_status measure_call(bench *b, const char *name, op_call *call, double *floor,
                              am_error *err)
{
    op_row row = {.scenario = name, .op = call->op, .times = call->times};
    op_describe(call, &row.use);
    AM_TRY(measure_error(b->be, b->cpu, call, &row.error, err));
    AM_TRY(measure_seconds(b->be, call, &row.seconds, err));
    *floor += call->times * measure_floor(&row.use, &b->ceiling);
    b->wrong += !(row.error <= report_tolerance(b->options->precision));
    report_op(b->md, b->csv, &row, &b->ceiling);
    fflush(b->md);
    return AM_OK;
}

/* The ops of the first step, or of the evaluation, measured while their memory is there. */
typedef struct {
    bench *b;
    recorder *r;
    const char *scenario;
    double floor;
    int calls;
    am_status status;
    am_error *err;
} visit;

static void measure_here(void *context)
{
    visit *v = context;
    if (v->r->calls == 0)
        return;
    v->r->on = false;
    v->r->pause = NULL;
    v->calls = v->r->calls;
    v->r->calls = fold_calls(v->r);
    for (int i = 0; v->status == AM_OK && i < v->r->calls; i++)
        v->status = measure_call(v->b, v->scenario, &v->r->call[i], &v->floor, v->err);
}

static am_status run_scenario(bench *b, const scenario *of, am_error *err)
{
    scene s;
    recorder r;
    double seconds;
    visit v = {.b = b, .r = &r, .scenario = of->name, .err = err};
    report_scenario(b->md, of->name, of->what);
    AM_TRY(scene_open(&s, of, b->be, 1, err));
    recorder_attach(&r, b->be);
    r.on = true;
    r.pause = measure_here;
    r.context = &v;
    am_status status = scene_run(&s, NULL, 1, err);
    recorder_detach(&r, b->be);
    recorder_clear(&r);
    scene_close(&s);
    if (v.status != AM_OK)
        return v.status;
    AM_TRY(status);
    AM_TRY(scene_seconds(of, b->be, &seconds, err));
    report_step(b->md, b->csv, of->name, seconds, v.floor, v.calls);
    return AM_OK;
}

/* ---- scaling over M ------------------------------------------------------------------------------ */

static am_status run_scaling(bench *b, am_error *err)
{
    static const int draws[] = {1, 8, 16, 64, 256};
    static const plan_kind plans[] = {PLAN_DIRECT, PLAN_FACTORED};
    double seconds[2][5];
    fputs("\n### scaling: a step of 784–64–10, r = 32, gradient descent, over M draws\n\n"
          "| M | direct, µs | against M = 1 | factored, µs | against M = 1 |\n"
          "| --- | --- | --- | --- | --- |\n",
          b->md);
    for (int m = 0; m < 5; m++) {
        for (int p = 0; p < 2; p++) {
            scenario of = {.name = "scaling",
                           .target = "784-64-10",
                           .features = "mlp:64,32",
                           .plan = plans[p],
                           .draws = draws[m]};
            AM_TRY(scene_seconds(&of, b->be, &seconds[p][m], err));
            if (b->csv != NULL)
                fprintf(b->csv, "scaling,%s,M=%d,,,%.6e,,,\n", plan_name(plans[p]), draws[m],
                        seconds[p][m]);
        }
        fprintf(b->md, "| %d | %.1f | %.2f | %.1f | %.2f |\n", draws[m], seconds[0][m] * 1e6,
                seconds[0][m] / seconds[0][0], seconds[1][m] * 1e6, seconds[1][m] / seconds[1][0]);
        fflush(b->md);
    }
    return AM_OK;
}

/* ---- the program ----------------------------------------------------------------------------------- */

static const char usage[] =
    "bench_ops [--device cpu|cuda] [--threads N] [--precision fp32|tf32|bf16]\n"
    "          [--only default,paper,refits,models,large,scaling] [--md FILE] [--csv FILE]\n"
    "Exit 0: every op is right; 1: one is not, or the work failed; 2: wrong usage.\n";

static bool parse(int count, char **word, options *o)
{
    *o = (options){
        .device = "auto", .precision = "fp32", .only = "default,paper,refits,models,large,scaling"};
    for (int i = 1; i + 1 < count; i += 2) {
        if (strcmp(word[i], "--device") == 0)
            o->device = word[i + 1];
        else if (strcmp(word[i], "--precision") == 0)
            o->precision = word[i + 1];
        else if (strcmp(word[i], "--only") == 0)
            o->only = word[i + 1];
        else if (strcmp(word[i], "--md") == 0)
            o->md = word[i + 1];
        else if (strcmp(word[i], "--csv") == 0)
            o->csv = word[i + 1];
        else if (strcmp(word[i], "--threads") == 0)
            o->threads = (int)strtol(word[i + 1], NULL, 10);
        else
            return false;
    }
    return count % 2 == 1;
}

/* Is `name` one of the words between commas? */
static bool asked_for(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return false;
}

static am_status open_file(const char *path, FILE **f, am_error *err)
{
    if (path == NULL)
        return AM_OK;
    *f = fopen(path, "w");
    return *f != NULL ? AM_OK : am_fail(err, AM_ERR_IO, "%s: cannot be written", path);
}

static am_status run_all(bench *b, am_error *err)
{
    const char *only = b->options->only;
    AM_TRY(backend_open(&b->cpu, "cpu", 0, err));
    AM_TRY(backend_open(&b->be, b->options->device, b->options->threads, err));
    AM_TRY(b->be->op->set_precision(b->be, b->options->precision, err));
    AM_TRY(measure_ceilings(b->be, &b->ceiling, err));
    report_head(b->md, b->be, b->options->precision, &b->ceiling);
    if (b->csv != NULL)
        report_csv_head(b->csv);
    for (int i = 0; i < scenario_count; i++)
        if (asked_for(only, scenarios[i].name))
            AM_TRY(run_scenario(b, &scenarios[i], err));
    if (asked_for(only, "scaling"))
        AM_TRY(run_scaling(b, err));
    fprintf(b->md, "\nOps beyond the tolerance of %.0e: %d.\n",
            report_tolerance(b->options->precision), b->wrong);
    return AM_OK;
}

int main(int count, char **word)
{
    options o;
    am_error err = {0};
    as_the_program_does(word);
    if (!parse(count, word, &o)) {
        fputs(usage, stderr);
        return 2;
    }
    bench b = {.md = stdout, .options = &o};
    am_status status = open_file(o.md, &b.md, &err);
    if (status == AM_OK)
        status = open_file(o.csv, &b.csv, &err);
    if (status == AM_OK)
        status = run_all(&b, &err);
    if (status != AM_OK)
        fprintf(stderr, "bench_ops: %s\n", err.message);
    backend_close(b.be);
    backend_close(b.cpu);
    if (b.csv != NULL)
        fclose(b.csv);
    if (b.md != NULL && b.md != stdout)
        fclose(b.md);
    return status != AM_OK || b.wrong > 0;
}
