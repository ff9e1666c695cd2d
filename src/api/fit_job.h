/* fit_job — fit a generator for a session, with checkpoints. */
#ifndef AM_FIT_JOB_H
#define AM_FIT_JOB_H

#include "api/session.h"

/* The loss while a fit ran, at most so many reports of it; when there are more every other is
 * forgotten. */
enum { FIT_HISTORY = 256 };
typedef struct {
    int count;
    int64_t step[FIT_HISTORY];
    double loss[FIT_HISTORY]; /* mean criterion since the report before */
} fit_history;

typedef struct {
    double loss; /* mean criterion over the last steps */
    double seconds;
    double response_seconds; /* of these, the response's */
    int64_t first;  /* the step it began at in these seconds: 0, or that of the checkpoint */
    plan_kind plan; /* that was used */
    fit_history history;
} fit_result;

typedef struct {
    session *s;
    generator_fit *f;
    const char *checkpoint; /* file of an unfinished run's state, or NULL; not owned */
    train_hooks outer;      /* the caller's */
    double begin;
    fit_result result;
} fit_job;

/* Opens s->g by s->record, initialised; with `resume` in the state of the checkpoint, which must be
 * of the same run. r needs fit_job_close in every case. */
am_status fit_job_open(fit_job *r, session *s, const char *checkpoint, bool resume, am_error *err);
/* Trains to the end; hooks->checkpoint is where the state is saved. */
am_status fit_job_run(fit_job *r, const train_hooks *hooks, am_error *err);
/* Writes the model to `path`, then removes the checkpoint. */
am_status fit_job_save(fit_job *r, const char *path, am_error *err);
void fit_job_close(fit_job *r);

#endif
