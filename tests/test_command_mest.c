/* mest, as a user types it. */
#include "support/estimation.h"
#include "support/program.h"

#include <math.h>

/* CSV "a,b,c,d,y": y is 0 or 1, a number, or a word. */
typedef enum { CLASSES, NUMBERS, WORDS } label_kind;
static void put_rows(const test_folder *folder, const char *name, label_kind kind, int rows)
{
    simulation s;
    FILE *file = fopen(in_folder(folder, name), "w");
    cr_assert_not_null(file);
    simulate(&s, kind == NUMBERS ? CLASSIC_SQUARED : CLASSIC_LOGISTIC, rows, 5, 0, 0, 43);
    fprintf(file, "a,b,c,d,y\n");
    for (int i = 0; i < rows; i++) {
        for (int j = 1; j < 5; j++)
            fprintf(file, "%.17g,", s.x[j * rows + i] * (j == 2 ? 100 : 1));
        if (kind == WORDS)
            fprintf(file, "%s\n", s.y[i] > 0 ? "yes" : "no");
        else
            fprintf(file, "%.17g\n", s.y[i]);
    }
    fclose(file);
}

static void expect_refused(const test_folder *folder, const char *parts, const char *words)
{
    refuses(folder, 2, parts, "mest --data %s", words);
}

Test(command_mest, bootstrap_prints_and_writes)
{
    test_folder folder = make_folder();
    put_rows(&folder, "t.csv", WORDS, 150);
    char *out = succeeds(&folder, "mest --data t.csv --loss logistic --draws 200 --blocks 30 "
                                  "--audit-refits 100 --out r");
    expect_holds(out, "logistic loss, 'y' (1: yes) on 4 columns, 150 rows, penalty none");
    expect_holds(out, "(intercept)");
    expect_holds(out, "95 % intervals from 200 draws of 30 dirichlet block weights");
    expect_holds(out, "audit: 100 exact refits");
    expect_lacks(out, "nan");
    free(out);
    expect_csv(&folder, "r/draws.csv", "(intercept),a,b,c,d", 200);
    expect_svg(&folder, "r/intervals.svg");
    char *text = file_text(&folder, "r/summary.json");
    cJSON *root = parse_json(text);
    expect_json_items(root,
                      "use loss penalty label class rows columns level blocks weights "
                      "coefficients.4.name coefficients.0.percentile.1 coefficients.0.bca.0 "
                      "coefficients.0.bias_correction coefficients.0.acceleration certificate "
                      "generator.refits audit.worst_end audit.rms seconds.draws "
                      "cpu_seconds.draws");
    cr_expect_leq(json_value(root, "audit.worst_end"), 0.05);
    cr_expect_leq(json_value(root, "certificate"), 1e-9);
    cr_expect_eq(json_value(root, "columns"), 4);
    double low = json_value(root, "coefficients.1.bca.0");
    double high = json_value(root, "coefficients.1.bca.1");
    cr_expect(low < high && low > 0, "a has an effect of one half: %g to %g", low, high);
    cJSON_Delete(root);
    free(text);
    text = file_text(&folder, "r/coefficients.csv");
    expect_holds(text, "name,estimate,se,percentile_low,percentile_high,bca_low,bca_high\n");
    expect_holds(text, "\nb,");
    free(text);
    cr_expect_eq(count_entries(&folder), 2);
    remove_folder(&folder);
}

/* Coefficients are in the units of the columns: b was multiplied by 100. */
Test(command_mest, coefficients_are_in_original_units)
{
    test_folder folder = make_folder();
    put_rows(&folder, "t.csv", NUMBERS, 150);
    char *a = succeeds(&folder, "mest --data t.csv --draws 20 --json");
    char *b = succeeds(&folder, "mest --data t.csv --draws 20 --json --no-standardise");
    cJSON *x = parse_json(a), *y = parse_json(b);
    for (int j = 0; j < 5; j++) {
        char path[40];
        (void)snprintf(path, sizeof path, "coefficients.%d.estimate", j);
        double expected = json_value(x, path);
        cr_expect_float_eq(json_value(y, path), expected, 1e-9 * (1 + fabs(expected)));
    }
    cr_expect(fabs(json_value(x, "coefficients.2.estimate")) < 0.02);
    cJSON_Delete(x);
    cJSON_Delete(y);
    free(a);
    free(b);
    remove_folder(&folder);
}

Test(command_mest, double_bootstrap_calibrates)
{
    test_folder folder = make_folder();
    put_rows(&folder, "t.csv", NUMBERS, 100);
    char *out =
        succeeds(&folder, "mest --data t.csv --use double-bootstrap --loss huber --draws 100 "
                          "--inner 20 --blocks n --weights multinomial --out r");
    expect_holds(out, "calibrated from");
    free(out);
    char *text = file_text(&folder, "r/coefficients.csv");
    expect_holds(text, ",calibrated_low,calibrated_high\n");
    expect_lacks(text, "nan");
    free(text);
    remove_folder(&folder);
}

