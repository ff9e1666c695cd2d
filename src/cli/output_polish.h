/* output_polish — polished networks for people and machines: scores before and after, and how many
 * steps make them as good as refits from scratch. */
#ifndef AM_OUTPUT_POLISH_H
#define AM_OUTPUT_POLISH_H

#include "cli/output.h"
#include "tune/parity.h"

typedef struct {
    selection choice;       /* the λ */
    polish_request request; /* borrows the draws */
    double seconds;
    network_scores before, after; /* owned */
    parity_refits refits;         /* steps: what shares are of */
    bool compared;                /* parity was looked for */
    parity parity;
} polish_result;

am_status output_polish_print(const polish_result *r, FILE *stream, am_error *err);
cJSON *output_polish_json(const polish_result *r);
/* polish.csv, a row for every draw with means over its networks, and polish.json in the folder. */
am_status output_polish_files(const polish_result *r, const char *folder, am_error *err);

#endif
