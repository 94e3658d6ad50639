/* budget.c -- so many bytes a second and no more. See budget.h. */
#include "budget.h"

#include <math.h>

/* What went at once and what comes back within a second are together a second's bytes. */
static double at_once(const Budget *b)
{
    return fmax(0.2 * b->a_second, 110); /* a cell in a place and a look of its own is 80 */
}

static double back(const Budget *b)
{
    return b->a_second - at_once(b);
}

void budget_reckon(Budget *b, double a_second, double now, size_t sent)
{
    if (b->a_second != a_second)
        *b = (Budget){.a_second = a_second, .at = now};
    b->credit = fmin(b->credit - (double)sent + (now - b->at) * back(b), at_once(b));
    b->at = now;
}

/* Little is not worth a frame: it would be all moves of the cursor. */
double budget_waits(const Budget *b)
{
    double lacks = 0.75 * at_once(b) - b->credit;
    return b->a_second > 0 && lacks > 0 ? lacks / back(b) : 0;
}

size_t budget_may(const Budget *b)
{
    return b->a_second > 0 ? (size_t)fmax(0, b->credit) : SIZE_MAX;
}
