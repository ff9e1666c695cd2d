#include "model/features.h"

#include <stdlib.h>
#include <string.h>

static am_status bad_features(const char *text, am_error *err)
{
    return am_fail(
        err, AM_ERR_USAGE,
        "features '%s': give poly:D, cheb:D (D = 0..32), mlp:H,…,R, split:H,…,R (at most "
        "%d layers of 1..%d) or paper",
        text, AM_MAX_FEATURE_LAYERS, AM_MAX_FEATURES - 1);
}

/* "32,8" → layer sizes */
static bool parse_sizes(const char *text, feature_spec *spec)
{
    while (*text != '\0') {
        char *end;
        long value = strtol(text, &end, 10);
        bool digit = *text >= '0' && *text <= '9';
        if (!digit || value < 1 || value >= AM_MAX_FEATURES ||
            spec->layers == AM_MAX_FEATURE_LAYERS)
            return false;
        spec->size[spec->layers++] = (int)value;
        if (*end == '\0')
            return true;
        if (*end != ',')
            return false;
        text = end + 1;
    }
    return false; /* empty, or a trailing comma */
}

static bool parse_degree(const char *text, feature_spec *spec)
{
    int64_t degree;
    if (!am_parse_int(text, &degree) || degree < 0 || degree > 32)
        return false;
    spec->degree = (int)degree;
    return true;
}

am_status feature_spec_parse(const char *text, bool with_omega, feature_spec *spec, am_error *err)
{
    *spec = (feature_spec){.omega_scale = 1.0f, .centre = 1.0f};
    if (strlen(text) >= sizeof spec->text)
        return bad_features(text, err);
    snprintf(spec->text, sizeof spec->text, "%s", text);
    bool ok = false;
    if (strncmp(text, "poly:", 5) == 0 || strncmp(text, "cheb:", 5) == 0) {
        spec->basis = text[0] == 'p' ? BASIS_POLYNOMIAL : BASIS_CHEBYSHEV;
        spec->columns_omega = with_omega;
        ok = parse_degree(text + 5, spec);
    } else if (strncmp(text, "mlp:", 4) == 0) {
        spec->network_omega = with_omega;
        ok = parse_sizes(text + 4, spec);
    } else if (strncmp(text, "split:", 6) == 0) {
        spec->columns_omega = with_omega;
        spec->omega_scale = 0.1f; /* METHOD §6: the best scale of the split family */
        ok = parse_sizes(text + 6, spec);
    } else if (strcmp(text, "paper") == 0) {
        spec->layers = 2;
        spec->size[0] = spec->size[1] = 128;
        spec->relu_output = true;
        spec->network_omega = with_omega;
        spec->centre = 0.0f; /* the published generator sees ω itself */
        spec->paper_init = true;
        ok = true;
    }
    return ok ? AM_OK : bad_features(text, err);
}
