#include "data_files.h"
#include "draw/permutation.h"

#include <math.h>

enum { N = 12, PIXELS = 4 };

/* Images of 2 × 2: row i is (i, i+1, 2i, 255−i), its label i mod 3. */
static void put_images(const test_folder *folder, const char *part, int n, const char *end)
{
    uint8_t byte[N * PIXELS], label[N];
    char name[64];
    for (int i = 0; i < n; i++) {
        const uint8_t row[PIXELS] = {(uint8_t)i, (uint8_t)(i + 1), (uint8_t)(2 * i),
                                     (uint8_t)(255 - i)};
        memcpy(byte + i * PIXELS, row, PIXELS);
        label[i] = (uint8_t)(i % 3);
    }
    (void)snprintf(name, sizeof name, "%s-images-idx3-ubyte%s", part, end);
    put_idx(in_folder(folder, name), IDX_U8, 3, (uint32_t[]){(uint32_t)n, 2, 2}, byte,
            (size_t)n * PIXELS);
    (void)snprintf(name, sizeof name, "%s-labels-idx1-ubyte%s", part, end);
    put_idx(in_folder(folder, name), IDX_U8, 1, (uint32_t[]){(uint32_t)n}, label, (size_t)n);
}

/* ---- folders of IDX files -------------------------------------------------------------------- */

static void expect_image(const am_rows *rows, int64_t row, int i)
{
    const uint8_t expected[PIXELS] = {(uint8_t)i, (uint8_t)(i + 1), (uint8_t)(2 * i),
                                      (uint8_t)(255 - i)};
    cr_assert_eq(memcmp(rows->bytes + row * PIXELS, expected, PIXELS), 0);
    cr_assert_eq(rows->label[row], i % 3);
}

Test(data, splits_images_by_the_keyed_permutation)
{
    test_folder folder = make_folder();
    put_images(&folder, "train", N, "");
    put_images(&folder, "t10k", 5, ".gz");
    am_data *d = load_data((data_request){.source = folder.path, .validation = 4, .seed = 3});
    const permutation order = permutation_of(3, STREAM_SPLIT, 0, N);
    cr_assert_eq(d->train.n, 8);
    cr_assert_eq(d->validation.n, 4);
    cr_assert_eq(d->test.n, 5);
    cr_expect_eq(d->train.inputs, PIXELS);
    cr_expect_eq(d->train.outputs, 3);
    cr_expect_eq(d->image_rows, 2);
    cr_expect_eq(d->image_columns, 2);
    cr_expect(d->train.floats == NULL && d->train.target == NULL);
    cr_expect_str_eq(d->source, folder.path);
    cr_expect_str_eq(d->name, strrchr(folder.path, '/') + 1);
    for (int i = 0; i < 8; i++)
        expect_image(&d->train, i, (int)permutation_at(&order, (uint64_t)i));
    for (int i = 0; i < 4; i++)
        expect_image(&d->validation, i, (int)permutation_at(&order, (uint64_t)i + 8));
    for (int i = 0; i < 5; i++)
        expect_image(&d->test, i, i);
    data_free(d);
    data_free(NULL);
    remove_folder(&folder);
}

/* Bytes 0 and 255 in equal parts: mean ½ and sd ½ of x/255, so x = ±1. */
Test(data, measures_images_on_the_training_rows)
{
    const uint8_t byte[6] = {0, 255, 0, 255, 255, 0}, label[3] = {0, 1, 0};
    test_folder folder = make_folder();
    put_idx(in_folder(&folder, "train-images"), IDX_U8, 2, (uint32_t[]){3, 2}, byte, 6);
    put_idx(in_folder(&folder, "train-labels"), IDX_U8, 1, (uint32_t[]){3}, label, 3);
    am_data *d = load_data((data_request){.source = folder.path, .validation = 1});
    cr_expect_eq(d->norm.mean, 0.5f);
    cr_expect_eq(d->norm.sd, 0.5f);
    cr_expect_not(d->norm.per_column);
    cr_expect_float_eq(d->train.scale, 1 / 127.5f, 1e-9f);
    cr_expect_eq(d->train.shift, -1.0f);
    cr_expect_eq(d->validation.scale, d->train.scale);
    cr_expect_eq(d->image_rows, 0);
    data_free(d);
    remove_folder(&folder);
}

