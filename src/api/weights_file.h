/* weights_file — one network's θ as fc1.weight, fc1.bias, … in a safetensors file. */
#ifndef AM_WEIGHTS_FILE_H
#define AM_WEIGHTS_FILE_H

#include "data/data.h"
#include "model/target.h"

/* theta (P) on the host. `source` says where the weights come from ("generator", "refit"). */
am_status weights_file_write(const char *path, const target *t, const float *theta,
                             const normalisation *norm, double lambda, const char *source,
                             am_error *err);
#endif
