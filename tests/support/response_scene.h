/* response_scene — a base generator over a small problem, with a response to drive by hand. */
#ifndef AM_TEST_RESPONSE_SCENE_H
#define AM_TEST_RESPONSE_SCENE_H

#include "response/response.h"
#include "support/problem.h"

enum { SCENE_NODES = 2 /* the ends of the range */ };

typedef struct {
    device d;
    problem p;
    generator g;
    response *r;
    dev_f32 *state;   /* (SCENE_NODES, V, P) */
    dev_f32 *moment2; /* (P) */
    double time;
} response_scene;

/* V directions: the blocks, or `draws` weight vectors where that is above 0. */
void response_scene_open(response_scene *s, const char *text, loss_kind loss, int64_t rows,
                         int64_t blocks, int draws, int iterations);
void response_scene_close(response_scene *s);

/* The response takes a snapshot. */
void response_scene_advance(response_scene *s, int snapshot);

/* ω^s (S,K) of a generator's seed on the host, owned by the device. */
float *drawn_weights(device *d, const generator_spec *spec, int draws);

#endif
