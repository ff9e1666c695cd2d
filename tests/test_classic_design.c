/* classic/design: numbers and labels from files, their faults, and simulated data. */
#include "classic/design.h"
#include "linalg/linalg.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(classic_design, .init = scratch_make, .fini = scratch_remove);

static const char *put(const char *name, const char *text)
{
    scratch_put(scratch(name), text, strlen(text));
    return scratch(name);
}

static void expect_fault(const am_error *err, am_status status, const char *part)
{
    cr_expect_eq(status, AM_ERR_INPUT, "%s", part);
    cr_expect(strstr(err->message, part) != NULL, "%s: %s", part, err->message);
    cr_expect(strchr(err->message, '\n') == NULL && strchr(err->message, ';') != NULL, "%s",
              err->message);
}

/* Blanks, Windows line ends, a mark at the beginning and blank lines at the end are fine. */
Test(classic_design, reads_covariates_then_y)
{
    design d;
    am_error err = {0};
    const char *path = put("d.csv", "\xEF\xBB\xBF 1, 2,3e0\r\n-4,5, 6 \r\n\r\n");
    cr_assert_eq(design_read(path, &d, &err), AM_OK, "%s", err.message);
    cr_assert(d.n == 2 && d.p == 2);
    cr_expect(d.x[0] == 1 && d.x[1] == -4 && d.x[2] == 2 && d.x[3] == 5);
    cr_expect(d.y[0] == 3 && d.y[1] == 6);
    design_free(&d);
    cr_expect(d.x == NULL && d.n == 0);
}

Test(classic_design, more_rows_than_the_first_room)
{
    enum { ROWS = 1000 };
    char *text = malloc(ROWS * 16), *end = text;
    number_table t;
    am_error err = {0};
    for (int i = 0; i < ROWS; i++)
        end += sprintf(end, "%d,%d\n", i, 2 * i);
    cr_assert_eq(numbers_read(put("many.csv", text), NULL, &t, &err), AM_OK, "%s", err.message);
    cr_expect(t.rows == ROWS && t.columns == 2);
    cr_expect(t.value[999] == 999 && t.value[1000 + 999] == 1998);
    numbers_free(&t);
    free(text);
}

