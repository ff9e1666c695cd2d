/* samples — small data sets that are learnt in no time. */
#ifndef AM_TEST_SAMPLES_H
#define AM_TEST_SAMPLES_H

#include "data_files.h"

enum {
    SAMPLE_SIDE = 8, /* images of 8 × 8 */
    SAMPLE_CLASSES = 3,
    SAMPLE_ROWS = 240, /* training and validation rows of the images */
    SAMPLE_TESTS = 60,
    SAMPLE_LINES = 160 /* rows of a CSV */
};

/* Folder NAME with the four IDX files: class c is a bright band in the c-th third, under noise. */
void put_images(const test_folder *folder, const char *name);
/* CSV "a,b,kind": kind is red or blue. */
void put_classes(const test_folder *folder, const char *name);
/* CSV "a,b,y": y = a·b and a little noise. */
void put_numbers(const test_folder *folder, const char *name);

#endif
