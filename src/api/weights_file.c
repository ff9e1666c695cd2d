#include "api/weights_file.h"

#include "base/safetensors.h"

am_status weights_file_write(const char *path, const target *t, const float *theta,
                             const normalisation *norm, double lambda, const char *source,
                             am_error *err)
{
    am_tensor tensor[2 * AM_MAX_LAYERS + 2];
    int count = t->tensor_count;
    for (int i = 0; i < count; i++)
        tensor[i] = (am_tensor){.name = t->tensor[i].name,
                                .dtype = AM_DTYPE_F32,
                                .rank = t->tensor[i].rank,
                                .shape = {t->tensor[i].shape[0], t->tensor[i].shape[1]},
                                .data = theta + t->tensor[i].offset};
    if (norm->per_column) { /* without them the weights cannot be used */
        am_tensor column = {.dtype = AM_DTYPE_F32, .rank = 1, .shape = {norm->inputs}};
        tensor[count] = tensor[count + 1] = column;
        tensor[count].name = "input.mean";
        tensor[count++].data = norm->column_mean;
        tensor[count].name = "input.sd";
        tensor[count++].data = norm->column_sd;
    }
    char shape[192], mean[32], sd[32], penalty[32];
    target_text(t, shape, sizeof shape);
    snprintf(mean, sizeof mean, "%.9g", (double)norm->mean);
    snprintf(sd, sizeof sd, "%.9g", (double)norm->sd);
    snprintf(penalty, sizeof penalty, "%.17g", lambda);
    am_metadata metadata[] = {{"format", "pt"},
                              {"made_by", "amortune " AM_VERSION},
                              {"source", source},
                              {"target", shape},
                              {"activation", activation_name(t->act)},
                              {"lambda", penalty},
                              {"input_mean", mean},
                              {"input_sd", sd}};
    return am_safetensors_write(path, tensor, count, metadata, sizeof metadata / sizeof *metadata,
                                err);
}
