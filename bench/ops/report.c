#include "report.h"

#include <math.h>
#include <string.h>

/* Operands up to this size may come from a cache, and reach more than a copy through memory does. */
static const double CACHE_BYTES = 32e6;

double report_tolerance(const char *precision)
{
    return strcmp(precision, "bf16") == 0 ? 1e-2 : strcmp(precision, "tf32") == 0 ? 1e-3 : 1e-6;
}

void report_head(FILE *md, const backend *be, const char *precision, const ceilings *c)
{
    fprintf(md,
            "Device: %s (%s), %d threads, %s. Ceilings measured here: a copy moves %.0f GB/s, read "
            "and written; a large matrix product computes %.0f GFLOP/s.\n\n"
            "Every op with the shapes and memory of the run it belongs to: first checked against "
            "the CPU backend from the same inputs (‖got − want‖/‖want‖, largest over its outputs), "
            "then timed among many in a row. GB/s counts each input once and each output once; "
            "share is of the nearer ceiling; * marks operands of less than %.0f MB, which may come "
            "from a cache.\n",
            be->device, be->name, be->threads, precision, c->bytes * 1e-9, c->flops * 1e-9,
            CACHE_BYTES * 1e-6);
}

void report_scenario(FILE *md, const char *name, const char *what)
{
    fprintf(md,
            "\n### %s: %s\n\n| op | shape | calls | error | µs | GB/s | GFLOP/s | share |\n"
            "| --- | --- | --- | --- | --- | --- | --- | --- |\n",
            name, what);
}

void report_csv_head(FILE *csv)
{
    fputs("scenario,op,shape,calls,error,seconds,bytes,flops,floor_seconds\n", csv);
}

void report_op(FILE *md, FILE *csv, const op_row *r, const ceilings *c)
{
    double floor = measure_floor(&r->use, c);
    fprintf(md, "| %s | %s | %d | %.1e | %.2f | %.1f%s | %.1f | %.0f %% |\n", op_name(r->op),
            r->use.shape, r->times, r->error, r->seconds * 1e6, r->use.bytes / r->seconds * 1e-9,
            r->use.bytes < CACHE_BYTES ? "*" : "", r->use.flops / r->seconds * 1e-9,
            100 * floor / r->seconds);
    if (csv != NULL)
        fprintf(csv, "%s,%s,%s,%d,%.3e,%.6e,%.0f,%.0f,%.6e\n", r->scenario, op_name(r->op),
                r->use.shape, r->times, r->error, r->seconds, r->use.bytes, r->use.flops, floor);
}

void report_step(FILE *md, FILE *csv, const char *name, double seconds, double floor, int calls)
{
    fprintf(md,
            "\n%d ops, together at least %.1f µs by the ceilings; measured %.1f µs: %.2f times "
            "that.\n",
            calls, floor * 1e6, seconds * 1e6, seconds / floor);
    if (csv != NULL)
        fprintf(csv, "%s,step,,%d,,%.6e,,,%.6e\n", name, calls, seconds, floor);
}
