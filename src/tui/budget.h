/* budget.h -- so many bytes a second and no more, in any second: a fifth of them may go at once, and what went
 * comes back at four fifths a second.
 *
 *     budget_reckon(&b, 2000, now, sent_since_the_last_time);
 *     double later = budget_waits(&b);           // seconds; 0: now,
 *     if (later <= 0)
 *         send(at_most = budget_may(&b));        // so many bytes
 *
 * A thing that cannot be cut may take more: nothing goes until it is paid for. */
#ifndef LATHE_TUI_BUDGET_H
#define LATHE_TUI_BUDGET_H

#include <lathe/base.h>

typedef struct Budget {
    double a_second;   /* bytes, 200 or more; 0: any number */
    double credit, at; /* bytes that may go, below 0 when more went; when that was reckoned */
} Budget;

void budget_reckon(Budget *b, double a_second, double now, size_t sent);
double budget_waits(const Budget *b);
size_t budget_may(const Budget *b); /* SIZE_MAX: any number */

#endif
