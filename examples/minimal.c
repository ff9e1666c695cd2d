/* Fit a generator, print its tuning curve and the chosen λ; optionally write the chosen network.
 *
 *     cc minimal.c $(pkg-config --cflags --libs amortune) -o minimal
 *     ./minimal table.csv weights.safetensors        (or a folder of IDX files, or mnist) */
#include <amortune.h>

#include <stdio.h>

enum { POINTS = 10 };

/* One line a tenth of the run; non-zero would stop it. */
static int show(void *context, const am_progress *p)
{
    int *tenths = context, now = (int)(10 * p->step / p->total);
    if (now > *tenths)
        fprintf(stderr, "%s %3d %%  loss %.4f\n", p->task, 10 * now, p->loss);
    *tenths = now;
    return 0;
}

static am_status run(am_device *device, am_dataset *data, const char *out, am_error *err)
{
    am_model *model;
    am_choice choice;
    am_metrics at[POINTS];
    double lambda[POINTS];
    int tenths = 0;

    am_fit_options fit;
    am_fit_options_default(&fit, sizeof fit);
    fit.epochs = 2;
    fit.progress = show;
    fit.context = &tenths;
    am_status status = am_fit(device, data, &fit, &model, err);

    am_curve_options curve;
    am_curve_options_default(&curve, sizeof curve);
    curve.points = POINTS;
    if (status == AM_OK)
        status = am_curve(model, &curve, lambda, at, NULL, NULL, err);
    for (int i = 0; status == AM_OK && i < POINTS; i++)
        printf("lambda %.2e   loss %.4f   accuracy %.4f\n", lambda[i], at[i].nll, at[i].accuracy);
    if (status == AM_OK)
        status = am_tune(model, NULL, &choice, NULL, err);
    if (status == AM_OK)
        printf("chosen lambda %.2e\n", choice.lambda[0]);
    if (status == AM_OK && out != NULL)
        status = am_export(model, choice.lambda, NULL, out, err);
    am_model_free(model);
    return status;
}

int main(int argc, char **argv)
{
    am_error err = {AM_OK, ""};
    am_device *device = NULL;
    am_dataset *data = NULL;
    am_data_options source;
    am_data_options_default(&source, sizeof source);
    source.source = argc > 1 ? argv[1] : "mnist";

    am_status status = am_device_open("auto", 0, NULL, &device, &err);
    if (status == AM_OK)
        status = am_dataset_load(&source, &data, &err);
    if (status == AM_OK)
        status = run(device, data, argc > 2 ? argv[2] : NULL, &err);
    if (status != AM_OK)
        fprintf(stderr, "minimal: %s\n", err.message);
    am_dataset_free(data);
    am_device_close(device);
    return status == AM_OK ? 0 : 1;
}
