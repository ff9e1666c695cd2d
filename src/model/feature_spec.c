#include "model/features.h"

#include <math.h>
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

/* "5", "5+response:4" */
static bool parse_degree(const char *text, feature_spec *spec)
{
    static const char RESPONSE[] = "+response:";
    char degree_text[16] = "";
    int64_t degree, nodes = 0;
    const char *plus = strstr(text, RESPONSE);
    size_t length = plus != NULL ? (size_t)(plus - text) : strlen(text);
    if (length >= sizeof degree_text)
        return false;
    snprintf(degree_text, sizeof degree_text, "%.*s", (int)length, text);
    if (plus != NULL &&
        (!am_parse_int(plus + sizeof RESPONSE - 1, &nodes) || nodes < 1 || nodes > AM_MAX_NODES))
        return false;
    if (!am_parse_int(degree_text, &degree) || degree < 0 || degree > 32)
        return false;
    spec->degree = (int)degree;
    spec->nodes = (int)nodes;
    return true;
}

double feature_node(int nodes, int j)
{
    static const double PI = 3.14159265358979323846;
    return nodes > 1 ? -cos(PI * j / (nodes - 1)) : 0.0;
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
        ok = parse_degree(text + 5, spec) && (spec->nodes == 0 || with_omega);
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
