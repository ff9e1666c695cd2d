#include "data_files.h"
#include "draw/permutation.h"

#include <math.h>

enum { N = 50 };

/* x runs over 0..N−1, `same` is constant, y = x + ½. */
static void put_line(const char *path)
{
    char text[4096], *at = text + sprintf(text, "x,y,same\n");
    for (int i = 0; i < N; i++)
        at += sprintf(at, "%d,%d.5,7\n", i, i);
    put_text(path, text);
}

/* Every row of the file comes once, in the order of the permutation, on the training scale. */
Test(csv_source, splits_and_normalises_by_the_training_rows)
{
    test_folder folder = make_folder();
    put_line(in_folder(&folder, "line.csv"));
    am_data *d = load_data((data_request){
        .source = in_folder(&folder, "line.csv"), .label = "y", .validation = 0.2, .seed = 4});
    const permutation order = permutation_of(4, STREAM_SPLIT, 0, N);
    double mean = 0, variance = 0;
    for (uint64_t i = 0; i < 40; i++)
        mean += (double)permutation_at(&order, i) / 40;
    for (uint64_t i = 0; i < 40; i++)
        variance += pow((double)permutation_at(&order, i) - mean, 2) / 40;
    cr_assert_eq(d->train.n, 40);
    cr_assert_eq(d->validation.n, 10);
    cr_assert_eq(d->train.inputs, 2);
    cr_assert_eq(d->train.outputs, 1);
    cr_expect_str_eq(d->name, "line");
    cr_expect(d->train.label == NULL && d->train.bytes == NULL && d->class_name == NULL);
    cr_expect_float_eq(d->norm.column_mean[0], (float)mean, 1e-6f);
    cr_expect_float_eq(d->norm.column_sd[0], (float)sqrt(variance), 1e-6f);
    cr_expect_eq(d->norm.column_mean[1], 7.0f);
    cr_expect_eq(d->norm.column_sd[1], 1.0f);
    cr_expect_eq(d->norm.target_mean, 0.0);
    cr_expect_eq(d->norm.target_sd, 1.0);
    for (int i = 0; i < N; i++) {
        const am_rows *rows = i < 40 ? &d->train : &d->validation;
        const int row = i < 40 ? i : i - 40;
        const double x = (double)permutation_at(&order, (uint64_t)i);
        cr_expect_eq(rows->target[row], (float)(x + 0.5));
        cr_expect_float_eq(rows->floats[2 * row], (float)((x - mean) / sqrt(variance)), 1e-5f);
        cr_expect_eq(rows->floats[2 * row + 1], 0.0f);
    }
    data_free(d);
    remove_folder(&folder);
}

/* Seconds since 1970 differ by less than a float resolves there; their statistics are doubles. */
Test(csv_source, keeps_small_differences_of_large_values)
{
    test_folder folder = make_folder();
    put_text(in_folder(&folder, "t.csv"), "t,y\n1600000000,1.5\n1600001000,2.5\n1600000000,1.5\n"
                                          "1600001000,2.5\n1600000000,0\n");
    am_data *d = load_data((data_request){
        .source = in_folder(&folder, "t.csv"), .task = "regression", .validation = 1});
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            const double step = d->train.target[i] > 2 ? (d->train.target[j] > 2 ? 0 : 1000)
                                                       : (d->train.target[j] > 2 ? -1000 : 0);
            cr_expect_float_eq(d->train.floats[i] - d->train.floats[j],
                               (float)(step / (double)d->norm.column_sd[0]), 1e-5f);
        }
    data_free(d);
    remove_folder(&folder);
}

static int classes_of(const test_folder *folder, const char *text, const char *task)
{
    put_text(in_folder(folder, "c.csv"), text);
    am_data *d = load_data(
        (data_request){.source = in_folder(folder, "c.csv"), .task = task, .validation = 1});
    const int classes = d->train.label != NULL ? d->train.outputs : 0;
    data_free(d);
    return classes;
}

Test(csv_source, tells_classification_from_regression)
{
    char few[512] = "x,y\n", many[512] = "x,y\n";
    test_folder folder = make_folder();
    for (int i = 0; i < 40; i++) {
        (void)sprintf(few + strlen(few), "1,%d\n", i % 20);
        (void)sprintf(many + strlen(many), "1,%d\n", i % 21);
    }
    cr_expect_eq(classes_of(&folder, few, NULL), 20);
    cr_expect_eq(classes_of(&folder, many, "auto"), 0);
    cr_expect_eq(classes_of(&folder, many, "classification"), 21);
    cr_expect_eq(classes_of(&folder, few, "regression"), 0);
    cr_expect_eq(classes_of(&folder, "x,y\n1,0\n2,1\n3,0.5\n", "auto"), 0);
    cr_expect_eq(classes_of(&folder, "x,y\n1,b\n2,a\n3,b\n", "auto"), 2);
    remove_folder(&folder);
}

/* The order of rows follows from x, which the normalisation keeps. */
Test(csv_source, numbers_classes_in_ascending_order)
{
    test_folder folder = make_folder();
    put_text(in_folder(&folder, "c.csv"), "x,y\n0,7\n1,-1\n2,3\n3,7\n4,-1\n5,3\n");
    am_data *d = load_data((data_request){.source = in_folder(&folder, "c.csv"), .validation = 2});
    const int expected[6] = {2, 0, 1, 2, 0, 1};
    cr_assert_eq(d->train.outputs, 3);
    cr_expect_str_eq(d->class_name[0], "-1");
    cr_expect_str_eq(d->class_name[1], "3");
    cr_expect_str_eq(d->class_name[2], "7");
    for (int i = 0; i < 4; i++) {
        const double x = (double)d->train.floats[i] * (double)d->norm.column_sd[0] +
                         (double)d->norm.column_mean[0];
        cr_expect_eq(d->train.label[i], expected[(int)lround(x)]);
    }
    data_free(d);
    remove_folder(&folder);
}

