/* A model whose response was sampled, through the public interface: it has draws of its own and takes no
 * weights of the caller's. */
#include "support/api_problem.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(api_sampled, .init = scratch_make, .fini = scratch_remove);

enum { VECTORS = 5, MORE = 8 };
static const double LAMBDA = 1e-3;

typedef struct {
    am_device *device;
    am_dataset *data;
    am_model *model;
} scene;

static scene scene_open(const api_rows *rows)
{
    scene s = {.device = api_device(), .data = api_dataset(rows)};
    am_fit_options o = api_fit_options();
    o.posterior = "implicit";
    o.blocks = 0; /* a weight for every row */
    o.response_draws = VECTORS;
    s.model = api_fit(s.device, s.data, &o);
    return s;
}

static void scene_close(scene *s)
{
    am_model_free(s->model);
    am_dataset_free(s->data);
    am_device_close(s->device);
}

Test(api_sampled, draws_of_a_model_are_those_of_its_file)
{
    static api_rows rows;
    api_rows_fill(&rows, 7);
    scene s = scene_open(&rows);
    am_error err = {0};
    am_model *loaded;
    am_posterior few, more;
    static float theta[VECTORS][API_PARAMS], longer[MORE][API_PARAMS], one[API_PARAMS];
    cr_assert_eq(am_model_save(s.model, scratch("m"), &err), AM_OK, "%s", err.message);
    cr_assert_eq(am_model_load(s.device, scratch("m"), &loaded, &err), AM_OK, "%s", err.message);
    cr_assert_eq(am_model_attach(loaded, s.data, &err), AM_OK, "%s", err.message);
    cr_assert_eq(am_sample(s.model, &LAMBDA, VECTORS, &few, NULL, theta[0], &err), AM_OK, "%s",
                 err.message);
    cr_assert_eq(am_sample(loaded, &LAMBDA, MORE, &more, NULL, longer[0], &err), AM_OK, "%s",
                 err.message);
    cr_expect(few.from_generator && more.from_generator);
    cr_expect_eq(memcmp(theta, longer, sizeof theta), 0, "the first draws are not the vectors'");
    cr_assert_eq(am_weights(loaded, &LAMBDA, NULL, one, &err), AM_OK, "%s", err.message);
    for (int d = 0; d < MORE; d++) /* each draw is a network of its own */
        for (int k = 0; k <= d; k++)
            cr_expect_neq(memcmp(longer[d], k == d ? one : longer[k], sizeof one), 0);
    am_model_free(loaded);
    scene_close(&s);
}

Test(api_sampled, weights_of_the_callers_have_no_answer)
{
    static api_rows rows;
    api_rows_fill(&rows, 7);
    scene s = scene_open(&rows);
    am_error err = {0};
    am_model_info info;
    static float omega[API_TRAIN], theta[API_PARAMS], one[API_PARAMS], output[API_CLASSES];
    cr_assert_eq(am_model_describe(s.model, &info, &err), AM_OK);
    cr_expect_eq(info.blocks, API_TRAIN);
    cr_expect_str_eq(info.weights, "dirichlet");
    cr_assert_eq(am_draw_weights(s.device, NULL, 1, API_TRAIN, 1, 3, omega, &err), AM_OK);
    api_expect(am_weights(s.model, &LAMBDA, omega, theta, &err), &err, AM_ERR_USAGE,
               "answers to 5 weight vectors");
    api_expect(am_predict(s.model, 1, &LAMBDA, omega, NULL, 1, rows.x[0], output, NULL, &err), &err,
               AM_ERR_USAGE, "am_sample");
    /* polish can follow them, from the curve's network */
    am_polish_options o;
    am_polish_options_default(&o, sizeof o);
    o.steps = 0;
    err = (am_error){0};
    cr_assert_eq(am_polish(s.model, &o, 1, &LAMBDA, omega, theta, NULL, &err), AM_OK, "%s",
                 err.message);
    cr_assert_eq(am_weights(s.model, &LAMBDA, NULL, one, &err), AM_OK);
    cr_expect_eq(memcmp(theta, one, sizeof one), 0);
    scene_close(&s);
}

Test(api_sampled, draws_need_a_response)
{
    static api_rows rows;
    api_rows_fill(&rows, 7);
    am_device *device = api_device();
    am_dataset *data = api_dataset(&rows);
    am_model *model;
    am_error err = {0};
    am_fit_options o = api_fit_options();
    o.response_draws = 4;
    api_expect(am_fit(device, data, &o, &model, &err), &err, AM_ERR_USAGE, "--posterior implicit");
    o.posterior = "implicit";
    o.response_draws = 257;
    err = (am_error){0};
    api_expect(am_fit(device, data, &o, &model, &err), &err, AM_ERR_USAGE, "response-draws");
    am_dataset_free(data);
    am_device_close(device);
}
