/* tensor_file — small safetensors files for tests, at one path in the scratch folder. */
#ifndef AM_TEST_TENSOR_FILE_H
#define AM_TEST_TENSOR_FILE_H

#include "base/safetensors.h"

/* One tensor of every dtype and one empty tensor; two pairs of metadata. */
enum { SAMPLE_TENSORS = 6, SAMPLE_NOTES = 2 };
extern const am_tensor sample_tensors[SAMPLE_TENSORS];
extern const am_metadata sample_notes[SAMPLE_NOTES];

/* A tensor's entry in a header. */
#define ENTRY(name, dtype, shape, begin, end)                                                      \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end \
    "]}"

/* Where all functions below put their file. */
const char *tensor_path(void);
size_t tensor_bytes(const am_tensor *tensor);
am_safetensors *write_and_read(const am_tensor *tensor, int count, const am_metadata *metadata,
                               int pairs);
/* A file of this header and `size` bytes 0, 1, 2, … of data. */
void put_tensor_file(const char *header, size_t length, size_t size);

#endif
