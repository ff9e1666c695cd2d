/* The answer to ω of generators whose refits are exact, as the commands print and write it. */
#include "support/program.h"

#include <math.h>

/* Rows of FOLDER/summary.json's list at `path` that this generator has; each must agree with its
 * verdict. Returns how many pass. */
static int passes(const cJSON *root, const char *path, const char *generator, int expected)
{
    int rows = 0, pass = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, json_item(root, path))
    {
        if (strcmp(json_item(item, "generator")->valuestring, generator) != 0)
            continue;
        double spread = json_value(item, "spread_ratio"), share = json_value(item, "fidelity");
        bool good = spread >= 0.95 && spread <= 1.05 && share >= 0.99;
        rows++;
        pass += good;
        cr_expect_str_eq(json_item(item, "verdict")->valuestring, good ? "PASS" : "FAIL");
        cr_expect_float_eq(json_value(item, "reproducible_share"), 1, 1e-9);
        expect_json_items(item, "spread_ratio_se captured_signal captured_signal_se fidelity_se");
    }
    cr_expect_eq(rows, expected, "%s: %d rows", generator, rows);
    return pass;
}

Test(command_fidelity, ridge)
{
    test_folder folder = make_folder();
    cJSON *o = summary_of(&folder, "results/ridge/summary.json",
                          succeeds(&folder, "experiment ridge --replications 1 --json"));
    cr_expect_eq(passes(o, "fidelity.at", "krylov", 3), 3);
    /* linear in ω, which the solution is not */
    cr_expect_eq(passes(o, "fidelity.at", "linear", 3), 0);
    passes(o, "fidelity.at", "tangent", 3);
    for (int i = 0; i < 3; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "fidelity.at.%d.fidelity", 3 * i + 1);
        double tangent = json_value(o, path);
        path[strlen("fidelity.at.")] = (char)('0' + 3 * i);
        cr_expect(tangent > json_value(o, path) && tangent < 0.99, "%g", tangent);
    }
    cr_expect_eq(json_value(o, "fidelity.draws"), 200);
    cJSON_Delete(o);
    remove_folder(&folder);
}

Test(command_fidelity, student_t)
{
    test_folder folder = make_folder();
    cJSON *o = summary_of(&folder, "results/student-t/summary.json",
                          succeeds(&folder, "experiment student-t --replications 1 --json"));
    cr_expect_eq(passes(o, "fidelity.at", "response", 3), 3);
    cr_expect_lt(passes(o, "fidelity.at", "generator", 3), 3);
    passes(o, "fidelity.at", "chebyshev", 3);
    cJSON_Delete(o);
    char *out = succeeds(&folder, "experiment student-t --replications 1");
    expect_holds(out, "answer to ω against exact refits: (μ/σ̂, log σ), 200 fresh draws");
    expect_holds(out, "(PASS: spread ratio within 0.95..1.05 and fidelity at least 0.99)");
    free(out);
    remove_folder(&folder);
}

/* 200 rows; the response is 1 about half the time, more often for larger a. */
static void put_rows(const test_folder *folder)
{
    FILE *file = fopen(in_folder(folder, "t.csv"), "w");
    cr_assert_not_null(file);
    fprintf(file, "a,b,y\n");
    for (int i = 0; i < 200; i++) {
        double a = (i * 37 % 101) / 50.0 - 1, b = (i * 53 % 97) / 48.0 - 1;
        fprintf(file, "%g,%g,%d\n", a, b, a + 0.5 * b + (i * 71 % 89) / 44.0 - 1 > 0);
    }
    fclose(file);
}

static cJSON *mest(const test_folder *folder, const char *words)
{
    char *out = succeeds(folder, "mest --data t.csv --blocks 40 --draws 200 --json %s", words);
    cJSON *o = parse_json(out);
    free(out);
    return o;
}

Test(command_fidelity, mest)
{
    test_folder folder = make_folder();
    put_rows(&folder);
    cJSON *o = mest(&folder, "--loss logistic --audit-refits 60");
    cr_expect_eq(passes(o, "audit.fidelity.at", "generator", 1), 1);
    cr_expect_str_eq(json_item(o, "audit.fidelity.what")->valuestring, "fitted probabilities");
    cr_expect_eq(json_value(o, "audit.fidelity.draws"), 60);
    cJSON_Delete(o);
    o = mest(&folder, "--loss logistic --penalty l2 --lambda 0.01 --audit-refits 60");
    cr_expect_eq(passes(o, "audit.fidelity.at", "generator", 1), 1);
    cr_expect_eq(json_value(o, "audit.fidelity.at.0.lambda"), 0.01);
    cJSON_Delete(o);
    o = mest(&folder, "--loss squared --penalty l2 --lambda 0.01 --audit-refits 60");
    cr_expect_float_eq(json_value(o, "audit.fidelity.at.0.fidelity"), 1, 1e-6);
    cr_expect_float_eq(json_value(o, "audit.fidelity.at.0.spread_ratio"), 1, 1e-6);
    cJSON_Delete(o);
    /* a kink that the generator smooths: it is told apart */
    o = mest(&folder, "--loss lad --method generator --audit-refits 60");
    cr_expect_eq(passes(o, "audit.fidelity.at", "generator", 1), 0);
    cJSON_Delete(o);
    remove_folder(&folder);
}

/* Two audited refits have no spread to speak of: null, and "-" in the table. */
Test(command_fidelity, too_few_draws_are_no_number)
{
    test_folder folder = make_folder();
    put_rows(&folder);
    cJSON *o = mest(&folder, "--loss logistic --audit-refits 2");
    cr_expect(cJSON_IsNull(json_item(o, "audit.fidelity.at.0.fidelity")));
    cr_expect_str_eq(json_item(o, "audit.fidelity.at.0.verdict")->valuestring, "-");
    cJSON_Delete(o);
    char *out = succeeds(&folder, "mest --data t.csv --loss logistic --audit-refits 2");
    expect_lacks(out, "nan");
    free(out);
    remove_folder(&folder);
}