Test(csv_source, maps_test_labels_on_the_training_classes)
{
    test_folder folder = make_folder();
    const char *train = in_folder(&folder, "train.csv"), *test = in_folder(&folder, "test.csv");
    put_text(train, "x,y\n0,cat\n1,ant\n2,dog\n3,cat\n");
    put_text(test, "x,y\n9,dog\n8,cat\n");
    am_data *d = load_data((data_request){.source = train, .test = test, .validation = 1});
    cr_assert_eq(d->test.n, 2);
    cr_expect_str_eq(d->class_name[0], "ant");
    cr_expect_eq(d->test.label[0], 2);
    cr_expect_eq(d->test.label[1], 1);
    cr_expect_float_eq(d->test.floats[0], (9 - d->norm.column_mean[0]) / d->norm.column_sd[0],
                       1e-5f);
    data_free(d);
    put_text(train, "x,y\n0,5\n1,3\n2,5\n");
    put_text(test, "x,y\n9,5\n");
    d = load_data((data_request){.source = train, .test = test, .validation = 1});
    cr_expect_eq(d->test.label[0], 1);
    data_free(d);
    remove_folder(&folder);
}

static const struct {
    const char *train, *test, *task;
    am_status status;
    const char *fault;
} BAD[] = {
    {"y\na\nb\n", NULL, NULL, AM_ERR_INPUT, "one column only"},
    {"x;y\n1;a\n", NULL, NULL, AM_ERR_INPUT, "separated by commas"},
    {"x,y\n1,a\n2,b\n", NULL, "regression", AM_ERR_USAGE, "'y' holds text, regression needs"},
    {"x,y\n1,1\n2,1.5\n", NULL, "classification", AM_ERR_USAGE, "'y' holds 1.5, classes are"},
    {"x,y\n1,a\n2,a\n", NULL, NULL, AM_ERR_INPUT, "every row has label 'a' in column 'y'"},
    {"x,y\n1,4\n2,4\n", NULL, NULL, AM_ERR_INPUT, "every row has label '4' in column 'y'"},
    {"x,y\n1,.5\n2,1e300\n", NULL, NULL, AM_ERR_INPUT, "row 2: 'y' = 1e+300 is too large"},
    {"x,y\n1,.5\n1e300,2\n2e300,3\n", NULL, NULL, AM_ERR_INPUT, "column 'x' are too large"},
    {"x,y\n1,a\n2,b\n", "x,y\n1,c\n", NULL, AM_ERR_INPUT, "row 1 has a label in column 'y' that"},
    {"x,y\n1,1\n2,2\n", "x,y\n1,1\n1,3\n", NULL, AM_ERR_INPUT, "row 2 has a label in column 'y'"},
    {"x,y\n1,a\n2,b\n", "x,y\n1,2\n", NULL, AM_ERR_INPUT, "'y' holds numbers, in"},
    {"x,y\n1,a\n2,b\n", "x,z,y\n1,2,a\n", NULL, AM_ERR_INPUT, "3 columns, "},
    {"x,y\n1,a\n2,b\n", "z,y\n1,a\n", NULL, AM_ERR_INPUT, "column 1 is 'z', in "},
    {"x,y\n1,a\n2,b\n", "x,y\n", NULL, AM_ERR_INPUT, "no rows"},
    {"x,y\n1,a\n2,b\n", "", NULL, AM_ERR_INPUT, "test.csv"},
    {"x,y\n1,a\n", NULL, NULL, AM_ERR_INPUT, "every row has label"},
};

Test(csv_source, names_what_is_wrong)
{
    test_folder folder = make_folder();
    const char *train = in_folder(&folder, "train.csv"), *test = in_folder(&folder, "test.csv");
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        put_text(train, BAD[i].train);
        if (BAD[i].test != NULL)
            put_text(test, BAD[i].test);
        expect_no_data((data_request){.source = train,
                                      .task = BAD[i].task,
                                      .test = BAD[i].test != NULL ? test : NULL,
                                      .validation = 1},
                       BAD[i].status, BAD[i].fault);
    }
    remove_folder(&folder);
}

Test(csv_source, keeps_a_models_normalisation)
{
    float mean[2] = {10, 7}, sd[2] = {4, 2};
    normalisation norm = {
        .inputs = 2, .per_column = true, .column_mean = mean, .column_sd = sd, .target_sd = 1};
    test_folder folder = make_folder();
    const char *path = in_folder(&folder, "line.csv");
    put_line(path);
    data_request request = {.source = path, .label = "y", .validation = 1, .norm = &norm};
    am_data *d = load_data(request);
    cr_assert_neq(d->norm.column_mean, mean); /* a copy */
    for (int i = 0; i < N - 1; i++) {
        cr_expect_eq(d->train.floats[2 * i], (d->train.target[i] - 0.5f - 10) / 4);
        cr_expect_eq(d->train.floats[2 * i + 1], 0.0f);
    }
    data_free(d);
    sd[1] = 0;
    expect_no_data(request, AM_ERR_INPUT, "normalisation is damaged");
    norm.inputs = 3;
    expect_no_data(request, AM_ERR_INPUT, "2 inputs a row, the model takes 3");
    norm = (normalisation){.inputs = 2, .mean = 0, .sd = 1};
    expect_no_data(request, AM_ERR_INPUT, "holds numbers, the model was fitted on images");
    remove_folder(&folder);
}