Test(command_mest, cross_validation_prints_and_writes)
{
    test_folder folder = make_folder();
    put_rows(&folder, "t.csv", CLASSES, 120);
    char *out =
        succeeds(&folder, "mest --data t.csv --use cv --loss logistic --folds 6 --points 20 "
                          "--audit-refits 1 --out r");
    expect_holds(out, "6-fold cross-validation over 20 λ");
    expect_holds(out, "  least ");
    expect_holds(out, "  1 se ");
    expect_holds(out, "audit: exact refits choose λ");
    free(out);
    expect_csv(&folder, "r/curve.csv", "lambda,loss,se,refit_loss", 20);
    expect_csv(&folder, "r/path.csv", "lambda,(intercept),a,b,c,d", 20);
    expect_svg(&folder, "r/curve.svg");
    expect_svg(&folder, "r/path.svg");
    char *text = file_text(&folder, "r/summary.json");
    cJSON *root = parse_json(text);
    expect_json_items(root, "folds lambda_least lambda_one_se edge_alarm curve.19.lambda "
                            "curve.0.loss curve.0.se curve.0.columns coefficients.4.one_se "
                            "audit.curve_gap");
    cr_expect_leq(json_value(root, "audit.curve_gap"), 0.01);
    cr_expect_eq(json_value(root, "audit.lambda_least"), json_value(root, "lambda_least"));
    cr_expect_eq(json_value(root, "curve.0.columns"), 0);
    cJSON_Delete(root);
    free(text);
    remove_folder(&folder);
}

Test(command_mest, stability_and_path_print_and_write)
{
    test_folder folder = make_folder();
    put_rows(&folder, "t.csv", NUMBERS, 120);
    char *out = succeeds(&folder, "mest --data t.csv --use stability --range 0.05:1 --points 8 "
                                  "--draws 40 --out s");
    expect_holds(out, "largest frequency");
    expect_holds(out, "frequencies over 40 halves of 100 blocks, 8 λ in 0.05:1");
    free(out);
    expect_csv(&folder, "s/frequencies.csv", "lambda,(intercept),a,b,c,d", 8);
    expect_svg(&folder, "s/stability.svg");
    out =
        succeeds(&folder, "mest --data t.csv --use path --loss quantile --quantile 0.8 --points 5 "
                          "--draws 20 --penalty elastic-net --mixing 0.7 --out p");
    expect_holds(out, "enters at λ");
    expect_holds(out, "5 λ in");
    free(out);
    expect_csv(&folder, "p/path.csv",
               "lambda,(intercept),(intercept)_low,(intercept)_high,a,a_low,a_high,b,b_low,b_high,"
               "c,c_low,c_high,d,d_low,d_high",
               5);
    expect_svg(&folder, "p/path.svg");
    remove_folder(&folder);
}

/* Every loss with every penalty, and both kinds of draws: finite numbers, or null where there is none. */
Test(command_mest, every_loss_and_penalty)
{
    static const char *const losses[] = {"squared",  "logistic",  "lad",  "huber",
                                         "quantile", "student-t", "hinge"};
    static const char *const penalties[] = {"none", "l2", "l1", "elastic-net"};
    test_folder folder = make_folder();
    put_rows(&folder, "n.csv", NUMBERS, 80);
    put_rows(&folder, "c.csv", CLASSES, 80);
    for (int l = 0; l < 7; l++)
        for (int p = 0; p < 4; p++) {
            char *out =
                succeeds(&folder,
                         "mest --data %s.csv --loss %s --penalty %s %s --draws 20 --blocks 20 "
                         "--json --method generator",
                         l == 1 || l == 6 ? "c" : "n", losses[l], penalties[p],
                         p > 0 ? "--lambda 0.02" : "");
            cJSON *root = parse_json(out);
            for (int j = 0; j < 5; j++) {
                char path[40];
                (void)snprintf(path, sizeof path, "coefficients.%d.estimate", j);
                cr_expect(isfinite(json_value(root, path)));
                (void)snprintf(path, sizeof path, "coefficients.%d.bca.1", j);
                cr_expect(isfinite(json_value(root, path)));
            }
            cr_expect_leq(json_value(root, "certificate"), 1e-8, "%s %s", losses[l], penalties[p]);
            cJSON_Delete(root);
            free(out);
        }
    remove_folder(&folder);
}

Test(command_mest, lambda_by_cross_validation_when_it_is_not_given)
{
    test_folder folder = make_folder();
    put_rows(&folder, "t.csv", NUMBERS, 100);
    outcome o = amortune(&folder, "mest --data t.csv --penalty l1 --draws 20 --points 10 --json");
    cr_expect_eq(o.code, 0, "%s", o.err);
    expect_holds(o.err, "by 10-fold cross-validation");
    cJSON *root = parse_json(o.out);
    cr_expect_gt(json_value(root, "lambda"), 0);
    cJSON_Delete(root);
    outcome_free(&o);
    remove_folder(&folder);
}

