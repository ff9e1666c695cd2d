/* safetensors — the file format of models, checkpoints and exported weights:
 * u64 little-endian header size N, N bytes of JSON, then the tensors' bytes.
 * https://github.com/huggingface/safetensors#format */
#ifndef AM_SAFETENSORS_H
#define AM_SAFETENSORS_H

#include "base/base.h"

enum { AM_TENSOR_MAX_RANK = 4 };
typedef enum { AM_DTYPE_F32, AM_DTYPE_F64, AM_DTYPE_U8, AM_DTYPE_I32, AM_DTYPE_U64 } am_dtype;

/* One named array. Writing: `data` is the caller's. Reading: it points into the opened file. */
typedef struct {
    const char *name;
    am_dtype dtype;
    int rank;
    int64_t shape[AM_TENSOR_MAX_RANK];
    const void *data;
} am_tensor;

typedef struct {
    const char *key, *value;
} am_metadata;

size_t am_dtype_size(am_dtype dtype);      /* bytes of one element */
const char *am_dtype_name(am_dtype dtype); /* as in the file: "F32" */

/* Writes atomically (am_output). Keys and names are JSON-escaped; order is kept; the data section
 * starts 8-byte aligned. Names are unique, not "__metadata__". */
am_status am_safetensors_write(const char *path, const am_tensor *tensors, int tensor_count,
                               const am_metadata *metadata, int metadata_count, am_error *err);

/* An opened file, wholly in memory and wholly validated: header length (at most 100 MB), JSON,
 * every dtype, shape, offset (no gaps, no overlap, no byte left over), duplicate names. Any lie or
 * truncation is AM_ERR_INPUT naming the file and the fault. Tensors come in the order of their
 * data, each aligned for its dtype. */
typedef struct am_safetensors am_safetensors;
am_status am_safetensors_read(const char *path, am_safetensors **file, am_error *err);
void am_safetensors_free(am_safetensors *file);
int am_safetensors_count(const am_safetensors *file);
const am_tensor *am_safetensors_at(const am_safetensors *file, int index);
const am_tensor *am_safetensors_find(const am_safetensors *file, const char *name); /* or NULL */
const char *am_safetensors_meta(const am_safetensors *file, const char *key);       /* or NULL */
/* The tensor `name` with exactly this dtype and shape, else AM_ERR_INPUT naming file and fault. */
am_status am_safetensors_need(const am_safetensors *file, const char *name, am_dtype dtype,
                              int rank, const int64_t *shape, const am_tensor **tensor,
                              am_error *err);
#endif
