#include "support/samples.h"

#include <sys/stat.h>

/* The same numbers everywhere: 0 ≤ u < 1. */
static double uniform(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) / 16777216.0;
}

/* Roughly normal, variance 1. */
static double noise(uint32_t *state)
{
    double sum = 0.0;
    for (int i = 0; i < 12; i++)
        sum += uniform(state);
    return sum - 6.0;
}

static void put_pair(const test_folder *folder, const char *name, const char *stem, int rows,
                     uint32_t seed)
{
    enum { PIXELS = SAMPLE_SIDE * SAMPLE_SIDE };
    uint8_t image[SAMPLE_ROWS * PIXELS], label[SAMPLE_ROWS];
    for (int i = 0; i < rows; i++) {
        label[i] = (uint8_t)(i % SAMPLE_CLASSES);
        for (int p = 0; p < PIXELS; p++) {
            bool bright = p / SAMPLE_SIDE / 3 == label[i];
            double value = (bright ? 170.0 : 60.0) + 60.0 * noise(&seed);
            image[i * PIXELS + p] = (uint8_t)AM_MIN(AM_MAX(value, 0.0), 255.0);
        }
    }
    char path[64];
    uint32_t extent[3] = {(uint32_t)rows, SAMPLE_SIDE, SAMPLE_SIDE};
    (void)snprintf(path, sizeof path, "%s/%s-images-idx3-ubyte", name, stem);
    put_idx(in_folder(folder, path), IDX_U8, 3, extent, image, (size_t)rows * PIXELS);
    (void)snprintf(path, sizeof path, "%s/%s-labels-idx1-ubyte", name, stem);
    put_idx(in_folder(folder, path), IDX_U8, 1, extent, label, (size_t)rows);
}

void put_images(const test_folder *folder, const char *name)
{
    cr_assert_eq(mkdir(in_folder(folder, name), 0777), 0);
    put_pair(folder, name, "train", SAMPLE_ROWS, 1);
    put_pair(folder, name, "t10k", SAMPLE_TESTS, 2);
}

static FILE *open_csv(const test_folder *folder, const char *name, const char *header)
{
    FILE *file = fopen(in_folder(folder, name), "w");
    cr_assert_not_null(file);
    (void)fprintf(file, "%s\n", header);
    return file;
}

void put_classes(const test_folder *folder, const char *name)
{
    uint32_t seed = 3;
    FILE *file = open_csv(folder, name, "a,b,kind");
    for (int i = 0; i < SAMPLE_LINES; i++) {
        double shift = i % 2 ? 1.0 : -1.0;
        (void)fprintf(file, "%.4f,%.4f,%s\n", noise(&seed) + shift, noise(&seed) - shift,
                      i % 2 ? "red" : "blue");
    }
    cr_assert_eq(fclose(file), 0);
}

void put_numbers(const test_folder *folder, const char *name)
{
    uint32_t seed = 4;
    FILE *file = open_csv(folder, name, "a,b,y");
    for (int i = 0; i < SAMPLE_LINES; i++) {
        double a = noise(&seed), b = noise(&seed);
        (void)fprintf(file, "%.4f,%.4f,%.4f\n", a, b, a * b + 0.1 * noise(&seed));
    }
    cr_assert_eq(fclose(file), 0);
}
