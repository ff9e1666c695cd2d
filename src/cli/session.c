#include "cli/session.h"

am_status session_device(session *s, const settings *set, am_error *err)
{
    am_device *device;
    AM_TRY(am_device_open(set->device, (int)set->threads, set->precision, &device, err));
    session_take_device(s, device);
    progress_note(set, "device: %s (%s), %d threads", s->be->name, s->be->device, s->be->threads);
    return AM_OK;
}

static am_status load_model_data(session *s, const settings *set, const char *path, am_error *err)
{
    data_request request;
    const char *other = settings_given(set, "data") ? set->data : NULL;
    AM_TRY(session_recorded_data(s, path, other, set->test, &request, err));
    AM_TRY(session_load(s, &request, err));
    return session_attach(s, path, err);
}

am_status session_model(session *s, const settings *set, const char *path, int draws,
                        bool with_data, am_error *err)
{
    am_safetensors *file;
    AM_TRY(model_load(path, &s->record, &file, err));
    am_status status = session_device(s, set, err);
    if (status == AM_OK)
        status = model_restore(file, &s->record, s->be, draws, &s->g, err);
    am_safetensors_free(file);
    if (status == AM_OK && with_data)
        status = load_model_data(s, set, path, err);
    return status;
}
