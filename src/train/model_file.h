/* model_file — a generator on disk: safetensors, with all that is needed to use it in __metadata__.
 * A checkpoint is the same file with the optimiser's state beside the parameters. */
#ifndef AM_MODEL_FILE_H
#define AM_MODEL_FILE_H

#include "train/train.h"

/* The data a model was fitted to: enough to find the same rows again. */
typedef struct {
    char name[64];     /* "mnist" */
    char source[1024]; /* as the user gave it; empty: rows handed over in memory */
    char label[128];   /* CSV label column; empty: the last */
    char task[24];
    double validation;  /* as in data_request */
    uint64_t seed;      /* of the split and of the blocks */
    int64_t rows;       /* training rows n */
    char digest[17];    /* of the block map; empty when ω does not enter */
    normalisation norm; /* owned */
} data_record;

typedef struct {
    generator_spec spec;
    fit_settings fit;
    data_record data;
    int64_t step; /* steps done; < fit.steps in a checkpoint of an unfinished run */
} model_record;
void model_record_free(model_record *record); /* safe on a zeroed one */

/* Writes atomically. state: the optimiser's arena for a checkpoint, NULL for a model. */
am_status model_save(const char *path, const generator *g, const model_record *record,
                     const arena *state, am_error *err);

/* Reads and checks the file and its metadata; AM_ERR_INPUT names file and fault. The file stays open
 * for model_restore; free both. */
am_status model_load(const char *path, model_record *record, am_safetensors **file, am_error *err);
/* Opens a generator for the record and fills its parameters from the file. */
am_status model_restore(const am_safetensors *file, const model_record *record, backend *be,
                        int draws, generator *g, am_error *err);

/* Whether two runs are the same run (spec, settings, data): the condition to resume. The error names
 * the first difference. */
am_status model_same_run(const char *path, const model_record *saved, const model_record *now,
                         am_error *err);
#endif
