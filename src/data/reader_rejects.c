/* reader_rejects.c -- rows that are not in the table: told with line and reason, once, and counted;
 * and values that a wider type would hold, noted for the next pass. */
#include "reader_int.h"

#include <inttypes.h>
#include <stdio.h>

void reader_tell(Reader *r, uint64_t line, const char *reason, const char *text, size_t n)
{
    r->rejects++;
    if (!r->first_reject[0])
        snprintf(r->first_reject, sizeof r->first_reject, "line %" PRIu64 ": %s", line, reason);
    if (r->misfits || (r->part == r->told_part && line <= r->told_line) || r->part < r->told_part)
        return; /* told in an earlier pass, or will be in the next */
    r->told_part = r->part;
    r->told_line = line;
    if (r->on_reject)
        r->on_reject(r->context, &(Reject){line, reason, text, n < 4096 ? n : 4096});
}

void reader_tell_all(Reader *r, const Block *b)
{
    const Grid *g = &b->grid;
    size_t at = b->base;
    uint64_t line = r->line;
    Text reason = {0};
    for (size_t i = 0; i < g->bad.count; i++) {
        const BadRow *bad = &g->bad.at[i];
        line += csv_lines(g->base + at, bad->row.at - at);
        at = bad->row.at;
        text_reset(&reason);
        if (r->parts.count > 1)
            text_printf(&reason, "%s: ", r->parts.at[r->part]);
        block_reason(bad, &r->plan, g->base + at, &reason);
        reader_tell(r, line, text_str(&reason), g->base + at, bad->row.size);
    }
    text_release(&reason);
}

void reader_note_misfits(Reader *r, const Block *b)
{
    for (size_t c = 0; b->misfit && r->plan.widen && c < r->plan.columns; c++) {
        const Misfit *m = &b->misfit[c];
        if (!m->count || r->plan.column[c].fixed)
            continue;
        r->misfits = true;
        Misfit *all = &r->misfit[c];
        if (!all->count) {
            r->misfit_line[c] = r->line + csv_lines(b->grid.base + b->base, m->at - b->base);
            all->kinds = m->kinds;
        }
        all->kinds &= m->kinds;
        all->count += m->count;
    }
}

bool reader_within_limit(const Reader *r, Error *err)
{
    double all = (double)(r->rows + r->rejects), limit = r->options.reject_limit;
    if ((double)r->rejects <= limit * all)
        return true;
    return error_set(err, ERROR_PARSE,
                     "%s: %" PRIu64 " of %.0f rows are bad, more than reject_limit=%g allows; "
                     "the first: %s",
                     reader_where(r), r->rejects, all, limit, r->first_reject);
}
