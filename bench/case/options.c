#include "case.h"

#include <stddef.h>
#include <string.h>

const char case_usage[] =
    "bench_case [--device cpu|cuda] [--threads N] [--data mnist] [--validation V]\n"
    "           [--response-nodes N] [--response-snapshots S] [--response-rows N]\n"
    "           [--response-inputs Q] [--response-components Q] [--response-iterations I]\n"
    "           [options of amortune fit]\n"
    "Then, a line each on stdin, answered by a line of JSON each:\n"
    "  fit STEPS | curve | surface DRAWS | refits MODELS STEPS | ceilings\n";

typedef enum { TEXT, REAL, INT } option_kind;

typedef struct {
    const char *name;
    option_kind kind;
    size_t at;
} case_option;

#define OWN(member) offsetof(case_options, member)
#define FIT(member) offsetof(case_options, fit.member)
static const case_option table[] = {
    {"device", TEXT, OWN(device)},
    {"data", TEXT, OWN(data)},
    {"threads", INT, OWN(threads)},
    {"validation", REAL, OWN(validation)},
    {"response-nodes", INT, OWN(response_nodes)},
    {"response-snapshots", INT, OWN(response_snapshots)},
    {"response-rows", INT, OWN(response_rows)},
    {"response-inputs", INT, OWN(response_inputs)},
    {"response-components", INT, OWN(response_components)},
    {"response-iterations", INT, OWN(response_iterations)},
    {"target", TEXT, FIT(target)},
    {"features", TEXT, FIT(features)},
    {"path", TEXT, FIT(path)},
    {"lambda-knee", REAL, FIT(lambda_knee)},
    {"init", TEXT, FIT(init)},
    {"weights", TEXT, FIT(weights)},
    {"blocks", INT, FIT(blocks)},
    {"posterior", TEXT, FIT(posterior)},
    {"descent", TEXT, FIT(descent)},
    {"plan", TEXT, FIT(plan)},
    {"nodes", TEXT, FIT(nodes)},
    {"draws", INT, FIT(draws)},
    {"minibatches", INT, FIT(minibatches)},
    {"batch", INT, FIT(batch)},
    {"epochs", REAL, FIT(epochs)},
    {"rate", REAL, FIT(rate)},
    {"schedule", TEXT, FIT(schedule)},
    {"warmup", INT, FIT(warmup)},
    {"beta1", REAL, FIT(beta1)},
    {"beta2", REAL, FIT(beta2)},
    {"seed", INT, FIT(seed)},
};

static bool take(const case_option *option, const char *word, case_options *o)
{
    char *at = (char *)o + option->at;
    int64_t whole;
    double real;
    switch (option->kind) {
    case TEXT:
        memcpy(at, &word, sizeof word);
        return true;
    case REAL:
        if (!am_parse_double(word, &real))
            return false;
        memcpy(at, &real, sizeof real);
        return true;
    default:
        if (!am_parse_int(word, &whole))
            return false;
        memcpy(at, &whole, sizeof whole);
        return true;
    }
}

bool case_parse(int count, char **word, case_options *o)
{
    *o = (case_options){.device = "cpu", .data = "mnist", .validation = 1.0 / 6};
    am_fit_options_default(&o->fit, sizeof o->fit);
    for (int i = 1; i < count; i += 2) {
        size_t t = 0;
        while (t < sizeof table / sizeof *table &&
               (strncmp(word[i], "--", 2) != 0 || strcmp(word[i] + 2, table[t].name) != 0))
            t++;
        if (t == sizeof table / sizeof *table || i + 1 == count || !take(&table[t], word[i + 1], o))
            return false;
    }
    return true;
}
