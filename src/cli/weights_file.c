#include "cli/weights_file.h"

#include "base/safetensors.h"

#include <stdlib.h>

am_status weights_file_write(const char *path, backend *be, const target *t, const dev_f32 *theta,
                             const normalisation *norm, double lambda, const char *source,
                             am_error *err)
{
    float *host = am_alloc((size_t)t->params, sizeof *host, "weights", err);
    if (host == NULL)
        return AM_ERR_MEMORY;
    am_tensor tensor[2 * AM_MAX_LAYERS + 2];
    int count = t->tensor_count;
    for (int i = 0; i < count; i++)
        tensor[i] = (am_tensor){.name = t->tensor[i].name, .dtype = AM_DTYPE_F32,
                                .rank = t->tensor[i].rank,
                                .shape = {t->tensor[i].shape[0], t->tensor[i].shape[1]},
                                .data = host + t->tensor[i].offset};
    if (norm->per_column) { /* without them the weights cannot be used */
        tensor[count++] = (am_tensor){.name = "input.mean", .dtype = AM_DTYPE_F32, .rank = 1,
                                      .shape = {norm->inputs}, .data = norm->column_mean};
        tensor[count++] = (am_tensor){.name = "input.sd", .dtype = AM_DTYPE_F32, .rank = 1,
                                      .shape = {norm->inputs}, .data = norm->column_sd};
    }
    char shape[192], mean[32], sd[32], penalty[32];
    target_text(t, shape, sizeof shape);
    snprintf(mean, sizeof mean, "%.9g", (double)norm->mean);
    snprintf(sd, sizeof sd, "%.9g", (double)norm->sd);
    snprintf(penalty, sizeof penalty, "%.17g", lambda);
    am_metadata metadata[] = {{"format", "pt"},          {"made_by", "amortune " AM_VERSION},
                              {"source", source},        {"target", shape},
                              {"activation", activation_name(t->act)},
                              {"lambda", penalty},       {"input_mean", mean},
                              {"input_sd", sd}};
    am_status status = be->op->download(be, host, theta, sizeof *host * (size_t)t->params, err);
    if (status == AM_OK)
        status = am_safetensors_write(path, tensor, count, metadata,
                                      sizeof metadata / sizeof *metadata, err);
    free(host);
    return status;
}
