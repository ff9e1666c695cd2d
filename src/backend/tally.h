/* tally — a backend that allocates nothing and counts what another would, so that a run can be held
 * against the free memory before any of it is allocated: open the run's parts on a tally, then check.
 *
 * Its addresses can be offset but stand for no memory, its transfers move nothing (downloads give
 * zeros), and it has no op that computes: for opening and closing only. */
#ifndef AM_TALLY_H
#define AM_TALLY_H

#include "backend/backend.h"

am_status tally_open(backend **be, am_error *err);
/* Bytes allocated and not yet released: all, or those of one purpose (`what` of alloc). */
size_t tally_bytes(const backend *tally, const char *what);
/* AM_ERR_MEMORY where `be` has less free memory than is allocated on the tally; the message names
 * the task, what is needed and free, the largest part and what to lower. */
am_status tally_check(const backend *tally, backend *be, const char *task, am_error *err);

#endif
