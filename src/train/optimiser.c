#include "train/train.h"

#include <string.h>

am_status schedule_parse(const char *text, schedule_kind *kind, am_error *err)
{
    if (strcmp(text, "cosine") == 0)
        *kind = SCHEDULE_COSINE;
    else if (strcmp(text, "constant") == 0)
        *kind = SCHEDULE_CONSTANT;
    else
        return am_fail(err, AM_ERR_USAGE, "schedule '%s': give cosine or constant", text);
    return AM_OK;
}

adam_rule optimiser_rule(const optimiser *o, int64_t steps, const dev_u64 *step,
                         const dev_guard *guard)
{
    return (adam_rule){
        .rate = {.kind = o->schedule, .peak = o->rate, .warmup = o->warmup, .total = steps},
        .beta1 = o->beta1,
        .beta2 = o->beta2,
        .epsilon = o->epsilon,
        .step = step,
        .guard = guard,
    };
}

int64_t steps_for(double epochs, int64_t n, int rows)
{
    int64_t steps = (int64_t)(epochs * (double)n / (double)rows);
    return AM_MAX(steps, (int64_t)1);
}
