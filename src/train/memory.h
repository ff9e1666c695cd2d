/* memory — is there room for a run? Its parts are opened on a tally first (backend/tally.h). */
#ifndef AM_MEMORY_H
#define AM_MEMORY_H

#include "train/train.h"

/* AM_ERR_MEMORY, with the numbers, where the device lacks memory for generator, optimiser, workspace
 * and minibatches of this fit; the data are there already. */
am_status fit_memory(backend *be, const generator_spec *spec, const fit_settings *settings,
                     const device_rows *data, am_error *err);

#endif