Test(data, gives_constant_images_a_deviation_of_one)
{
    const uint8_t byte[4] = {51, 51, 51, 51}, label[2] = {0, 1};
    test_folder folder = make_folder();
    put_idx(in_folder(&folder, "train-images"), IDX_U8, 2, (uint32_t[]){2, 2}, byte, 4);
    put_idx(in_folder(&folder, "train-labels"), IDX_U8, 1, (uint32_t[]){2}, label, 2);
    am_data *d = load_data((data_request){.source = folder.path, .validation = 1});
    cr_expect_eq(d->norm.mean, 0.2f);
    cr_expect_eq(d->norm.sd, 1.0f);
    data_free(d);
    remove_folder(&folder);
}

Test(data, normalises_mnist_as_published)
{
    enum { BYTES = 3 * 784 };
    static uint8_t byte[BYTES];
    const uint8_t label[3] = {0, 1, 9};
    test_folder folder = make_folder();
    for (int i = 0; i < BYTES; i++)
        byte[i] = (uint8_t)i;
    cr_assert_eq(am_make_folders(in_folder(&folder, "mnist"), &(am_error){0}), AM_OK);
    put_idx(in_folder(&folder, "mnist/train-images.idx3-ubyte"), IDX_U8, 3, (uint32_t[]){3, 28, 28},
            byte, BYTES);
    put_idx(in_folder(&folder, "mnist/train-labels.idx1-ubyte"), IDX_U8, 1, (uint32_t[]){3}, label,
            3);
    am_data *d = load_data((data_request){.source = in_folder(&folder, "mnist/"), .validation = 1});
    cr_expect_str_eq(d->name, "mnist");
    cr_expect_eq(d->norm.mean, 0.1307f);
    cr_expect_eq(d->norm.sd, 0.3081f);
    cr_expect_eq(d->train.outputs, 10);
    /* (255/255 − 0.1307)/0.3081 = 2.821487 */
    cr_expect_float_eq(255 * d->train.scale + d->train.shift, 2.821487f, 1e-6f);
    data_free(d);
    cr_assert_eq(rename(in_folder(&folder, "mnist"), in_folder(&folder, "other")), 0);
    d = load_data((data_request){.source = in_folder(&folder, "other"), .validation = 1});
    cr_expect_float_eq(d->norm.mean, 0.5f, 0.01f); /* measured: bytes 0..255 in turn */
    data_free(d);
    remove_folder(&folder);
}

Test(data, split_depends_on_the_seed_only)
{
    test_folder folder = make_folder();
    put_images(&folder, "train", N, "");
    data_request request = {.source = folder.path, .validation = 0.25, .seed = 8};
    am_data *a = load_data(request), *b = load_data(request);
    request.validation = 6;
    am_data *fewer = load_data(request);
    request.validation = 3;
    request.seed = 9;
    am_data *other = load_data(request);
    cr_assert_eq(a->train.n, 9); /* ¼ of 12 rows are held out */
    cr_expect_eq(memcmp(a->train.bytes, b->train.bytes, 9 * PIXELS), 0);
    cr_expect_eq(memcmp(a->train.bytes, fewer->train.bytes, 6 * PIXELS), 0);
    cr_expect_neq(memcmp(a->train.bytes, other->train.bytes, 9 * PIXELS), 0);
    data_free(a);
    data_free(b);
    data_free(fewer);
    data_free(other);
    remove_folder(&folder);
}

/* Rows (1, 5) and (3, 5), each twice, as big-endian floats. */
Test(data, normalises_float_idx_by_column)
{
    const uint8_t one[4] = {0x3f, 0x80, 0, 0}, three[4] = {0x40, 0x40, 0, 0},
                  five[4] = {0x40, 0xa0, 0, 0}, label[4] = {0, 1, 0, 1};
    uint8_t rows[32];
    for (int i = 0; i < 4; i++) {
        memcpy(rows + 8 * i, i % 2 == 0 ? one : three, 4);
        memcpy(rows + 8 * i + 4, five, 4);
    }
    test_folder folder = make_folder();
    put_idx(in_folder(&folder, "train-images-idx2-float.gz"), IDX_F32, 2, (uint32_t[]){4, 2}, rows,
            32);
    put_idx(in_folder(&folder, "train-labels-idx1-ubyte"), IDX_U8, 1, (uint32_t[]){4}, label, 4);
    put_idx(in_folder(&folder, "t10k-images-idx2-float"), IDX_F32, 2, (uint32_t[]){4, 2}, rows, 32);
    put_idx(in_folder(&folder, "t10k-labels-idx1-ubyte"), IDX_U8, 1, (uint32_t[]){4}, label, 4);
    am_data *d = load_data((data_request){.source = folder.path, .validation = 1, .seed = 1});
    /* three training rows: twice one value and once the other, so mean 5/3 or 7/3, sd √8/3 */
    const float mean = d->norm.column_mean[0], sd = d->norm.column_sd[0];
    cr_expect(d->norm.per_column);
    cr_expect_float_eq(fabsf(mean - 2), 1 / 3.0f, 1e-6f);
    cr_expect_float_eq(sd, 0.942809f, 1e-6f);
    cr_expect_eq(d->norm.column_mean[1], 5.0f);
    cr_expect_eq(d->norm.column_sd[1], 1.0f); /* constant */
    for (int i = 0; i < 4; i++) {
        cr_expect_float_eq(d->test.floats[2 * i], ((i % 2 == 0 ? 1 : 3) - mean) / sd, 1e-6f);
        cr_expect_eq(d->test.floats[2 * i + 1], 0.0f);
        cr_expect_eq(d->test.label[i], i % 2);
    }
    data_free(d);
    remove_folder(&folder);
}

