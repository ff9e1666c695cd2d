/* report: tables, CSV, JSON. */
#include "support/scratch.h"

#include "report/report.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *path(void)
{
    return scratch("file");
}

static void cr_file_is(const char *expected)
{
    char *text = scratch_text(path());
    cr_assert_str_eq(text, expected);
    free(text);
}

/* ---- tables ---------------------------------------------------------------------------------- */

TestSuite(table, .init = scratch_make, .fini = scratch_remove);

static void print_to_file(const report_table *table)
{
    FILE *stream = fopen(path(), "w");
    cr_assert(stream != NULL);
    table_print(table, stream);
    cr_assert(fclose(stream) == 0);
}

#define ROW(...)                                                                                   \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

Test(table, aligns_by_kind_and_display_width)
{
    report_table *table = table_new(4, ROW("λ", "method", "acc", "time"));
    cr_assert(table != NULL);
    cr_assert(table_row(table, ROW("1e-05", "refit", "96.5 %", "12 s")));
    cr_assert(table_row(table, ROW("4.28e-4", "généré", "—", "1.25 s")));
    cr_assert(table_row(table, ROW("0.1", "", "\u22121.2 ± 0.1", "")));
    print_to_file(table);
    cr_file_is("      λ  method         acc    time\n"
               "───────────────────────────────────\n"
               "  1e-05  refit       96.5 %    12 s\n"
               "4.28e-4  généré           —  1.25 s\n"
               "    0.1          −1.2 ± 0.1\n");
    table_free(table);
    table_free(NULL);
}

Test(table, text_that_begins_with_a_digit_stands_left)
{
    report_table *table = table_new(3, ROW("target", "when", "n"));
    cr_assert(table_row(table, ROW("784-64-10", "2025-01-02", "5")));
    cr_assert(table_row(table, ROW("5-2", "12:30", "of 20")));
    print_to_file(table);
    cr_file_is("target     when        n\n"
               "────────────────────────────\n"
               "784-64-10  2025-01-02  5\n"
               "5-2        12:30       of 20\n");
    table_free(table);
}

Test(table, wide_and_combining_characters)
{
    report_table *table = table_new(2, ROW("a", "b"));
    cr_assert(table_row(table, ROW("漢字", "x")));
    cr_assert(table_row(table, ROW("e\u0301", "y")));
    print_to_file(table);
    cr_file_is("a     b\n───────\n漢字  x\ne\u0301     y\n");
    table_free(table);
}

Test(table, cells_cannot_tear_it)
{
    report_table *table = table_new(2, ROW("name", "x"));
    cr_assert(table_row(table, ROW("a\nb\x1b[1m", "1")));
    print_to_file(table);
    cr_file_is("name     x\n──────────\na?b?[1m  1\n");
    table_free(table);
}

Test(table, header_alone_and_many_rows)
{
    report_table *table = table_new(1, ROW("n"));
    print_to_file(table);
    cr_file_is("n\n─\n");
    char cell[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(cell, sizeof cell, "%d", i);
        cr_assert(table_row(table, ROW(cell)));
    }
    print_to_file(table);
    char *text = scratch_text(path());
    int lines = 0;
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    cr_assert(lines == 1002);
    cr_assert(strstr(text, "\n  0\n") && strstr(text, "\n999\n"));
    free(text);
    table_free(table);
}

Test(table, csv_quotes_what_needs_it)
{
    am_error err = {0};
    report_table *table = table_new(3, ROW("name", "a,b", "c"));
    cr_assert(table_row(table, ROW("say \"hi\"", "two\nlines", "λ plain")));
    cr_assert(table_write_csv(table, path(), &err) == AM_OK, "%s", err.message);
    cr_file_is("name,\"a,b\",c\n\"say \"\"hi\"\"\",\"two\nlines\",λ plain\n");
    table_free(table);
}

/* ---- CSV and JSON ---------------------------------------------------------------------------- */

TestSuite(csv_write, .init = scratch_make, .fini = scratch_remove);

Test(csv_write, columns_of_numbers)
{
    am_error err = {0};
    const double lambda[] = {1e-5, 4.28e-5, 0.1}, loss[] = {0.25f, NAN, 0.1f},
                 n[] = {50000, -INFINITY, 1.0 / 3.0};
    const csv_column column[] = {{"lambda", lambda}, {"val,nll", loss}, {"n", n}};
    cr_assert(csv_write(path(), column, 3, 3, &err) == AM_OK, "%s", err.message);
    cr_file_is("lambda,\"val,nll\",n\n"
               "1e-05,0.25,50000\n"
               "4.28e-05,,-inf\n"
               "0.1,0.1,0.3333333333333333\n");
    cr_assert(csv_write(path(), column, 1, 0, &err) == AM_OK);
    cr_file_is("lambda\n");
}

Test(csv_write, unwritable_place_is_an_error)
{
    am_error err = {0};
    const double x[] = {1.0};
    const csv_column column = {"x", x};
    cr_assert(csv_write("/nowhere/at/all.csv", &column, 1, 1, &err) == AM_ERR_IO);
    cr_assert(strstr(err.message, "/nowhere/at/all.csv"), "%s", err.message);
}

TestSuite(json_write, .init = scratch_make, .fini = scratch_remove);

Test(json_write, numbers_that_are_not_finite_become_null)
{
    am_error err = {0};
    cJSON *document = cJSON_CreateObject();
    json_number(document, "lambda", 4.28e-5);
    json_number(document, "third", 1.0 / 3.0);
    json_number(document, "nan", NAN);
    json_number(document, "infinite", INFINITY);
    cJSON_AddNumberToObject(document, "direct", NAN);
    cJSON_AddStringToObject(document, "path", "/data/\xFF\"λ\"\n");
    cr_assert(json_write(path(), document, &err) == AM_OK, "%s", err.message);
    cJSON_Delete(document);
    char *text = scratch_text(path());
    cr_assert(strchr(text, '\t') != NULL && text[strlen(text) - 1] == '\n');
    document = cJSON_Parse(text);
    cr_assert(document != NULL);
    cr_assert(cJSON_GetObjectItem(document, "lambda")->valuedouble == 4.28e-5);
    cr_assert(cJSON_GetObjectItem(document, "third")->valuedouble == 1.0 / 3.0);
    cr_assert(cJSON_IsNull(cJSON_GetObjectItem(document, "nan")));
    cr_assert(cJSON_IsNull(cJSON_GetObjectItem(document, "infinite")));
    cr_assert(cJSON_IsNull(cJSON_GetObjectItem(document, "direct")));
    cr_assert_str_eq(cJSON_GetObjectItem(document, "path")->valuestring, "/data/?\"λ\"\n");
    cJSON_Delete(document);
    free(text);
}
