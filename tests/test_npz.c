/* NPZ: every byte of a small archive, the arrays' headers, what a full disk leaves. */
#include "report/report.h"
#include "support/program.h"
#include "support/samples.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <string.h>
#include <zlib.h>

TestSuite(npz, .init = scratch_make, .fini = scratch_remove);

static uint64_t get(const unsigned char *at, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

/* The file as bytes (free). */
static unsigned char *written(const npz_array *array, int count, size_t *size)
{
    char *bytes;
    am_error err = {0};
    cr_assert_eq(npz_write(scratch("a.npz"), array, count, &err), AM_OK, "%s", err.message);
    cr_assert_eq(am_read_file(scratch("a.npz"), &bytes, size, &err), AM_OK, "%s", err.message);
    return (unsigned char *)bytes;
}

/* Local header 30 + name 5 + ZIP64 field 20, NPY header 128, data 4; directory 46 + 5 + 28; end
 * records 56, 20 and 22. */
Test(npz, one_float_in_its_place)
{
    static const char text[] =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }                               "
        "                             \n";
    const float value = 1.5f; /* 00 00 c0 3f */
    size_t size;
    unsigned char *b =
        written(&(npz_array){.name = "x", .rank = 1, .shape = {1}, .data = &value}, 1, &size);
    enum { NPY = 55, DATA = NPY + 128, DIRECTORY = DATA + 4, END = DIRECTORY + 79 };
    cr_assert_eq(size, END + 56 + 20 + 22);
    cr_expect_eq(get(b, 4), 0x04034b50);
    cr_expect_eq(memcmp(b + 30, "x.npy", 5), 0);
    cr_expect_eq(get(b + 35, 2), 1, "ZIP64 field");
    cr_expect_eq(get(b + 39, 8), 132, "size");
    cr_expect_eq(get(b + 47, 8), 132, "stored size");
    cr_expect_eq(memcmp(b + NPY, "\x93NUMPY\x01\x00\x76\x00", 10), 0, "magic, 1.0, 118 bytes");
    cr_expect_eq(memcmp(b + NPY + 10, text, 118), 0, "%.118s", (const char *)b + NPY + 10);
    cr_expect_eq(memcmp(b + DATA, "\x00\x00\xc0\x3f", 4), 0);
    cr_expect_eq(get(b + 14, 4), crc32(0, b + NPY, 132));
    cr_expect_eq(get(b + DIRECTORY, 4), 0x02014b50);
    cr_expect_eq(get(b + DIRECTORY + 16, 4), crc32(0, b + NPY, 132));
    cr_expect_eq(get(b + DIRECTORY + 46 + 5 + 20, 8), 0, "offset of the local header");
    cr_expect_eq(get(b + END, 4), 0x06064b50);
    cr_expect_eq(get(b + END + 24, 8), 1, "entries");
    cr_expect_eq(get(b + END + 40, 8), 79, "bytes of the directory");
    cr_expect_eq(get(b + END + 48, 8), DIRECTORY);
    cr_expect_eq(get(b + END + 56 + 8, 8), END);
    cr_expect_eq(get(b + END + 76, 4), 0x06054b50);
    free(b);
}

/* Whether the archive holds the text anywhere. */
static bool holds(const unsigned char *bytes, size_t size, const char *text)
{
    return memmem(bytes, size, text, strlen(text)) != NULL;
}

Test(npz, kinds_and_shapes)
{
    const double d[6] = {1, 2, 3, 4, 5, 6};
    const int64_t n = -7;
    const npz_array array[] = {
        {"matrix", NPZ_F64, 2, {2, 3}, d},
        {"cube", NPZ_F64, 3, {1, 2, 3}, d},
        {"scalar", NPZ_I64, 0, {0}, &n},
        {"none", NPZ_F32, 2, {0, 4}, NULL},
    };
    size_t size, again;
    unsigned char *b = written(array, 4, &size);
    cr_expect(holds(b, size, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }"));
    cr_expect(holds(b, size, "'shape': (1, 2, 3), }"));
    cr_expect(holds(b, size, "{'descr': '<i8', 'fortran_order': False, 'shape': (), }"));
    cr_expect(holds(b, size, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4), }"));
    cr_expect(holds(b, size, "\n\xf9\xff\xff\xff\xff\xff\xff\xff"), "-7 behind its header");
    unsigned char *c = written(array, 4, &again);
    cr_assert_eq(again, size);
    cr_expect_eq(memcmp(b, c, size), 0, "the same arrays are the same bytes");
    free(b);
    free(c);
}

Test(npz, of_the_commands)
{
    test_folder folder = make_folder();
    put_images(&folder, "images");
    free(succeeds(&folder, "fit --data images --target 64-16-3 --steps 20 --out m.st"));
    put_text(in_folder(&folder, "old.npz"), "older results");
    outcome made = script(&folder, "mkdir a.npz");
    outcome_free(&made);
    static const char *const writer[] = {"curve m.st --points 3",
                                         "sample m.st --lambda 1e-3 --draws 2"};
    for (int i = 0; i < 2; i++) {
        int entries = count_entries(&folder);
        outcome o =
            script(&folder, "ulimit -f 1; exec \"$AMORTUNE\" %s --out old.npz --quiet", writer[i]);
        cr_expect_eq(o.code, 1, "%s: %d: %s", writer[i], o.code, o.err);
        expect_holds(o.err, "old.npz: cannot write: File too large; raise the limit");
        outcome_free(&o);
        char *text = file_text(&folder, "old.npz");
        cr_expect_str_eq(text, "older results");
        free(text);
        cr_expect_eq(count_entries(&folder), entries, "%s left a file", writer[i]);
        refuses(&folder, 2, "--out a.npz: is a folder; give a file name", "%s --out a.npz",
                writer[i]);
    }
    free(succeeds(&folder, "curve m.st --points 3 --out c.csv"));
    expect_csv(&folder, "c.csv", "lambda,val_nll,val_nll_se,val_acc,val_brier,val_ece", 3);
    cJSON *printed = summary_of(&folder, "c.json",
                                succeeds(&folder, "curve m.st --points 3 --json --out c.json"));
    cr_expect_eq(cJSON_GetArraySize(printed), 3);
    cJSON_Delete(printed);
    cJSON_Delete(
        summary_of(&folder, "s.json",
                   succeeds(&folder, "sample m.st --lambda 1e-3 --draws 2 --json --out s.json")));
    remove_folder(&folder);
}
