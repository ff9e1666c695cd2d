#include "tune/tune.h"

void ledger_close(ledger *l)
{
    double amortised = l->fit + l->curve;
    l->break_even = amortised / l->refit;
    l->speedup_one_by_one = (double)l->points * l->refit / amortised;
    l->speedup_batched = l->refits_batched / amortised;
}
