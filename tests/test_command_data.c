/* Data that are wrong: one line that names file, fault and remedy, exit code 2, and the old model
 * file keeps its bytes. */
#include "support/program.h"
#include "support/samples.h"

static const char OLD[] = "an older model";

static test_folder old_model_folder(void)
{
    test_folder folder = make_folder();
    put_text(in_folder(&folder, "old.st"), OLD);
    return folder;
}

/* Every command that reads data refuses them; nothing else is written. */
static void expect_refused(const test_folder *folder, const char *options, const char *parts)
{
    int entries = count_entries(folder);
    refuses(folder, 2, parts, "fit %s --steps 5 --out old.st", options);
    refuses(folder, 2, parts, "refit %s --lambda 1e-3 --steps 5 --out old.st", options);
    char *text = file_text(folder, "old.st");
    cr_expect_str_eq(text, OLD);
    free(text);
    cr_expect_eq(count_entries(folder), entries, "%s: a file was left", options);
}

/* ---- folders of IDX files ----------------------------------------------------------------------
 */

static const char IMAGES[] = "images/train-images-idx3-ubyte",
                  LABELS[] = "images/train-labels-idx1-ubyte",
                  TEST_IMAGES[] = "images/t10k-images-idx3-ubyte",
                  TEST_LABELS[] = "images/t10k-labels-idx1-ubyte";

static test_folder images_folder(void)
{
    test_folder folder = old_model_folder();
    put_images(&folder, "images");
    return folder;
}

static void put_byte(const test_folder *folder, const char *name, size_t at, uint8_t byte)
{
    size_t size;
    uint8_t *bytes = get_stored(in_folder(folder, name), &size);
    cr_assert_lt(at, size);
    bytes[at] = byte;
    put_stored(in_folder(folder, name), bytes, size);
    free(bytes);
}

static void resize_file(const test_folder *folder, const char *name, int by)
{
    size_t size;
    uint8_t *bytes = get_stored(in_folder(folder, name), &size);
    put_stored(in_folder(folder, name), bytes, (size_t)((int64_t)size + by));
    free(bytes);
}

Test(command_data, missing)
{
    test_folder folder = images_folder();
    expect_refused(&folder, "--data nowhere", "nowhere: no such file, folder or data set|mnist");
    expect_refused(&folder, "--data no/where", "no/where: no such file or folder; check the path");
    expect_refused(&folder, "--data ''", "--data");
    cr_assert_eq(remove(in_folder(&folder, TEST_LABELS)), 0);
    expect_refused(&folder, "--data images", "images: no file in it begins with t10k-labels");
    cr_assert_eq(remove(in_folder(&folder, IMAGES)), 0);
    expect_refused(&folder, "--data images", "images: no file in it begins with train-images");
    remove_folder(&folder);
}

Test(command_data, a_name_that_is_not_here)
{
    if (am_path_exists(AMORTUNE_ROOT "/datasets/mnist"))
        cr_skip_test("MNIST is in datasets/mnist");
    test_folder folder = old_model_folder();
    expect_refused(&folder, "--data mnist", "mnist: this data set is not here|datasets/get mnist");
    remove_folder(&folder);
}

Test(command_data, truncated_gzip)
{
    test_folder folder = images_folder();
    size_t size;
    uint8_t *bytes = get_stored(in_folder(&folder, IMAGES), &size);
    cr_assert_eq(remove(in_folder(&folder, IMAGES)), 0);
    put_bytes(in_folder(&folder, "images/train-images-idx3-ubyte.gz"), bytes, size);
    free(succeeds(&folder, "refit --data images --lambda 1e-3 --steps 5")); /* whole, it is fine */
    bytes =
        (free(bytes), get_stored(in_folder(&folder, "images/train-images-idx3-ubyte.gz"), &size));
    const size_t cuts[] = {1, 10, size / 2, size - 9, size - 1};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        put_stored(in_folder(&folder, "images/train-images-idx3-ubyte.gz"), bytes, cuts[i]);
        expect_refused(&folder, "--data images", "images/train-images-idx3-ubyte.gz: |again");
    }
    free(bytes);
    remove_folder(&folder);
}

