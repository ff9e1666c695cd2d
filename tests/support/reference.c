#include "support/reference.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { WIDEST = 1024 };

reference reference_of(device *d, const generator *g)
{
    int64_t head = (int64_t)g->f.features * g->spec.target.params;
    reference r = {.g = g, .head = to_doubles(d, generator_head(d, g), head)};
    if (g->phi != NULL)
        r.phi = to_doubles(d, generator_phi(d, g), g->phi_size);
    if (g->f.embed != NULL) {
        int64_t count = g->f.blocks * g->f.embedding;
        r.embed = to_doubles(d, read_floats(d, g->f.embed, count), count);
    }
    return r;
}

/* ---- features -------------------------------------------------------------------------------- */

/* u^j, or cos(j·arccos u). */
static double univariate(basis_kind kind, double u, int j)
{
    return kind == BASIS_POLYNOMIAL ? pow(u, j) : cos(j * acos(fmin(fmax(u, -1.0), 1.0)));
}

/* ω as the features see it: itself, or 1 + (ω−1)E. */
static void seen_omega(const reference *r, const float *omega, double *seen)
{
    const features *f = &r->g->f;
    for (int i = 0; i < f->embedding; i++) {
        double own = omega != NULL && r->embed == NULL ? (double)omega[i] : 1.0;
        for (int64_t b = 0; r->embed != NULL && omega != NULL && b < f->blocks; b++)
            own += ((double)omega[b] - 1.0) * r->embed[b * f->embedding + i];
        seen[i] = own;
    }
}

/* The feature network on `input` (width), its outputs to c. */
static void feature_network(const reference *r, const double *input, int width, double *c)
{
    const feature_spec *spec = &r->g->f.spec;
    const double *phi = r->phi;
    double in[WIDEST], out[WIDEST];
    memcpy(in, input, sizeof *in * (size_t)width);
    for (int l = 0; l < spec->layers; l++) {
        int size = spec->size[l];
        bool relu = l + 1 < spec->layers || spec->relu_output;
        for (int j = 0; j < size; j++) {
            out[j] = phi[size * width + j];
            for (int i = 0; i < width; i++)
                out[j] += phi[j * width + i] * in[i];
            if (relu && out[j] < 0.0)
                out[j] = 0.0;
        }
        phi += size * width + size;
        width = size;
        memcpy(in, out, sizeof *in * (size_t)size);
    }
    memcpy(c, in, sizeof *c * (size_t)width);
}

void reference_features(const reference *r, const double *u, const float *omega, double *c)
{
    const features *f = &r->g->f;
    double seen[WIDEST], input[WIDEST];
    int groups = f->groups, used = 1, width = 0;
    seen_omega(r, omega, seen);
    c[0] = 1.0;
    for (int t = 0; t < f->terms; t++, used++) {
        c[used] = 1.0;
        for (int g = 0; g < groups; g++)
            c[used] *= univariate(f->spec.basis, u[g], f->degree_host[t * groups + g]);
    }
    for (int b = 0; f->spec.columns_omega && b < f->embedding; b++)
        c[used++] = (double)f->spec.omega_scale * (seen[b] - 1.0);
    if (f->spec.layers == 0)
        return;
    for (int g = 0; g < groups; g++)
        input[width++] = u[g];
    for (int b = 0; f->spec.network_omega && b < f->embedding; b++)
        input[width++] = seen[b] - (double)f->spec.centre;
    feature_network(r, input, width, c + used);
}

void reference_theta(const reference *r, const double *c, double *theta)
{
    int64_t params = r->g->spec.target.params;
    for (int64_t p = 0; p < params; p++) {
        theta[p] = 0.0;
        for (int k = 0; k < r->g->f.features; k++)
            theta[p] += c[k] * r->head[k * params + p];
    }
}

/* ---- target ---------------------------------------------------------------------------------- */

void reference_forward(const target *t, const double *theta, const float *x, double *output)
{
    double in[WIDEST], out[WIDEST];
    for (int j = 0; j < t->size[0]; j++)
        in[j] = (double)x[j];
    for (int l = 0; l < t->layers; l++) {
        int from = t->size[l], to = t->size[l + 1];
        cr_assert(from <= WIDEST && to <= WIDEST);
        for (int j = 0; j < to; j++) {
            out[j] = theta[from * to + j];
            for (int i = 0; i < from; i++)
                out[j] += theta[j * from + i] * in[i];
            if (l + 1 < t->layers)
                out[j] = t->act == ACT_TANH ? tanh(out[j]) : fmax(out[j], 0.0);
        }
        theta += from * to + to;
        memcpy(in, out, sizeof *in * (size_t)to);
    }
    memcpy(output, in, sizeof *output * (size_t)t->size[t->layers]);
}

double reference_loss(const target *t, const double *output, const am_rows *rows, int64_t i)
{
    int outputs = t->size[t->layers];
    double sum = 0.0;
    for (int c = 0; c < outputs; c++)
        sum += t->loss == LOSS_SQUARED ? pow(output[c] - (double)rows->target[i * outputs + c], 2.0)
                                       : exp(output[c] - output[rows->label[i]]);
    return t->loss == LOSS_SQUARED ? sum : log(sum);
}

double reference_penalty(const target *t, const double *theta, const double *lambda, int groups)
{
    double sum = 0.0;
    for (int i = 0; i < t->tensor_count; i++) {
        double strength = lambda[groups > 1 ? i / 2 : 0];
        for (int64_t p = 0; p < t->tensor[i].count; p++)
            sum += strength * theta[t->tensor[i].offset + p] * theta[t->tensor[i].offset + p];
    }
    return sum;
}

double reference_criterion(const target *t, const double *theta, const problem *p,
                           const double *lambda, int groups, const float *omega)
{
    double output[WIDEST], sum = 0.0;
    for (int64_t i = 0; i < p->rows.n; i++) {
        double weight = omega != NULL ? (double)omega[p->block[i]] : 1.0;
        reference_forward(t, theta, p->rows.floats + i * p->rows.inputs, output);
        sum += weight * reference_loss(t, output, &p->rows, i);
    }
    return sum / (double)p->rows.n + reference_penalty(t, theta, lambda, groups);
}
