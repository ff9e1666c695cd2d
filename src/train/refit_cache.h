/* refit_cache — refits that were trained before are not trained again.
 *
 * A batch of refits is a function of its configuration: the rows that it sees, λ, ω, initialisations,
 * batch order, optimiser, processor, version of the program. The file of a batch holds all of it,
 * and is taken only when every part is the same, the arrays bit by bit; the file's name is a hash and
 * decides nothing. */
#ifndef AM_REFIT_CACHE_H
#define AM_REFIT_CACHE_H

#include "train/train.h"

/* Where batches are kept, and what came from there. */
typedef struct {
    const char *folder;    /* NULL: nothing is kept and nothing is looked for */
    const char *data;      /* digest of the training rows (refit_cache_digest) */
    const char *precision; /* arithmetic of the device: "fp32", … */
    void (*note)(void *context, const char *text); /* a file that was of no use; or NULL */
    void *context;
    int found, trained; /* models that came from files, and others, so far */
    double seconds;     /* that training all of them took, whenever it was */
} refit_cache;

/* A digest (64-bit FNV-1a, hex) of the rows as the network sees them, their labels or targets, and
 * their blocks (n; NULL: none). */
void refit_cache_digest(const am_rows *rows, const uint32_t *block, char text[17]);

/* θ (D,P) as refit_run leaves it, from a file or from training, which is then kept. A file that is
 * damaged or of something else is noted, and replaced; a cache that cannot be written costs a note
 * and nothing more. */
am_status refit_cached(refit_cache *cache, backend *be, const refit_request *request,
                       const device_rows *data, const train_hooks *hooks, dev_f32 **theta,
                       am_error *err);

/* The file that this batch would be in, fresh; NULL without memory. */
char *refit_cache_path(const refit_cache *cache, const backend *be, const refit_request *request,
                       const device_rows *data);

#endif
