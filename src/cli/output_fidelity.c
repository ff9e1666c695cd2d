#include "cli/output_fidelity.h"

#include <math.h>
#include <string.h>

enum { COLUMNS = 6 };

/* "1.003 ± 0.002", "1.003" without a standard error, "-" without a number. */
static void number_cell(estimate e, int digits, char cell[48])
{
    if (isnan(e.value))
        snprintf(cell, 48, "-");
    else if (isnan(e.se))
        snprintf(cell, 48, "%.*f", digits, e.value);
    else
        snprintf(cell, 48, "%.*f ± %.*f", digits, e.value, digits, e.se);
}

static bool fill_table(const exact_fidelities *all, report_table *table)
{
    for (int i = 0; i < all->count; i++) {
        const exact_fidelity *r = &all->row[i];
        char cell[COLUMNS][48];
        const char *text[COLUMNS] = {r->name};
        snprintf(cell[1], sizeof cell[1], isnan(r->at) ? "-" : "%.4g", r->at);
        number_cell(r->f.spread, 4, cell[2]);
        number_cell(r->f.captured, 4, cell[3]);
        number_cell(r->f.fidelity, 4, cell[4]);
        snprintf(cell[5], sizeof cell[5], "%s", fidelity_exact_verdict(&r->f));
        for (int j = 1; j < COLUMNS; j++)
            text[j] = cell[j];
        if (!table_row(table, text))
            return false;
    }
    return true;
}

am_status output_fidelity_table(const exact_fidelities *all, am_error *err)
{
    const char *const heading[COLUMNS] = {"",         all->parameter, "spread ratio",
                                          "captured", "fidelity",     "verdict"};
    report_table *table = table_new(COLUMNS, heading);
    bool filled = table != NULL && fill_table(all, table);
    if (filled) {
        printf("\nanswer to ω against exact refits: %s, %d fresh draws\n", all->what,
               all->count > 0 ? all->row[0].f.draws : 0);
        table_print(table, stdout);
        printf("(%s)\n", FIDELITY_EXACT_RULE);
        for (int i = 0; i < all->count; i++)
            if (all->row[i].f.note != NULL)
                printf("%s: %s\n", all->row[i].name, all->row[i].f.note);
    }
    table_free(table);
    return filled ? AM_OK : am_fail(err, AM_ERR_MEMORY, "table of the fidelity: no memory");
}

/* "key" and "key_se" */
static void put_estimate(cJSON *o, const char *key, estimate e)
{
    char error[64];
    snprintf(error, sizeof error, "%s_se", key);
    json_number(o, key, e.value);
    json_number(o, error, e.se);
}

cJSON *output_fidelity_json(const exact_fidelities *all)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "what", all->what);
    json_number(o, "draws", all->count > 0 ? all->row[0].f.draws : 0);
    cJSON_AddStringToObject(o, "rule", FIDELITY_EXACT_RULE);
    cJSON *list = cJSON_AddArrayToObject(o, "at");
    for (int i = 0; i < all->count; i++) {
        const exact_fidelity *r = &all->row[i];
        cJSON *item = cJSON_CreateObject();
        json_number(item, all->key, r->at);
        cJSON_AddStringToObject(item, "generator", r->key);
        put_estimate(item, "spread_ratio", r->f.spread);
        put_estimate(item, "captured_signal", r->f.captured);
        put_estimate(item, "fidelity", r->f.fidelity);
        put_estimate(item, "reproducible_share", r->f.reproducible);
        cJSON_AddStringToObject(item, "verdict", fidelity_exact_verdict(&r->f));
        if (r->f.note != NULL)
            cJSON_AddStringToObject(item, "note", r->f.note);
        cJSON_AddItemToArray(list, item);
    }
    return o;
}
