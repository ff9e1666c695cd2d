#include "cli/auditing.h"

#include "api/auditing.h"
#include "api/sampling.h"

#include <stdlib.h>
#include <string.h>

/* ---- options --------------------------------------------------------------------------------- */

/* Reads "L,L,…"; *count numbers. */
static am_status read_points(const char *text, double lambda[AUDIT_MOST_LAMBDAS], int *count,
                             am_error *err)
{
    *count = 0;
    for (const char *at = text; at != NULL;) {
        char word[64];
        size_t length = strcspn(at, ",");
        if (*count == AUDIT_MOST_LAMBDAS)
            return am_fail(err, AM_ERR_USAGE, "--lambda-points %s: more than %d; give fewer", text,
                           AUDIT_MOST_LAMBDAS);
        (void)snprintf(word, sizeof word, "%.*s", (int)AM_MIN(length, sizeof word - 1), at);
        if (length >= sizeof word || !am_parse_double(word, &lambda[*count]) ||
            !(lambda[*count] > 0))
            return am_fail(err, AM_ERR_USAGE,
                           "--lambda-points %s: '%s' is no positive number; give some parted by "
                           "commas, as in 1e-5,1e-3",
                           text, word);
        (*count)++;
        at = at[length] == ',' ? at + length + 1 : NULL;
    }
    return AM_OK;
}

static am_status lambda_points(const session *s, const settings *set,
                               double lambda[AUDIT_MOST_LAMBDAS], int *count, am_error *err)
{
    const generator_spec *spec = &s->record.spec;
    *count = auditing_places(spec, lambda);
    if (set->lambda_points == NULL)
        return AM_OK;
    AM_TRY(read_points(set->lambda_points, lambda, count, err));
    for (int i = 0; i < *count; i++)
        if (!(lambda[i] >= spec->lambda_low && lambda[i] <= spec->lambda_high))
            return am_fail(err, AM_ERR_USAGE,
                           "--lambda-points %g: outside the range %g:%g that the model was fitted "
                           "on; give values inside",
                           lambda[i], spec->lambda_low, spec->lambda_high);
    return AM_OK;
}

am_status audit_check_options(const settings *set, am_error *err)
{
    double lambda[AUDIT_MOST_LAMBDAS];
    int count;
    if (set->lambda_points != NULL)
        AM_TRY(read_points(set->lambda_points, lambda, &count, err));
    if (set->cache != NULL && strcmp(set->cache, "none") != 0)
        AM_TRY(am_check_writable(set->cache, err));
    return AM_OK;
}

/* ---- the cache ------------------------------------------------------------------------------- */

/* $XDG_CACHE_HOME/amortune, ~/.cache/amortune, or NULL. A relative path there is to be ignored (XDG
 * Base Directory Specification). */
static char *user_cache(void)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache != NULL && cache[0] == '/')
        return am_format("%s/amortune", cache);
    return home != NULL && home[0] == '/' ? am_format("%s/.cache/amortune", home) : NULL;
}

static char *cache_folder(const settings *set, am_error *err)
{
    am_error unwritable = {0};
    if (set->cache != NULL)
        return strcmp(set->cache, "none") != 0 ? am_strdup(set->cache, err) : NULL;
    char *folder = user_cache();
    if (folder != NULL && am_check_writable(folder, &unwritable) == AM_OK)
        return folder;
    progress_note(set, "%s; refits are not kept, give --cache FOLDER",
                  folder != NULL ? unwritable.message : "no cache folder: HOME is not set");
    free(folder);
    return NULL;
}

static void show_note(void *context, const char *text)
{
    progress_note(context, "%s", text);
}

/* ---- the audit ------------------------------------------------------------------------------- */

static am_status run(session *s, const settings *set, const audit_request *q, audit_result *r,
                     am_error *err)
{
    audit_request request = *q;
    progress shown = {0};
    progress_note(set, "audit: %d refits of %lld steps, kept in %s", audit_refits(q),
                  (long long)q->steps, q->cache->folder != NULL ? q->cache->folder : "no cache");
    train_hooks hooks = progress_hooks(&shown, set, NULL);
    posterior_request sample = sampling_request(s, q->lambda, q->draws);
    request.sample = &sample;
    request.hooks = &hooks;
    am_status status = audit_run(&request, r, err);
    progress_end(&shown);
    return status;
}

am_status audit_session(session *s, const settings *set, int draws, audit_result *r,
                        audit_cost *cost, am_error *err)
{
    char digest[17];
    double lambda[AUDIT_MOST_LAMBDAS];
    *r = (audit_result){0};
    *cost = (audit_cost){0};
    refit_cache cache = {.data = digest,
                         .precision = set->precision,
                         .note = show_note,
                         .context = (void *)(uintptr_t)set};
    audit_request q = auditing_request(s);
    q.points = (int)set->points;
    q.repeats = (int)set->repeats;
    q.draws = draws;
    q.lambda = lambda;
    q.seed = (uint64_t)set->seed;
    q.cache = &cache;
    AM_TRY(lambda_points(s, set, lambda, &q.lambdas, err));
    refit_cache_digest(&s->data->train, s->block, digest);
    cost->folder = cache_folder(set, err);
    cache.folder = cost->folder;
    am_status status = err->status != AM_OK ? err->status : run(s, set, &q, r, err);
    cost->found = cache.found;
    cost->trained = cache.trained;
    cost->seconds = cache.seconds;
    return status;
}

void audit_cost_free(audit_cost *cost)
{
    free(cost->folder);
    *cost = (audit_cost){0};
}
