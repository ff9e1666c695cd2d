#include "model/features.h"

#include "draw/philox.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int input_width(const features *f)
{
    return f->groups + (f->spec.network_omega ? f->embedding : 0);
}

static int layer_in(const features *f, int l)
{
    return l == 0 ? input_width(f) : f->spec.size[l - 1];
}

/* First column of c that the network writes. */
static int network_column(const features *f)
{
    int copies = AM_MAX(1, f->spec.nodes);
    return 1 + f->terms + (f->spec.columns_omega ? copies * f->embedding : 0);
}

/* Multi-indices of total degree 1..d over G variables, by degree, then lexicographic. With
 * `degrees` NULL only counts. */
static int enumerate_terms(int groups, int degree, int32_t *degrees)
{
    int count = 0;
    int32_t index[AM_MAX_GROUPS] = {0};
    for (int total = 1; total <= degree; total++) {
        memset(index, 0, sizeof index);
        index[0] = total;
        for (;;) {
            if (degrees != NULL)
                memcpy(degrees + (size_t)count * (size_t)groups, index,
                       sizeof(int32_t) * (size_t)groups);
            count++;
            /* next composition of `total` into G parts: move one unit to the right */
            int g = groups - 2;
            while (g >= 0 && index[g] == 0)
                g--;
            if (g < 0 || count > AM_MAX_FEATURES)
                break;
            int32_t tail = index[groups - 1];
            index[groups - 1] = 0;
            index[g]--;
            index[g + 1] = tail + 1;
        }
    }
    return count;
}

static void count_shapes(features *f)
{
    f->terms = f->spec.basis == BASIS_NONE ? 0 : enumerate_terms(f->groups, f->spec.degree, NULL);
    f->features = network_column(f);
    if (f->spec.layers > 0)
        f->features += f->spec.size[f->spec.layers - 1];
    for (int l = 0; l < f->spec.layers; l++) {
        f->phi_offset[l] = f->params;
        f->params += (int64_t)(layer_in(f, l) + 1) * f->spec.size[l];
    }
}

/* E (K,I) of independent signs ±1/√I, and the row 1 − 1ᵀE that turns ωE into 1 + (ω−1)E. */
static am_status open_embedding(features *f, uint64_t seed, am_error *err)
{
    backend *be = f->be;
    int64_t blocks = f->blocks;
    int width = f->embedding;
    float *e = am_alloc((size_t)blocks * (size_t)width, sizeof *e, "embedding of the weights", err);
    float *base = am_alloc((size_t)f->draws * (size_t)width, sizeof *base, "embedding", err);
    double scale = 1.0 / sqrt((double)width);
    for (int i = 0; e != NULL && base != NULL && i < width; i++) {
        double sum = 0.0;
        for (int64_t b = 0; b < blocks; b++) {
            uint32_t bits = philox(seed, STREAM_EMBED, 0, (uint32_t)i, (uint32_t)b).x[0];
            e[b * width + i] = (float)(bits & 1u ? scale : -scale);
            sum += e[b * width + i];
        }
        for (int m = 0; m < f->draws; m++)
            base[m * width + i] = (float)(1.0 - sum);
    }
    size_t e_bytes = sizeof *e * (size_t)blocks * (size_t)width;
    size_t base_bytes = sizeof *base * (size_t)f->draws * (size_t)width;
    am_status status = e && base ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK) {
        f->embed = be->op->alloc(be, e_bytes, "embedding of the weights");
        f->embed_base = be->op->alloc(be, base_bytes, "embedding");
        f->omega_in = be->op->alloc(be, base_bytes, "embedding");
        be->op->upload(be, f->embed, e, e_bytes);
        be->op->upload(be, f->embed_base, base, base_bytes);
        status = be->op->sync(be, err);
    }
    free(e);
    free(base);
    return status;
}

static dev_f32 *alloc_rows(features *f, int columns)
{
    return f->be->op->alloc(f->be, sizeof(float) * (size_t)f->draws * (size_t)columns, "features");
}

static am_status open_buffers(features *f, am_error *err)
{
    backend *be = f->be;
    if (f->terms > 0) {
        size_t count = (size_t)f->terms * (size_t)f->groups;
        f->degree_host = am_alloc(count, sizeof(int32_t), "feature table", err);
        if (f->degree_host == NULL)
            return AM_ERR_MEMORY;
        enumerate_terms(f->groups, f->spec.degree, f->degree_host);
        f->degree = be->op->alloc(be, count * sizeof(int32_t), "feature table");
        be->op->upload(be, f->degree, f->degree_host, count * sizeof(int32_t));
    }
    if (f->spec.layers > 0) {
        f->input = alloc_rows(f, input_width(f));
        f->dinput = alloc_rows(f, input_width(f));
    }
    for (int l = 0; l < f->spec.layers; l++) {
        f->output[l] = alloc_rows(f, f->spec.size[l]);
        f->gradient[l] = alloc_rows(f, f->spec.size[l]);
    }
    return be->op->sync(be, err);
}

