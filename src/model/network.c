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

/* Layer l's input: the minibatch for l = 0, else the output below. */
static const dev_f32 *layer_input(const network *net, const network_input *in, int l,
                                  int64_t *stride)
{
    *stride = l == 0 ? in->x_stride : (int64_t)in->rows * net->t->size[l];
    return l == 0 ? in->x : net->output[l - 1];
}

static activation layer_act(const target *t, int l)
{
    return l + 1 < t->layers ? t->act : ACT_NONE;
}

void network_forward(const network *net, const network_input *in, theta_view theta, int first)
{
    const target *t = net->t;
    for (int l = first; l < t->layers; l++) {
        linear_forward_args a = {
            .models = in->models,
            .rows = in->rows,
            .in = t->size[l],
            .out = t->size[l + 1],
            .act = layer_act(t, l),
            .ldx = t->size[l],
            .weight = f32_at(theta.theta, target_weight(t, l)->offset),
            .bias = f32_at(theta.theta, target_bias(t, l)->offset),
            .weight_stride = theta.stride,
            .bias_stride = theta.stride,
            .y = net->output[l],
            .ldy = t->size[l + 1],
            .y_stride = (int64_t)in->rows * t->size[l + 1],
        };
        a.x = layer_input(net, in, l, &a.x_stride);
        net->be->op->linear_forward(net->be, &a);
    }
}

void network_backward(const network *net, const network_input *in, theta_view theta,
                      theta_view dtheta, int first, bool accumulate)
{
    const target *t = net->t;
    for (int l = t->layers - 1; l >= first; l--) {
        linear_backward_args a = {
            .models = in->models,
            .rows = in->rows,
            .in = t->size[l],
            .out = t->size[l + 1],
            .act = layer_act(t, l),
            .ldx = t->size[l],
            .weight = f32_at(theta.theta, target_weight(t, l)->offset),
            .weight_stride = theta.stride,
            .y = net->output[l],
            .ldy = t->size[l + 1],
            .y_stride = (int64_t)in->rows * t->size[l + 1],
            .dy = net->gradient[l],
            .accumulate = accumulate,
            .dweight = f32_at(dtheta.theta, target_weight(t, l)->offset),
            .dbias = f32_at(dtheta.theta, target_bias(t, l)->offset),
            .dweight_stride = dtheta.stride,
            .dbias_stride = dtheta.stride,
            .dx = l > 0 ? net->gradient[l - 1] : NULL,
            .lddx = t->size[l],
            .dx_stride = (int64_t)in->rows * t->size[l],
        };
        a.x = layer_input(net, in, l, &a.x_stride);
        net->be->op->linear_backward(net->be, &a);
    }
}