Test(classic_design, faults_of_numbers)
{
    static const struct {
        const char *text, *part;
    } wrong[] = {
        {"1,2\n3\n", "d.csv:2: 1 fields, the lines before it have 2"},
        {"1,2\n3,\n", "d.csv:2: field 2 is empty"},
        {"1,NA\n", "d.csv:1: field 2 holds 'NA'"},
        {"1,nan\n", "d.csv:1: field 2 holds 'nan'"},
        {"1,inf\n", "d.csv:1: field 2 holds 'inf'"},
        {"1,2\n\n3,4\n", "d.csv:3: a blank line before it"},
        {"", "d.csv: no numbers"},
        {"1\n2\n", "d.csv: one column; give covariates, then y"},
        {"a,b\n1,2\n", "d.csv:1: field 1 holds 'a'"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        design d;
        am_error err = {0};
        am_status status = design_read(put("d.csv", wrong[i].text), &d, &err);
        expect_fault(&err, status, wrong[i].part);
        cr_expect(d.x == NULL && d.y == NULL);
    }
}

Test(classic_design, header_when_one_is_expected)
{
    number_table t;
    am_error err = {0};
    cr_assert_eq(numbers_read(put("l.csv", "\"lambda\"\n0.5\n"), "lambda", &t, &err), AM_OK);
    cr_expect(t.rows == 1 && t.value[0] == 0.5);
    numbers_free(&t);
    am_status status = numbers_read(put("l.csv", "0.5\n"), "lambda", &t, &err);
    expect_fault(&err, status, "l.csv: no header that begins with 'lambda'");
    cr_expect_neq(numbers_read(scratch("none.csv"), NULL, &t, &err), AM_OK);
    cr_expect(strstr(err.message, "none.csv") != NULL);
}

Test(classic_design, labels)
{
    int *label, groups;
    am_error err = {0};
    cr_assert_eq(labels_read(put("g.csv", "2\n1\n2\n"), 3, &label, &groups, &err), AM_OK);
    cr_expect(groups == 2 && label[0] == 1 && label[1] == 0 && label[2] == 1);
    free(label);
    static const struct {
        const char *text, *part;
    } wrong[] = {
        {"1\n2\n", "g.csv: 2 lines of 1 fields; give one label for each of the 3 rows"},
        {"1\n3\n3\n", "g.csv: no row has label 2 of 3"},
        {"1\n0\n2\n", "g.csv:2: 0 is no label"},
        {"1\n1.5\n2\n", "g.csv:2: 1.5 is no label"},
        {"1\n4\n2\n", "g.csv:2: 4 is no label; give whole numbers 1..3"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        am_status status = labels_read(put("g.csv", wrong[i].text), 3, &label, &groups, &err);
        expect_fault(&err, status, wrong[i].part);
        cr_expect(label == NULL);
    }
}

Test(classic_design, rows_of_a_group)
{
    double x[6] = {1, 2, 3, 4, 5, 6}, y[3] = {7, 8, 9};
    const int group[3] = {0, 1, 0};
    const design d = {3, 2, x, y};
    design part;
    am_error err = {0};
    cr_assert_eq(design_rows(&d, group, 0, true, &part, &err), AM_OK);
    cr_expect(part.n == 2 && part.x[0] == 1 && part.x[1] == 3 && part.x[2] == 4);
    cr_expect(part.x[3] == 6 && part.y[0] == 7 && part.y[1] == 9);
    design_free(&part);
    am_status status = design_rows(&d, group, 2, true, &part, &err);
    expect_fault(&err, status, "group 3: has no rows");
}

/* Means, variances and correlations of a large sample: within 4 standard errors of what is asked. */
Test(classic_design, simulated_moments)
{
    const linear_model model = {.n = 4000, .p = 6, .active = 2, .b = 2, .rho = 0.5, .sigma = 1.5};
    design d;
    am_error err = {0};
    cr_assert_eq(simulate_linear(&model, 7, 3, 0, &d, &err), AM_OK);
    for (int j = 0; j < 6; j++) {
        const double *x = d.x + linalg_at(0, j, d.n);
        double mean = 0, square = 0, next = 0;
        for (int i = 0; i < d.n; i++) {
            mean += x[i] / d.n;
            square += x[i] * x[i] / d.n;
            next += j < 5 ? x[i] * x[i + d.n] / d.n : 0.5 / d.n;
        }
        cr_expect_float_eq(mean, 0, 4 / sqrt(4000));
        cr_expect_float_eq(square, 1, 4 * sqrt(2.0 / 4000));
        cr_expect_float_eq(next, 0.5, 4 * sqrt(1.25 / 4000));
    }
    double square = 0;
    for (int i = 0; i < d.n; i++) { /* y − 2x₁ − 2x₂ is the noise */
        double noise = d.y[i] - 2 * d.x[i] - 2 * d.x[i + d.n];
        square += noise * noise / d.n;
    }
    cr_expect_float_eq(square, 2.25, 4 * 2.25 * sqrt(2.0 / 4000));
    design_free(&d);
}

Test(classic_design, simulated_sets_are_their_own_and_repeat)
{
    const linear_model model = {.n = 5, .p = 2, .active = 1, .b = 1, .sigma = 1};
    design d[4];
    const uint32_t replication[4] = {0, 0, 1, 0}, set[4] = {0, 0, 0, 1};
    am_error err = {0};
    for (int i = 0; i < 4; i++)
        cr_assert_eq(simulate_linear(&model, 1, replication[i], set[i], &d[i], &err), AM_OK);
    cr_expect_eq(memcmp(d[0].y, d[1].y, 5 * sizeof(double)), 0);
    for (int i = 0; i < 5; i++)
        cr_expect(d[2].x[i] != d[0].x[i] && d[3].x[i] != d[0].x[i]);
    for (int i = 0; i < 4; i++)
        design_free(&d[i]);
}

Test(classic_design, folds_are_even)
{
    int *label, count[3] = {0};
    am_error err = {0};
    cr_assert_eq(simulate_folds("folds", 8, 3, 1, 0, &label, &err), AM_OK);
    for (int i = 0; i < 8; i++) {
        cr_assert(label[i] >= 0 && label[i] < 3);
        count[label[i]]++;
    }
    cr_expect(count[0] == 3 && count[1] == 3 && count[2] == 2);
    free(label);
    expect_fault(&err, simulate_folds("folds", 4, 5, 1, 0, &label, &err),
                 "folds: 4 rows cannot be divided into 5 groups");
    cr_expect(label == NULL);
    expect_fault(&err, simulate_folds("folds", 4, 1, 1, 0, &label, &err), "into 1 groups");
}
