/* lagrange — ℓ_j(u) = Π_{i≠j} (u − v_i)/(v_j − v_i), the polynomial that is 1 at node v_j and 0 at the
 * others, the same bits on every backend. */
#ifndef AM_LAGRANGE_H
#define AM_LAGRANGE_H

#include "draw/philox.h" /* AM_HD */

static inline AM_HD double lagrange(const double *node, int nodes, int j, double u)
{
    double product = 1.0;
    for (int i = 0; i < nodes; i++)
        if (i != j)
            product *= (u - node[i]) / (node[j] - node[i]);
    return product;
}

#endif
