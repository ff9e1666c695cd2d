#include "model/network.h"

am_status network_open(network *net, backend *be, const target *t, int models, int rows,
                       bool backward, am_error *err)
{
    *net = (network){.be = be, .t = t, .models = models, .rows = rows};
    for (int l = 0; l < t->layers; l++) {
        size_t bytes = sizeof(float) * (size_t)models * (size_t)rows * (size_t)t->size[l + 1];
        net->output[l] = be->op->alloc(be, bytes, "activations");
        if (backward)
            net->gradient[l] = be->op->alloc(be, bytes, "activation gradients");
    }
    am_status status = be->op->sync(be, err);
    if (status != AM_OK)
        network_close(net);
    return status;
}

void network_close(network *net)
{
    if (net->be == NULL)
        return;
    for (int l = 0; l < net->t->layers; l++) {
        net->be->op->release(net->be, net->output[l]);
        net->be->op->release(net->be, net->gradient[l]);
    }
    *net = (network){0};
}

static activation layer_act(const target *t, int l)
{
    return l + 1 < t->layers ? t->act : ACT_NONE;
}

/* One call of a layer: models [first, first + models), whose inputs lie at x. The minibatch's layer
 * takes a call for every set that several models share; the layers above one for all. */
typedef struct {
    int first, models;
    const dev_f32 *x;
    int64_t x_stride;
} layer_call;

static int layer_calls(const network_input *in, int l)
{
    return l == 0 && in->sets < in->models ? in->sets : 1;
}

static layer_call layer_call_at(const network *net, const network_input *in, int l, int i)
{
    int64_t width = net->t->size[l], rows = in->rows;
    if (l > 0)
        return (layer_call){0, in->models, net->output[l - 1], rows * width};
    int models = in->models / layer_calls(in, l);
    return (layer_call){i * models, models, f32_at(in->x, i * rows * width),
                        in->sets == in->models ? rows * width : 0};
}

static void layer_forward(const network *net, const network_input *in, theta_view theta, int l,
                          layer_call call)
{
    const target *t = net->t;
    const dev_f32 *own = f32_at(theta.theta, call.first * theta.stride);
    int64_t y_stride = (int64_t)in->rows * t->size[l + 1];
    linear_forward_args a = {
        .models = call.models,
        .rows = in->rows,
        .in = t->size[l],
        .out = t->size[l + 1],
        .act = layer_act(t, l),
        .x = call.x,
        .ldx = t->size[l],
        .x_stride = call.x_stride,
        .weight = f32_at(own, target_weight(t, l)->offset),
        .bias = f32_at(own, target_bias(t, l)->offset),
        .weight_stride = theta.stride,
        .bias_stride = theta.stride,
        .y = f32_at(net->output[l], call.first * y_stride),
        .ldy = t->size[l + 1],
        .y_stride = y_stride,
    };
    net->be->op->linear_forward(net->be, &a);
}

void network_forward(const network *net, const network_input *in, theta_view theta, int first)
{
    for (int l = first; l < net->t->layers; l++)
        for (int i = 0; i < layer_calls(in, l); i++)
            layer_forward(net, in, theta, l, layer_call_at(net, in, l, i));
}

static void layer_backward(const network *net, const network_input *in, theta_view theta,
                           theta_view dtheta, int l, layer_call call, bool accumulate)
{
    const target *t = net->t;
    const dev_f32 *own = f32_at(theta.theta, call.first * theta.stride);
    dev_f32 *down = f32_at(dtheta.theta, call.first * dtheta.stride);
    int64_t y_stride = (int64_t)in->rows * t->size[l + 1];
    linear_backward_args a = {
        .models = call.models,
        .rows = in->rows,
        .in = t->size[l],
        .out = t->size[l + 1],
        .act = layer_act(t, l),
        .x = call.x,
        .ldx = t->size[l],
        .x_stride = call.x_stride,
        .weight = f32_at(own, target_weight(t, l)->offset),
        .weight_stride = theta.stride,
        .y = f32_at(net->output[l], call.first * y_stride),
        .ldy = t->size[l + 1],
        .y_stride = y_stride,
        .dy = f32_at(net->gradient[l], call.first * y_stride),
        .accumulate = accumulate,
        .dweight = f32_at(down, target_weight(t, l)->offset),
        .dbias = f32_at(down, target_bias(t, l)->offset),
        .dweight_stride = dtheta.stride,
        .dbias_stride = dtheta.stride,
        .dx = l > 0 ? net->gradient[l - 1] : NULL,
        .lddx = t->size[l],
        .dx_stride = (int64_t)in->rows * t->size[l],
    };
    net->be->op->linear_backward(net->be, &a);
}

void network_backward(const network *net, const network_input *in, theta_view theta,
                      theta_view dtheta, int first, bool accumulate)
{
    for (int l = net->t->layers - 1; l >= first; l--)
        for (int i = 0; i < layer_calls(in, l); i++)
            layer_backward(net, in, theta, dtheta, l, layer_call_at(net, in, l, i), accumulate);
}