Test(command_mest, repeats_itself)
{
    test_folder folder = make_folder();
    put_rows(&folder, "t.csv", CLASSES, 100);
    free(succeeds(&folder, "mest --data t.csv --loss logistic --draws 50 --out a"));
    free(succeeds(&folder, "mest --data t.csv --loss logistic --draws 50 --out b --threads 3"));
    free(succeeds(&folder, "mest --data t.csv --loss logistic --draws 50 --out c --seed 2"));
    cr_expect(same_files(&folder, "a/draws.csv", "b/draws.csv"));
    cr_expect_not(same_files(&folder, "a/draws.csv", "c/draws.csv"));
    remove_folder(&folder);
}

/* ---- bad input ---------------------------------------------------------------------------------- */

Test(command_mest, usage)
{
    test_folder folder = make_folder();
    put_rows(&folder, "t.csv", NUMBERS, 30);
    expect_refused(&folder, "--quantile 1: |between 0 and 1", "t.csv --loss quantile --quantile 1");
    expect_refused(&folder, "--quantile 0: out of range", "t.csv --loss quantile --quantile 0");
    expect_refused(&folder, "--quantile -2: out of range", "t.csv --loss quantile --quantile -2");
    expect_refused(&folder, "--folds 31: |30 rows can be cut", "t.csv --use cv --folds 31");
    expect_refused(&folder, "31 blocks cannot be cut from 30", "t.csv --blocks 31");
    expect_refused(&folder, "--penalty none: --use cv runs along λ",
                   "t.csv --use cv --penalty none");
    expect_refused(&folder, "--lambda: |--range", "t.csv --use path --lambda 1");
    expect_refused(&folder, "--lambda: there is no penalty", "t.csv --lambda 1");
    expect_refused(&folder, "stability selection needs|--penalty l1",
                   "t.csv --use stability --penalty l2");
    expect_refused(&folder, "--draws 1: |two or more", "t.csv --draws 1");
    expect_refused(&folder, "--device cuda: |--device cpu", "t.csv --device cuda");
    expect_refused(&folder, "--precision tf32: ", "t.csv --precision tf32");
    expect_refused(&folder, "none.csv: cannot be opened", "none.csv");
    remove_folder(&folder);
}

static void put_lines(const test_folder *folder, const char *name, const char *text)
{
    put_bytes(in_folder(folder, name), text, strlen(text));
}

Test(command_mest, data)
{
    test_folder folder = make_folder();
    put_rows(&folder, "t.csv", NUMBERS, 30);
    put_rows(&folder, "w.csv", WORDS, 30);
    put_lines(&folder, "missing.csv", "a,b,y\n1,2,3\n2,,4\n3,4,5\n");
    put_lines(&folder, "words.csv", "a,b,y\n1,red,3\n2,blue,4\n3,red,5\n");
    put_lines(&folder, "constant.csv", "a,b,y\n1,5,3\n2,5,4\n4,5,5\n3,5,7\n");
    put_lines(&folder, "one.csv", "a,y\n1,1\n2,1\n4,1\n");
    put_lines(&folder, "twice.csv", "a,b,y\n1,2,3\n2,4,4\n4,8,5\n3,6,9\n");
    put_lines(&folder, "wide.csv", "a,b,c,y\n1,2,3,1\n2,5,4,2\n4,8,1,3\n");
    put_lines(&folder, "split.csv", "a,y\n1,0\n2,0\n3,0\n4,1\n5,1\n6,1\n");
    put_lines(&folder, "flat.csv", "a,y\n1,2\n2,2\n3,2\n4,2\n5,2\n6,9\n");
    expect_refused(&folder, "missing.csv:3: column 'b' is empty", "missing.csv");
    expect_refused(&folder, "words.csv:2: column 'b' holds 'red', which is no number", "words.csv");
    expect_refused(&folder, "constant.csv: column 'b' is constant; remove it", "constant.csv");
    expect_refused(&folder, "one.csv: column 'y' holds one class only", "one.csv --loss logistic");
    expect_refused(&folder, "t.csv: column 'y' holds more than two classes", "t.csv --loss hinge");
    expect_refused(&folder, "w.csv: column 'y' holds text|--loss logistic", "w.csv --loss lad");
    expect_refused(&folder, "column 'b' is a combination of|--penalty l2", "twice.csv");
    expect_refused(&folder, "4 coefficients cannot be told from 3 rows|--penalty", "wide.csv");
    expect_refused(&folder, "separate the classes|--penalty l2", "split.csv --loss logistic");
    expect_refused(&folder, "give --scale", "flat.csv --loss huber");
    expect_refused(&folder, "no column 'z'", "t.csv --label z");
    /* what a penalty or an option cures */
    free(succeeds(&folder, "mest --data twice.csv --penalty l2 --lambda 0.1 --draws 20"));
    free(succeeds(&folder, "mest --data wide.csv --penalty l1 --lambda 0.1 --draws 20"));
    free(succeeds(&folder, "mest --data split.csv --loss logistic --penalty l2 --lambda 0.1 "
                           "--draws 20 --blocks 6"));
    free(succeeds(&folder, "mest --data flat.csv --loss huber --scale 1 --draws 20"));
    char *out = succeeds(&folder, "mest --data t.csv --use cv --folds 30 --points 5");
    expect_holds(out, "30-fold cross-validation"); /* folds of one row */
    expect_lacks(out, "nan");
    free(out);
    remove_folder(&folder);
}
