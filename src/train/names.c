#include "train/names.h"

#include <stddef.h>
#include <string.h>

const char *const activation_names[] = {"none", "relu", "tanh", NULL};
const char *const loss_names[] = {"cross-entropy", "squared", NULL};
const char *const omega_names[] = {"ones", "dirichlet", "exponential", "multinomial", "fold", NULL};
const char *const penalty_names[] = {"scalar", "layer", NULL};
const char *const init_names[] = {"residual", "paper", NULL};
const char *const mode_names[] = {"criterion", "supervised", "hybrid", NULL};
const char *const posterior_names[] = {"none", "implicit", NULL};
const char *const descent_names[] = {"gradient", "collocation", NULL};
const char *const plan_names[] = {"auto", "direct", "factored", NULL};
const char *const path_names[] = {"full", "coarse-to-fine", NULL};
const char *const node_names[] = {"stratified", "nodes", NULL};
const char *const schedule_names[] = {"constant", "cosine", NULL};
const char *const switch_names[] = {"false", "true", NULL};
const char *const precision_names[] = {"fp32", "tf32", "bf16", NULL};

int name_index(const char *const *names, const char *text)
{
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], text) == 0)
            return i;
    return -1;
}
