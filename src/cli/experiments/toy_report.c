#include "cli/experiments/toy.h"

#include "cli/experiments/cells.h"
#include "cli/output.h"

#include <math.h>
#include <stdlib.h>

static const char *const way_name[WAYS] = {"supervised, B labels", "criterion by descent, M draws",
                                           "criterion exactly, M draws"};
static const char *const way_key[WAYS] = {"supervised", "criterion", "exact"};

/* ---- table ------------------------------------------------------------------------------------- */

static void cell_row(cells *t, const char *name, const toy_cell *c, mean_estimate p)
{
    char budget[16] = "all";
    if (c->budget > 0)
        (void)snprintf(budget, sizeof budget, "%d", c->budget);
    cells_row(t, "%s|%s|%s|%.4f s|%s", name, budget, estimate_print(c->mean, 4).text, c->seconds,
              isfinite(p.mean) ? estimate_print(p, 3).text : "");
}

static am_status print_table(const settings *set, const toy_result *r, am_error *err)
{
    printf("IPL, mean squared distance of the generator from the exact solution over %d fresh "
           "draws;\nmean ± se over %d replications, %s\n\n",
           EVALUATED, r->replications,
           set->reference != NULL ? "each with its own draws on the one data set"
                                  : "each with its own simulated data and draws");
    cells t = cells_open("|budget|IPL|training|published");
    for (int way = 0; way < WAYS; way++)
        for (int i = 0; i < BUDGETS; i++)
            cell_row(&t, i == 0 ? way_name[way] : "", &r->cell[way][i],
                     toy_published_at((toy_way)way, r->cell[way][i].budget));
    cell_row(&t, "criterion in closed form", &r->expected, (mean_estimate){NAN, NAN});
    AM_TRY(cells_print(&t, err));
    printf("(descent: %.1f passes over its draws on average; published: for one data set)\n",
           r->steps);
    return AM_OK;
}

/* ---- summary.json ------------------------------------------------------------------------------ */

static cJSON *cell_json(const toy_cell *c)
{
    cJSON *o = cJSON_CreateObject();
    if (c->budget > 0)
        json_number(o, "budget", c->budget);
    json_number(o, "ipl_mean", c->mean.mean);
    json_number(o, "ipl_se", c->mean.se);
    json_number(o, "seconds", c->seconds);
    return o;
}

static cJSON *summary(const settings *set, const toy_result *r)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "experiment", "toy");
    cJSON_AddStringToObject(o, "data", set->reference != NULL ? set->reference : "simulated");
    json_number(o, "seed", (double)set->seed);
    cJSON_AddStringToObject(o, "version", AM_VERSION);
    json_number(o, "n", r->n);
    json_number(o, "p", r->p);
    json_number(o, "blocks", r->blocks);
    json_number(o, "replications", r->replications);
    for (int way = 0; way < WAYS; way++) {
        cJSON *list = cJSON_AddArrayToObject(o, way_key[way]);
        for (int i = 0; i < BUDGETS; i++)
            cJSON_AddItemToArray(list, cell_json(&r->cell[way][i]));
    }
    cJSON_AddItemToObject(o, "closed_form", cell_json(&r->expected));
    json_number(o, "descent_steps", r->steps);
    json_number(o, "seconds", r->total_seconds);
    return o;
}

/* ---- files ------------------------------------------------------------------------------------- */

/* One row a cell: way (0 supervised, 1 descent, 2 exact, 3 closed form, budget 0). */
static am_status write_cells(const toy_result *r, const char *path, am_error *err)
{
    enum { ROWS = WAYS * BUDGETS + 1, COLUMNS = 5 };
    static const char *const name[COLUMNS] = {"way", "budget", "ipl_mean", "ipl_se", "seconds"};
    double value[COLUMNS][ROWS];
    csv_column column[COLUMNS];
    for (int i = 0; i < ROWS; i++) {
        const toy_cell *c = i < ROWS - 1 ? &r->cell[i / BUDGETS][i % BUDGETS] : &r->expected;
        const int way = i / BUDGETS;
        const double row[COLUMNS] = {way, c->budget, c->mean.mean, c->mean.se, c->seconds};
        for (int j = 0; j < COLUMNS; j++)
            value[j][i] = row[j];
    }
    for (int j = 0; j < COLUMNS; j++)
        column[j] = (csv_column){name[j], value[j]};
    return csv_write(path, column, COLUMNS, ROWS, err);
}

/* Figure 1: IPL by budget and by seconds of training, bands of one standard error. */
static am_status draw_figure(const toy_result *r, const char *path, am_error *err)
{
    chart_series series[2][WAYS + 1];
    chart_panel panel[2];
    double x[2][WAYS][BUDGETS], y[WAYS][BUDGETS], low[WAYS][BUDGETS], high[WAYS][BUDGETS];
    for (int way = 0; way < WAYS; way++) {
        for (int i = 0; i < BUDGETS; i++) {
            const toy_cell *c = &r->cell[way][i];
            x[0][way][i] = c->budget;
            x[1][way][i] = c->seconds;
            y[way][i] = c->mean.mean;
            low[way][i] = c->mean.mean - c->mean.se;
            high[way][i] = c->mean.mean + c->mean.se;
        }
        for (int k = 0; k < 2; k++)
            series[k][way] = (chart_series){.label = way_name[way],
                                            .count = BUDGETS,
                                            .x = x[k][way],
                                            .y = y[way],
                                            .low = low[way],
                                            .high = high[way]};
    }
    series[1][WAYS] = (chart_series){.label = "criterion in closed form",
                                     .count = 1,
                                     .x = &r->expected.seconds,
                                     .y = &r->expected.mean.mean,
                                     .marks = true};
    for (int k = 0; k < 2; k++)
        panel[k] = (chart_panel){.title = k == 0 ? "By budget" : "By seconds of training",
                                 .x_label = k == 0 ? "labels B or draws M" : "seconds",
                                 .y_label = "IPL",
                                 .log_x = true,
                                 .series = series[k],
                                 .series_count = k == 0 ? WAYS : WAYS + 1};
    return chart_write_svg(path, "Weighted ridge: distance of the generator from the solution",
                           panel, 2, err);
}

static am_status write_files(const toy_result *r, const char *folder, am_error *err)
{
    char *csv = output_path(folder, "cells.csv"), *svg = output_path(folder, "ipl.svg");
    am_status status = csv && svg ? AM_OK : am_fail(err, AM_ERR_MEMORY, "%s: no memory", folder);
    if (status == AM_OK)
        status = write_cells(r, csv, err);
    if (status == AM_OK)
        status = draw_figure(r, svg, err);
    free(csv);
    free(svg);
    return status;
}

am_status toy_report(const settings *set, const toy_result *r, const char *folder, am_error *err)
{
    cJSON *document = summary(set, r);
    am_status status = output_summary(document, folder, err);
    if (status == AM_OK)
        status = write_files(r, folder, err);
    if (set->json && status == AM_OK) {
        output_json(document, stdout);
        return AM_OK;
    }
    cJSON_Delete(document);
    AM_TRY(status);
    AM_TRY(print_table(set, r, err));
    printf("\nwritten to %s: summary.json, cells.csv, ipl.svg\n", folder);
    return AM_OK;
}