Test(data, keeps_a_models_normalisation)
{
    float mean[4] = {0}, sd[4] = {1, 1, 1, 1};
    test_folder folder = make_folder();
    put_images(&folder, "train", N, "");
    normalisation norm = {.inputs = 4, .mean = 0.25f, .sd = 0.5f, .target_sd = 1};
    data_request request = {.source = folder.path, .validation = 0.5, .norm = &norm};
    am_data *d = load_data(request);
    cr_expect_eq(d->norm.mean, 0.25f);
    cr_expect_eq(d->train.shift, -0.5f);
    cr_expect_eq(d->train.scale, (float)(1 / 127.5));
    data_free(d);
    norm.inputs = 5;
    expect_no_data(request, AM_ERR_INPUT, "4 inputs a row, the model takes 5");
    norm = (normalisation){.inputs = 4, .per_column = true, .column_mean = mean, .column_sd = sd};
    expect_no_data(request, AM_ERR_INPUT, "holds images as bytes, the model was fitted on numbers");
    norm = (normalisation){.inputs = 4, .mean = 0, .sd = 0};
    expect_no_data(request, AM_ERR_INPUT, "normalisation is damaged");
    remove_folder(&folder);
}

/* 7,000 garments a class by construction; mean 0.2860 and deviation 0.3530 are widely published. */
Test(data, reads_the_distributions_fashion_mnist)
{
    static const char FASHION[] = "/usr/share/datasets/fashion-mnist";
    if (!am_path_exists(FASHION))
        cr_skip_test("the package dataset-fashion-mnist is not here");
    am_data *d = load_data((data_request){.source = FASHION, .validation = 10000, .seed = 1});
    const am_rows *rows[3] = {&d->train, &d->validation, &d->test};
    int count[10] = {0};
    for (int part = 0; part < 3; part++)
        for (int64_t i = 0; i < rows[part]->n; i++)
            count[rows[part]->label[i]]++;
    for (int c = 0; c < 10; c++)
        cr_expect_eq(count[c], 7000);
    cr_expect_eq(d->train.n, 50000);
    cr_expect_eq(d->image_rows, 28);
    cr_expect_str_eq(d->name, "fashion-mnist");
    cr_expect_float_eq(d->norm.mean, 0.2860f, 0.002f);
    cr_expect_float_eq(d->norm.sd, 0.3530f, 0.002f);
    data_free(d);
}

/* ---- what may be wrong with a folder --------------------------------------------------------- */

Test(data, refuses_incomplete_folders)
{
    test_folder folder = make_folder();
    const data_request request = {.source = folder.path, .validation = 1};
    expect_no_data(request, AM_ERR_INPUT, "no file in it begins with train-images");
    put_images(&folder, "train", N, "");
    cr_assert_eq(unlink(in_folder(&folder, "train-labels-idx1-ubyte")), 0);
    expect_no_data(request, AM_ERR_INPUT, "no file in it begins with train-labels");
    put_images(&folder, "train", N, "");
    put_images(&folder, "t10k", 5, "");
    cr_assert_eq(unlink(in_folder(&folder, "t10k-labels-idx1-ubyte")), 0);
    expect_no_data(request, AM_ERR_INPUT, "no file in it begins with t10k-labels");
    put_images(&folder, "t10k", 5, "");
    put_text(in_folder(&folder, "train-images-other"), "x");
    expect_no_data(request, AM_ERR_INPUT, "several files begin with train-images");
    expect_no_data((data_request){.source = "/no/such/folder", .validation = 1}, AM_ERR_INPUT,
                   "/no/such/folder: no such file or folder");
    remove_folder(&folder);
}