/* Columns of ω that the features see. */
static int embedded_columns(const feature_spec *spec, int64_t blocks, int embedding)
{
    if (!spec->network_omega && !spec->columns_omega)
        return 0;
    return embedding > 0 ? embedding : (int)AM_MIN(blocks, AM_DIRECT_BLOCKS);
}

int features_count(const feature_spec *spec, int groups, int64_t blocks, int embedding)
{
    features f = {.spec = *spec, .groups = groups, .blocks = blocks};
    f.embedding = embedded_columns(spec, blocks, embedding);
    count_shapes(&f);
    return f.features;
}

am_status features_open(features *f, backend *be, const feature_spec *spec, int groups,
                        int64_t blocks, int embedding, uint64_t seed, int draws, am_error *err)
{
    bool sees_omega = spec->network_omega || spec->columns_omega;
    *f = (features){.be = be, .spec = *spec, .groups = groups, .blocks = blocks, .draws = draws};
    if (sees_omega)
        f->embedding = embedding > 0 ? embedding : (int)AM_MIN(blocks, AM_DIRECT_BLOCKS);
    count_shapes(f);
    if (f->features > AM_MAX_FEATURES &&
        spec->nodes == 0) /* a response has its own limits, below */
        return am_fail(err, AM_ERR_USAGE,
                       "features %s: more than %d features with %d penalty groups and %lld blocks; "
                       "lower the degree or the number of blocks",
                       spec->text, AM_MAX_FEATURES, groups, (long long)blocks);
    if (spec->nodes > 0 && (groups > 1 || f->embedding != blocks))
        return am_fail(err, AM_ERR_USAGE,
                       "features %s: a response needs one λ in all and at most %d blocks; give "
                       "--penalty scalar and fewer --blocks, or --posterior none",
                       spec->text, AM_DIRECT_BLOCKS);
    am_status status = open_buffers(f, err);
    if (status == AM_OK && sees_omega && f->embedding != blocks)
        status = open_embedding(f, seed, err);
    if (status != AM_OK)
        features_close(f);
    return status;
}

void features_close(features *f)
{
    backend *be = f->be;
    if (be == NULL)
        return;
    free(f->degree_host);
    void *owned[] = {f->degree, f->embed, f->embed_base, f->omega_in, f->input, f->dinput};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        be->op->release(be, owned[i]);
    for (int l = 0; l < f->spec.layers; l++) {
        be->op->release(be, f->output[l]);
        be->op->release(be, f->gradient[l]);
    }
    *f = (features){0};
}

void features_init(const features *f, uint64_t seed, float *phi)
{
    for (int l = 0; l < f->spec.layers; l++) {
        double bound = 1.0 / sqrt((double)layer_in(f, l));
        int64_t end = f->phi_offset[l] + (int64_t)(layer_in(f, l) + 1) * f->spec.size[l];
        for (int64_t i = f->phi_offset[l]; i < end; i++) {
            /* element counter's top half: apart from the target's initial weights */
            philox4 r = philox(seed, STREAM_INIT, 1, 0, (uint32_t)i);
            phi[i] = (float)(bound * (2.0 * uniform_open(r.x[0]) - 1.0));
        }
    }
}

/* omega_in = 1 + (ω−1)E = ωE + (1 − 1ᵀE) */
static const dev_f32 *embed_omega(features *f, int draws, const dev_f32 *omega)
{
    backend *be = f->be;
    if (f->embed == NULL)
        return omega;
    int64_t width = f->embedding;
    be->op->copy(be, f->omega_in, f->embed_base, sizeof(float) * (size_t)(draws * width));
    matmul_args a = {.batch = 1,
                     .m = draws,
                     .n = width,
                     .k = f->blocks,
                     .alpha = 1,
                     .beta = 1,
                     .a = omega,
                     .lda = f->blocks,
                     .b = f->embed,
                     .ldb = width,
                     .c = f->omega_in,
                     .ldc = width};
    be->op->matmul(be, &a);
    return f->omega_in;
}

static activation layer_act(const features *f, int l)
{
    return l + 1 < f->spec.layers || f->spec.relu_output ? ACT_RELU : ACT_NONE;
}

