#include "model/target.h"

#include "draw/philox.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void add_tensor(target *t, const char *kind, int layer, int64_t out, int64_t in)
{
    target_tensor *e = &t->tensor[t->tensor_count++];
    snprintf(e->name, sizeof e->name, "fc%d.%s", layer + 1, kind);
    e->rank = in > 0 ? 2 : 1;
    e->shape[0] = out;
    e->shape[1] = in;
    e->offset = t->params;
    e->count = in > 0 ? out * in : out;
    t->params += e->count;
}

/* Reads one size; moves *text behind it and behind a following '-'. */
static bool next_size(const char **text, int *size)
{
    char *end;
    long value = strtol(*text, &end, 10);
    if (end == *text || **text < '0' || **text > '9' || value < 1 || value > 1 << 20)
        return false;
    if (*end != '\0' && (*end != '-' || end[1] == '\0'))
        return false;
    *size = (int)value;
    *text = *end == '-' ? end + 1 : end;
    return true;
}

am_status target_parse(const char *text, activation act, loss_kind loss, target *t, am_error *err)
{
    *t = (target){.act = act, .loss = loss};
    int count = 0;
    for (const char *p = text; *p != '\0'; count++)
        if (count > AM_MAX_LAYERS || !next_size(&p, &t->size[count]))
            return am_fail(err, AM_ERR_USAGE,
                           "target '%s': not a network; give layer sizes joined by '-', at most %d "
                           "layers, e.g. 784-64-10",
                           text, AM_MAX_LAYERS);
    if (count < 2)
        return am_fail(err, AM_ERR_USAGE,
                       "target '%s': needs at least inputs and outputs, e.g. 784-64-10", text);
    t->layers = count - 1;
    for (int l = 0; l < t->layers; l++) {
        add_tensor(t, "weight", l, t->size[l + 1], t->size[l]);
        add_tensor(t, "bias", l, t->size[l + 1], 0);
    }
    return AM_OK;
}

void target_text(const target *t, char *text, size_t size)
{
    size_t used = 0;
    for (int l = 0; l <= t->layers && used < size; l++)
        used += (size_t)snprintf(text + used, size - used, l ? "-%d" : "%d", t->size[l]);
}

am_status activation_parse(const char *text, activation *act, am_error *err)
{
    if (strcmp(text, "relu") == 0)
        *act = ACT_RELU;
    else if (strcmp(text, "tanh") == 0)
        *act = ACT_TANH;
    else
        return am_fail(err, AM_ERR_USAGE, "activation '%s': give relu or tanh", text);
    return AM_OK;
}

const char *activation_name(activation act)
{
    return act == ACT_RELU ? "relu" : act == ACT_TANH ? "tanh" : "none";
}

penalty_groups target_groups(const target *t, bool per_layer)
{
    penalty_groups groups = {.count = per_layer ? t->layers : 1};
    for (int g = 0; g < groups.count; g++)
        groups.begin[g] = target_weight(t, g)->offset;
    groups.begin[groups.count] = t->params;
    return groups;
}

void target_init(const target *t, uint64_t seed, uint32_t index, float *theta)
{
    for (int l = 0; l < t->layers; l++) {
        double bound = 1.0 / sqrt((double)t->size[l]); /* 1/√fan_in */
        int64_t end = target_bias(t, l)->offset + target_bias(t, l)->count;
        for (int64_t i = target_weight(t, l)->offset; i < end; i++) {
            philox4 r =
                philox(seed, STREAM_INIT, (uint32_t)(i / 4 >> 32), index, (uint32_t)(i / 4));
            theta[i] = (float)(bound * (2.0 * uniform_open(r.x[i % 4]) - 1.0));
        }
    }
}
