/* ood — how well a score tells rows from elsewhere (out of distribution, OOD) from those of a model's
 * own kind. Higher score = more OOD, and OOD is the positive class. */
#ifndef AM_OOD_H
#define AM_OOD_H

#include "base/base.h"

typedef struct {
    /* Chance that an OOD row scores higher than one of the model's own, ties counting half
     * (Mann–Whitney, by midranks). */
    double auroc;
    /* Average precision Σ_k (R_k − R_{k−1})·P_k over the distinct scores: with OOD positive, and with
     * the model's own rows positive and the scores negated. */
    double aupr_ood, aupr_own;
    /* Share of the model's own rows at or above the highest score that at least 95 % of the OOD rows
     * reach: the false alarms at a true positive rate of 95 %. */
    double fpr95;
} detection;

/* own (n) and ood (m): finite scores, n and m at least 1. */
am_status detection_compute(const double *own, int64_t n, const double *ood, int64_t m,
                            detection *d, am_error *err);

/* The receiver operating characteristic as a line: both rates from (0,0) to (1,1), thinned to points at
 * least 1/256 apart. */
enum { ROC_POINTS = 2 * 256 + 3 };
am_status detection_roc(const double *own, int64_t n, const double *ood, int64_t m, double *fpr,
                        double *tpr, int *points, am_error *err);

#endif