static void network_forward_columns(features *f, int draws, const dev_f32 *phi, dev_f32 *c)
{
    for (int l = 0; l < f->spec.layers; l++) {
        int in = layer_in(f, l), out = f->spec.size[l];
        bool last = l + 1 == f->spec.layers;
        const dev_f32 *weight = f32_at(phi, f->phi_offset[l]);
        linear_forward_args a = {
            .models = 1,
            .rows = draws,
            .in = in,
            .out = out,
            .act = layer_act(f, l),
            .x = l == 0 ? f->input : f->output[l - 1],
            .ldx = in,
            .weight = weight,
            .bias = f32_at(weight, (int64_t)in * out),
            .y = last ? f32_at(c, network_column(f)) : f->output[l],
            .ldy = last ? f->features : out,
        };
        f->be->op->linear_forward(f->be, &a);
    }
}

void features_forward(features *f, int draws, const dev_f32 *phi, const dev_f32 *u,
                      const dev_f32 *omega, dev_f32 *c)
{
    const dev_f32 *w = features_use_omega(f) ? embed_omega(f, draws, omega) : NULL;
    basis_forward_args a = {
        .kind = f->spec.basis,
        .draws = draws,
        .groups = f->groups,
        .features = f->features,
        .terms = f->terms,
        .degree = f->degree,
        .omega_columns = f->spec.columns_omega ? f->embedding : 0,
        .omega_scale = f->spec.omega_scale,
        .nodes = f->spec.nodes,
        .u = u,
        .omega = f->spec.columns_omega ? w : NULL,
        .c = c,
        .input_omega = f->spec.network_omega ? f->embedding : 0,
        .centre = f->spec.centre,
        .omega_in = f->spec.network_omega ? w : NULL,
        .input = f->input,
    };
    for (int j = 0; j < f->spec.nodes; j++)
        a.node[j] = feature_node(f->spec.nodes, j);
    f->be->op->basis_forward(f->be, &a);
    network_forward_columns(f, draws, phi, c);
}

void features_backward(features *f, int draws, const dev_f32 *phi, const dev_f32 *c, dev_f32 *dc,
                       dev_f32 *dphi)
{
    for (int l = f->spec.layers - 1; l >= 0; l--) {
        int in = layer_in(f, l), out = f->spec.size[l];
        bool last = l + 1 == f->spec.layers;
        dev_f32 *dweight = f32_at(dphi, f->phi_offset[l]);
        linear_backward_args a = {
            .models = 1,
            .rows = draws,
            .in = in,
            .out = out,
            .act = layer_act(f, l),
            .x = l == 0 ? f->input : f->output[l - 1],
            .ldx = in,
            .weight = f32_at(phi, f->phi_offset[l]),
            .y = last ? f32_at(c, network_column(f)) : f->output[l],
            .ldy = last ? f->features : out,
            .dy = last ? f32_at(dc, network_column(f)) : f->gradient[l],
            .dweight = dweight,
            .dbias = f32_at(dweight, (int64_t)in * out),
            .dx = l > 0 ? f->gradient[l - 1] : f->dinput,
            .lddx = in,
        };
        f->be->op->linear_backward(f->be, &a);
    }
}

am_status features_input_gradient(features *f, int draws, const dev_f32 *u, const dev_f32 *dc,
                                  double *du, am_error *err)
{
    backend *be = f->be;
    size_t count = (size_t)draws * (size_t)f->groups;
    int width = f->spec.layers > 0 ? input_width(f) : 0;
    float *direct = am_alloc(count, sizeof *direct, "gradient in λ", err);
    float *through =
        am_alloc((size_t)draws * (size_t)(width + 1), sizeof *through, "gradient", err);
    dev_f32 *device = be->op->alloc(be, count * sizeof(float), "gradient in λ");
    am_status status = direct && through ? AM_OK : AM_ERR_MEMORY;
    if (status == AM_OK) {
        basis_backward_args a = {.kind = f->spec.basis,
                                 .draws = draws,
                                 .groups = f->groups,
                                 .features = f->features,
                                 .terms = f->terms,
                                 .degree = f->degree,
                                 .u = u,
                                 .dc = dc,
                                 .du = device};
        be->op->basis_backward(be, &a);
        status = be->op->download(be, direct, device, count * sizeof(float), err);
    }
    if (status == AM_OK && width > 0)
        status = be->op->download(be, through, f->dinput,
                                  sizeof(float) * (size_t)draws * (size_t)width, err);
    for (int m = 0; status == AM_OK && m < draws; m++)
        for (int g = 0; g < f->groups; g++)
            du[m * f->groups + g] =
                (double)direct[m * f->groups + g] + (width ? (double)through[m * width + g] : 0.0);
    be->op->release(be, device);
    free(direct);
    free(through);
    return status;
}
