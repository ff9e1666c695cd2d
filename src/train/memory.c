#include "train/memory.h"

#include "backend/tally.h"

static am_status count_fit(backend *tally, const generator_spec *spec, const fit_settings *settings,
                           const device_rows *data, backend *be, am_error *err)
{
    generator g;
    generator_fit *f = NULL;
    AM_TRY(generator_open(&g, tally, spec, settings->draws, err));
    am_status status = fit_open(&f, &g, settings, data, err);
    if (status == AM_OK)
        status = tally_check(tally, be, "fit", err);
    fit_close(f);
    generator_close(&g);
    return status;
}

am_status fit_memory(backend *be, const generator_spec *spec, const fit_settings *settings,
                     const device_rows *data, am_error *err)
{
    backend *tally;
    AM_TRY(tally_open(&tally, err));
    am_status status = count_fit(tally, spec, settings, data, be, err);
    backend_close(tally);
    return status;
}