Test(command_data, truncated_or_long_idx)
{
    test_folder folder = images_folder();
    resize_file(&folder, IMAGES, -1);
    expect_refused(&folder, "--data images", "images/train-images-idx3-ubyte: truncated|again");
    resize_file(&folder, IMAGES, 2);
    expect_refused(&folder, "--data images", "images/train-images-idx3-ubyte: ");
    remove_folder(&folder);
}

Test(command_data, lying_idx)
{
    static const struct {
        size_t at;
        uint8_t byte;
    } lies[] = {
        {0, 'P'},             /* magic */
        {2, 0x99},            /* type */
        {3, 9},               /* rank */
        {3, 0},    {4, 0xFF}, /* rows beyond the file */
        {8, 0x7F},            /* extents whose product overflows */
        {11, 0},              /* images without pixels */
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        test_folder folder = images_folder();
        put_byte(&folder, IMAGES, lies[i].at, lies[i].byte);
        expect_refused(&folder, "--data images", "images/train-images-idx3-ubyte: ");
        remove_folder(&folder);
    }
}

Test(command_data, counts_that_differ)
{
    test_folder folder = images_folder();
    size_t size;
    uint8_t *labels = get_stored(in_folder(&folder, TEST_LABELS), &size);
    put_stored(in_folder(&folder, LABELS), labels, size);
    expect_refused(
        &folder, "--data images",
        "images/train-images-idx3-ubyte holds 240 rows but "
        "images/train-labels-idx1-ubyte holds 60 labels; get files that belong together");
    free(labels);
    remove_folder(&folder);
}

Test(command_data, labels_outside_the_classes)
{
    test_folder folder = images_folder();
    put_byte(&folder, TEST_LABELS, 8 + 6, 3); /* classes are 0, 1, 2 */
    expect_refused(&folder, "--data images",
                   "images/t10k-labels-idx1-ubyte: row 7 has label 3|mend the label");
    put_byte(&folder, TEST_LABELS, 8 + 6, 0);
    put_byte(&folder, LABELS, 8 + 99, 255);
    expect_refused(&folder, "--data images",
                   "images/train-labels-idx1-ubyte: row 100 has label 255|mend the label");
    put_byte(&folder, LABELS, 8 + 99, 3); /* a fourth class, but not of this network */
    expect_refused(&folder, "--data images --target 64-8-3",
                   "--target 64-8-3: the data images needs 64 inputs and 4 outputs");
    remove_folder(&folder);
}

Test(command_data, tests_of_another_shape)
{
    test_folder folder = images_folder();
    put_byte(&folder, TEST_IMAGES, 7, 15); /* 15 × 16 × 16 is as long as 60 × 8 × 8 */
    put_byte(&folder, TEST_IMAGES, 11, 16);
    put_byte(&folder, TEST_IMAGES, 15, 16);
    put_byte(&folder, TEST_LABELS, 7, 15);
    resize_file(&folder, TEST_LABELS, -45);
    expect_refused(&folder, "--data images", "images/t10k-images-idx3-ubyte: |belong together");
    remove_folder(&folder);
}

/* ---- tables ------------------------------------------------------------------------------------
 */

