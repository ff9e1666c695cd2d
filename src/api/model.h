/* model — the inside of am_model, and what its public functions share. */
#ifndef AM_API_MODEL_H
#define AM_API_MODEL_H

#include "api/fit_job.h"

struct am_model {
    session s;
    char *name;        /* file it was read from, or "model"; for errors */
    fit_result fitted; /* NaN, and plan automatic, when it was read from a file */
};

am_status model_new(const char *name, am_device *device, am_model **model, am_error *err);
/* AM_ERR_USAGE when the model has no data to be judged on. */
am_status model_need_data(const am_model *m, am_error *err);
/* lambda (G) within the model's range; omega (K) not negative, NULL unless the model sees ω. */
am_status model_check_draw(const am_model *m, const double *lambda, const float *omega,
                           am_error *err);
am_metrics public_metrics(const metrics *m);

/* A caller's progress function as the training loop's hooks; p must outlive them. */
typedef struct {
    am_progress_function call;
    void *context;
    bool stop;
} caller_progress;
train_hooks caller_hooks(caller_progress *p, const char *checkpoint, double checkpoint_seconds);

#endif
