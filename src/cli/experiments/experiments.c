#include "cli/experiments/experiments.h"

#include <string.h>

const experiment experiment_table[] = {
    {"mnist", "tuning curve, chosen λ, refits and ledger on MNIST",
     "networks posterior protocol dataset refits audit lambda-points repeats cache epochs "
     "minibatches path lambda-knee blocks response-draws points "
     "draws select metric plot resume checkpoint-seconds",
     .run = experiment_mnist, .backend = true},
    {"toy", "weighted ridge: a generator trained on labels, and by its criterion",
     "reference replications", .run = experiment_toy},
    {"ridge", "choice of λ by GCV, cross-validation and generators", "reference replications",
     .run = experiment_ridge},
    {"double-descent", "GCV and test risk across the interpolation threshold", "replications",
     .run = experiment_double_descent},
    {"student-t", "degrees of freedom, location and scale with their bootstrap posterior",
     "reference replications", .run = experiment_student_t},
    {"quantile", "quantile regression for every quantile and penalty from one generator", "",
     .run = experiment_quantile},
    {"svm", "support vector machine by data augmentation and one generator, λ by ECME", "dataset",
     .run = experiment_svm},
    {.name = NULL},
};

const experiment *experiment_find(const char *name)
{
    for (const experiment *e = experiment_table; e->name != NULL; e++)
        if (strcmp(name, e->name) == 0)
            return e;
    return NULL;
}

bool experiment_takes(const experiment *e, const char *option)
{
    size_t length = strlen(option);
    for (const char *word = e->options; *word != '\0';) {
        size_t size = strcspn(word, " ");
        if (size == length && strncmp(word, option, size) == 0)
            return true;
        word += size + strspn(word + size, " ");
    }
    return false;
}