Test(command_data, tables)
{
    static const struct {
        const char *text, *options, *parts;
    } bad[] = {
        {"a,y\n1,x\nnan,z\n", "", "bad.csv:3: column 'a' holds 'nan', which is not finite; mend"},
        {"a,y\n1,x\n-inf,z\n", "", "bad.csv:3: column 'a' holds '-inf'"},
        {"a,y\n1,x\n,z\n", "", "bad.csv:3: column 'a' is empty; fill in or remove the row"},
        {"a,y\n1,x\nred,z\n", "", "bad.csv:3: column 'a'"},
        {"a,y\n1,x\n2\n", "", "bad.csv:3: 1 fields, the header names 2 columns; mend the line"},
        {"a,y\n1,x\n2,\"z\n", "", "bad.csv:"},
        {"", "", "bad.csv:1: no header; the first line must name the columns"},
        {"a,y\n", "", "bad.csv: a header but no rows; add data"},
        {"a,y\n1,x\n2,x\n", "", "every row has label 'x'|two classes at least"},
        {"a,y\n1,x\n2,z\n", "--label b",
         "no column 'b' to take as label; name one of its 2 columns"},
        {"a,y\n1,x\n2,z\n", "--task regression", "column 'y' holds text, regression needs numbers"},
        {"a,y\n1,.5\n2,1\n", "--task classification", "classes are integers or text"},
        {"a,y\n1,x\n2,z\n", "--test none.csv", "none.csv: cannot be opened"},
        {"a,y\n1,x\n2,z\n", "--validation 2", "2 of 2 rows for validation"},
    };
    test_folder folder = old_model_folder();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char options[128];
        put_text(in_folder(&folder, "bad.csv"), bad[i].text);
        (void)snprintf(options, sizeof options, "--data bad.csv %s", bad[i].options);
        expect_refused(&folder, options, bad[i].parts);
    }
    remove_folder(&folder);
}

Test(command_data, test_tables_with_other_columns)
{
    test_folder folder = old_model_folder();
    put_classes(&folder, "sample.csv");
    put_numbers(&folder, "other.csv");
    expect_refused(&folder, "--data sample.csv --test other.csv", "other.csv");
    put_text(in_folder(&folder, "other.csv"), "a,b,kind\n1,2,green\n");
    expect_refused(
        &folder, "--data sample.csv --test other.csv",
        "other.csv: row 1 has a label in column 'kind' that no row of sample.csv has; mend");
    remove_folder(&folder);
}

/* ---- a model and data that are not its own
 * ------------------------------------------------------- */

Test(command_data, data_of_another_shape_than_the_models)
{
    static const char *const commands[] = {"curve m.st", "tune m.st", "sample m.st --draws 2",
                                           "export m.st --out old.st"};
    test_folder folder = images_folder();
    put_classes(&folder, "classes.csv");
    free(succeeds(&folder, "fit --data images --target 64-8-3 --steps 5 --out m.st"));
    for (int i = 0; i < 4; i++) {
        refuses(&folder, 2, "classes.csv: 2 inputs a row, the model takes 64; give it data",
                "%s --data classes.csv", commands[i]);
        refuses(&folder, 2, "nowhere: no such", "%s --data nowhere", commands[i]);
    }
    /* The right shape, but other rows. */
    resize_file(&folder, IMAGES, -64);
    resize_file(&folder, LABELS, -1);
    put_byte(&folder, IMAGES, 7, SAMPLE_ROWS - 1);
    put_byte(&folder, LABELS, 7, SAMPLE_ROWS - 1);
    for (int i = 0; i < 4; i++)
        refuses(&folder, 2, "m.st: fitted to 200 training rows, the data images gives 199|--data",
                "%s", commands[i]);
    char *text = file_text(&folder, "old.st");
    cr_expect_str_eq(text, OLD);
    free(text);
    remove_folder(&folder);
}

Test(command_data, data_with_more_classes_than_the_model)
{
    test_folder folder = old_model_folder();
    put_classes(&folder, "sample.csv");
    free(succeeds(&folder, "fit --data sample.csv --target 2-8-2 --steps 5 --out m.st"));
    put_text(in_folder(&folder, "other.csv"),
             "a,b,kind\n1,2,x\n2,3,y\n3,1,z\n4,4,x\n1,1,y\n5,2,z\n");
    refuses(&folder, 2,
            "m.st: the model has 2 inputs and 2 outputs, the data other.csv has 2 and 3|"
            "give the data it was fitted to with --data",
            "curve m.st --data other.csv");
    remove_folder(&folder);
}
