/* gbdt_importance.c -- which columns the trees use: how much their splits gained, how many there are,
 * and how much of the training rows' curvature passed through them. */
#include "gbdt_int.h"

void forest_importance(const Forest *f, Importance *out)
{
    for (size_t node = 0; node < f->field[0].count; node++) {
        float feature = f->field[NODE_FEATURE].at[node];
        if (feature < 0.0f)
            continue;
        Importance *i = &out[(size_t)feature];
        i->gain += (double)f->field[NODE_GAIN].at[node];
        i->cover += (double)f->field[NODE_COVER].at[node];
        i->splits++;
    }
}