Test(data, prefers_the_plain_of_two_equal_files)
{
    test_folder folder = make_folder();
    put_images(&folder, "train", N, ".gz");
    put_images(&folder, "train", N, "");
    put_text(in_folder(&folder, "train-images-idx3-ubyte.gz"), "damaged");
    am_data *d = load_data((data_request){.source = folder.path, .validation = 1});
    cr_expect_eq(d->train.n, N - 1);
    data_free(d);
    remove_folder(&folder);
}

/* Writes one pair of files over a good one and expects `part` in the error. */
static void expect_pair_refused(const char *part, const char *prefix, idx_type type, int rank,
                                const uint32_t *extent, const void *values, size_t size, int labels,
                                const uint8_t *label)
{
    test_folder folder = make_folder();
    char name[64];
    put_images(&folder, "train", N, "");
    put_images(&folder, "t10k", 5, "");
    (void)snprintf(name, sizeof name, "%s-images-idx3-ubyte", prefix);
    put_idx(in_folder(&folder, name), type, rank, extent, values, size);
    (void)snprintf(name, sizeof name, "%s-labels-idx1-ubyte", prefix);
    put_idx(in_folder(&folder, name), IDX_U8, 1, (uint32_t[]){(uint32_t)labels}, label,
            (size_t)labels);
    expect_no_data((data_request){.source = folder.path, .validation = 1}, AM_ERR_INPUT, part);
    remove_folder(&folder);
}

Test(data, refuses_files_that_do_not_belong_together)
{
    const uint8_t byte[32] = {0}, label[4] = {0, 1, 2, 1}, zero[4] = {0}, beyond[4] = {0, 1, 3, 0};
    uint8_t nan[32] = {0};
    memcpy(nan + 20, "\x7f\xc0\0\0", 4); /* row 2, column 2 of (2, 4) */
    const uint32_t four[3] = {4, 2, 2}, wide[3] = {4, 2, 4}, flat[1] = {4}, two[2] = {2, 4};
    expect_pair_refused("images-idx3-ubyte holds 4 rows but", "train", IDX_U8, 3, four, byte, 16, 3,
                        label);
    expect_pair_refused("holds 3 labels", "t10k", IDX_U8, 3, four, byte, 16, 3, label);
    expect_pair_refused("has rank 1", "train", IDX_U8, 1, flat, byte, 4, 4, label);
    expect_pair_refused("32-bit integers", "train", IDX_I32, 2, two, byte, 32, 2, label);
    expect_pair_refused("row 2, column 2 is not a finite number", "train", IDX_F32, 2, two, nan, 32,
                        2, label);
    expect_pair_refused("every label is 0", "train", IDX_U8, 3, four, byte, 16, 4, zero);
    expect_pair_refused("row 3 has label 3, but the training labels end at 2", "t10k", IDX_U8, 3,
                        four, byte, 16, 4, beyond);
    expect_pair_refused("another type or shape (8 inputs)", "t10k", IDX_U8, 3, wide, byte, 32, 4,
                        label);
}

Test(data, refuses_impossible_requests)
{
    test_folder folder = make_folder();
    put_images(&folder, "train", N, "");
    data_request r = {.source = folder.path, .validation = N};
    expect_no_data(r, AM_ERR_USAGE, "12 of 12 rows for validation leaves 0 for training");
    r.validation = 100;
    expect_no_data(r, AM_ERR_USAGE, "both need at least one");
    r.validation = 0.01;
    expect_no_data(r, AM_ERR_USAGE, "leaves 12 for training and 0 for validation");
    const double bad[] = {0, -1, 2.5, NAN, INFINITY};
    for (int i = 0; i < 5; i++) {
        r.validation = bad[i];
        expect_no_data(r, AM_ERR_USAGE, "cannot be the validation part");
    }
    r.validation = 2;
    r.task = "guess";
    expect_no_data(r, AM_ERR_USAGE, "no task 'guess'");
    r.task = "regression";
    expect_no_data(r, AM_ERR_USAGE, "use a CSV for regression");
    r.task = "auto";
    r.label = "y";
    expect_no_data(r, AM_ERR_USAGE, "goes with a CSV only");
    r.label = NULL;
    r.source = NULL;
    expect_no_data(r, AM_ERR_USAGE, "nothing named");
    remove_folder(&folder);
}
