/* ood: hand-worked scores of two kinds of rows, with ties. */
#include "tune/ood.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static detection detect(const double *own, int64_t n, const double *ood, int64_t m)
{
    detection d;
    am_error err = {0};
    cr_assert_eq(detection_compute(own, n, ood, m, &d, &err), AM_OK, "%s", err.message);
    return d;
}

/* Nine pairs, of which (5, 4) alone is the wrong way round. From the top: 6 ood, 5 own, 4 ood, 3 ood,
 * 2 own, 1 own. */
Test(ood, ranks_without_ties)
{
    const double own[] = {1, 5, 2}, ood[] = {4, 6, 3};
    detection d = detect(own, 3, ood, 3);
    cr_expect_float_eq(d.auroc, 7.0 / 9.0, 1e-15);
    /* precision at each OOD row: 1/1, 2/3, 3/4 */
    cr_expect_float_eq(d.aupr_ood, (1.0 + 2.0 / 3.0 + 3.0 / 4.0) / 3.0, 1e-15);
    /* from the bottom, at each own row: 1/1, 2/2, 3/5 */
    cr_expect_float_eq(d.aupr_own, (1.0 + 1.0 + 3.0 / 5.0) / 3.0, 1e-15);
    cr_expect_float_eq(d.fpr95, 1.0 / 3.0, 1e-15); /* at 3, the score that all OOD rows reach */
}

/* Equal scores count half, and enter precision and recall together. */
Test(ood, ties_count_half)
{
    const double own[] = {1, 2, 2}, ood[] = {2, 3};
    detection d = detect(own, 3, ood, 2);
    /* pairs: 1<2, 1<3, 2=2, 2<3, 2=2, 2<3 */
    cr_expect_float_eq(d.auroc, 5.0 / 6.0, 1e-15);
    /* at 3: recall 1/2, precision 1; at 2: recall 1, precision 2/4 */
    cr_expect_float_eq(d.aupr_ood, 0.5 * 1.0 + 0.5 * 0.5, 1e-15);
    /* negated: at 1: recall 1/3, precision 1; at 2: recall 1, precision 3/4 */
    cr_expect_float_eq(d.aupr_own, 1.0 / 3.0 + 2.0 / 3.0 * 0.75, 1e-15);
    cr_expect_float_eq(d.fpr95, 2.0 / 3.0, 1e-15);
}

Test(ood, scores_that_say_all_and_nothing)
{
    const double low[] = {-2, -1, 0}, high[] = {1, 2}, same[] = {1, 1};
    detection all = detect(low, 3, high, 2), wrong = detect(high, 2, low, 3);
    cr_expect(all.auroc == 1 && all.aupr_ood == 1 && all.aupr_own == 1 && all.fpr95 == 0);
    cr_expect(wrong.auroc == 0 && wrong.fpr95 == 1);
    detection nothing = detect(same, 2, same, 2);
    cr_expect(nothing.auroc == 0.5 && nothing.aupr_ood == 0.5 && nothing.fpr95 == 1);
}

/* 100 OOD scores 1..100 in tenths of a point above own scores: 95 of them lie at 6 and above. */
Test(ood, false_alarms_where_95_of_100_are_found)
{
    double own[200], ood[100];
    for (int i = 0; i < 200; i++)
        own[i] = 0.1 * (i + 1); /* 0.1 .. 20 */
    for (int i = 0; i < 100; i++)
        ood[i] = i + 1.05;
    /* the 95th highest is 6.05: of the own rows 6.1 .. 20.0 are above it, 140 */
    cr_expect_float_eq(detect(own, 200, ood, 100).fpr95, 140.0 / 200.0, 1e-15);
}

/* The area under the line is the AUROC, whichever rows are many. */
Test(ood, roc_encloses_the_auroc)
{
    enum { OWN = 3000, OOD = 700 };
    static double own[OWN], ood[OOD];
    for (int i = 0; i < OWN; i++)
        own[i] = floor(fmod(i * 0.6180339887, 1.0) * 500.0); /* ties abound */
    for (int i = 0; i < OOD; i++)
        ood[i] = floor(fmod(i * 0.7548776662, 1.0) * 400.0) + 200.0;
    double fpr[ROC_POINTS], tpr[ROC_POINTS], area = 0.0;
    int points;
    am_error err = {0};
    cr_assert_eq(detection_roc(own, OWN, ood, OOD, fpr, tpr, &points, &err), AM_OK);
    cr_assert(points >= 2 && points <= ROC_POINTS);
    cr_expect(fpr[0] == 0 && tpr[0] == 0 && fpr[points - 1] == 1 && tpr[points - 1] == 1);
    for (int i = 1; i < points; i++) {
        cr_expect(fpr[i] >= fpr[i - 1] && tpr[i] >= tpr[i - 1]);
        area += (fpr[i] - fpr[i - 1]) * 0.5 * (tpr[i] + tpr[i - 1]);
    }
    /* thinned to points less than 2/256 apart, each piece's area is off by at most half their square */
    cr_expect_float_eq(area, detect(own, OWN, ood, OOD).auroc, 1e-2);
}

Test(ood, needs_finite_scores_of_both_kinds)
{
    const double good[] = {1, 2}, bad[] = {1, NAN};
    detection d;
    am_error err = {0};
    cr_expect_eq(detection_compute(good, 0, good, 2, &d, &err), AM_ERR_USAGE);
    cr_expect_eq(detection_compute(good, 2, good, 0, &d, &err), AM_ERR_USAGE);
    cr_expect_eq(detection_compute(good, 2, bad, 2, &d, &err), AM_ERR_USAGE);
    cr_expect(strstr(err.message, "not finite") != NULL, "%s", err.message);
}
