/* auditing — the audit of a session's generator as the settings ask for it. */
#ifndef AM_CLI_AUDITING_H
#define AM_CLI_AUDITING_H

#include "cli/session.h"
#include "tune/audit.h"

/* What is wrong with --lambda-points and --cache, before any work. */
am_status audit_check_options(const settings *set, am_error *err);

/* What the refits of an audit cost. */
typedef struct {
    int found, trained; /* in the cache, and not */
    double seconds;     /* of training them all, whenever it was */
    char *folder;       /* where they are kept, or NULL; owned */
} audit_cost;

/* Audits the session's generator with D = `draws`, with progress; r and cost are the caller's to
 * free. The session's data must be open. */
am_status audit_session(session *s, const settings *set, int draws, audit_result *r,
                        audit_cost *cost, am_error *err);
void audit_cost_free(audit_cost *cost); /* safe on a zeroed one */

#endif
