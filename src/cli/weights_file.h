/* weights_file — one network's θ as fc1.weight, fc1.bias, … in a safetensors file. */
#ifndef AM_WEIGHTS_FILE_H
#define AM_WEIGHTS_FILE_H

#include "cli/session.h"

/* theta (P) on the device. `source` says where the weights come from ("generator", "refit"). */
am_status weights_file_write(const char *path, backend *be, const target *t, const dev_f32 *theta,
                             const normalisation *norm, double lambda, const char *source,
                             am_error *err);
#endif
