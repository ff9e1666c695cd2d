/* am_uncertainty, am_detect. */
#include "api/model.h"
#include "api/options.h"
#include "api/outside.h"
#include "api/sampling.h"
#include "tune/ood.h"

#include <stdlib.h>

/* row (*n), fresh, of the rows that the draws are judged on. */
static am_status measure_own(const posterior_request *request, const model_set *set,
                             row_uncertainty **row, int64_t *n, am_error *err)
{
    *n = request->evaluation->data.n;
    *row = am_alloc((size_t)*n, sizeof **row, "uncertainty", err);
    if (*row == NULL)
        return AM_ERR_MEMORY;
    return uncertainty_measure(set, request->evaluation, 0, *row, err);
}

am_status am_uncertainty(am_model *model, const double *lambda, int draws, const am_dataset *data,
                         int64_t capacity, am_row_uncertainty *row, int64_t *rows, am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(model, "fit or load one");
    API_NEED(lambda, "give one λ for every penalty group");
    AM_TRY(options_int(draws, "draws", 2, 10000, err));
    AM_TRY(model_need_data(model, err));
    AM_TRY(model_check_draw(model, lambda, NULL, err));
    session *s = &model->s;
    AM_TRY(outside_check(s, data != NULL ? data->data : s->data, err));
    posterior_models m;
    row_uncertainty *measured = NULL;
    int64_t n = 0;
    posterior_request request = sampling_request(s, lambda, draws);
    AM_TRY(posterior_open(&request, &m, err));
    am_status status = data != NULL ? outside_measure(s, &m.set, data->data, &measured, &n, err)
                                    : measure_own(&request, &m.set, &measured, &n, err);
    posterior_close(&m);
    for (int64_t i = 0; status == AM_OK && row != NULL && i < AM_MIN(n, capacity); i++)
        row[i] = (am_row_uncertainty){.confidence = measured[i].confidence,
                                      .entropy = measured[i].entropy,
                                      .expected_entropy = measured[i].expected,
                                      .mutual_information = measured[i].information};
    if (rows != NULL)
        *rows = n;
    free(measured);
    return status;
}

am_status am_detect(const double *own_score, int64_t own_rows, const double *ood_score,
                    int64_t ood_rows, am_detection *detected, am_error *err)
{
    am_error own;
    err = api_error(err, &own);
    API_NEED(own_score, "give the scores of the model's own rows");
    API_NEED(ood_score, "give the scores of the other rows");
    API_NEED(detected, "give a place for the answer");
    detection d;
    AM_TRY(detection_compute(own_score, own_rows, ood_score, ood_rows, &d, err));
    *detected = (am_detection){d.auroc, d.aupr_ood, d.aupr_own, d.fpr95};
    return AM_OK;
}
