/* Suggestions for misspelt names. */
#include "cli/option.h"

#include <string.h>

enum { LONGEST = 40 }; /* names beyond are near to nothing */

/* Optimal string alignment: d[i][j] is the distance of the first i bytes typed from the first j
 * known. d[i][j] = min(d[i−1][j] + 1, d[i][j−1] + 1, d[i−1][j−1] + [differ], d[i−2][j−2] + 1 if
 * swapped) */
int edit_distance(const char *typed, size_t length, const char *known)
{
    size_t width = strlen(known);
    if (length > LONGEST || width > LONGEST)
        return (int)AM_MAX(AM_MIN(length, (size_t)1 << 20), width);
    int d[LONGEST + 1][LONGEST + 1];
    for (size_t i = 0; i <= length; i++)
        d[i][0] = (int)i;
    for (size_t j = 0; j <= width; j++)
        d[0][j] = (int)j;
    for (size_t i = 1; i <= length; i++)
        for (size_t j = 1; j <= width; j++) {
            int best = d[i - 1][j - 1] + (typed[i - 1] != known[j - 1]);
            best = AM_MIN(best, d[i - 1][j] + 1);
            best = AM_MIN(best, d[i][j - 1] + 1);
            bool swapped =
                i > 1 && j > 1 && typed[i - 1] == known[j - 2] && typed[i - 2] == known[j - 1];
            d[i][j] = swapped ? AM_MIN(best, d[i - 2][j - 2] + 1) : best;
        }
    return d[length][width];
}

void suggestion_offer(suggestion *s, const char *known)
{
    int allowed = 1 + (int)(AM_MIN(s->length, (size_t)LONGEST) / 4);
    int distance = edit_distance(s->typed, s->length, known);
    /* An abbreviation is as good as the worst misspelling. */
    if (s->length >= 3 && strncmp(s->typed, known, s->length) == 0)
        distance = AM_MIN(distance, allowed);
    if (distance > allowed || (s->best != NULL && distance >= s->distance))
        return;
    s->best = known;
    s->distance = distance;
}
