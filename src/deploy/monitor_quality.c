/* monitor_quality.c -- is what comes what it should be? Values that are missing more often than they were, words
 * that were never seen, rows that a rule drops, and the recipe's `expect` rules.
 *
 * A share alarms when it lies above the reference's by more than three deviations of a share of so many rows, and
 * by a hundredth at least: one row in a small chunk is no news. */
#include "watch_int.h"

#include <math.h>
#include <string.h>

#define LEAST_MORE 0.01

static double bound(double share, size_t n)
{
    return share + fmax(LEAST_MORE, 3 * sqrt(share * (1 - share) / (double)(n ? n : 1)));
}

static void add(JudgedList *out, const char *column, const char *test, double value, double high, double weight,
                const char *subject, const char *text)
{
    vec_add(&out->at, (Judged){.point = {.kind = "quality", .column = column, .test = test, .value = value,
                                         .low = (double)NAN, .high = high, .truth = (double)NAN, .weight = weight,
                                         .detail = "", .alarm = value > high},
                               .subject = subject, .text = text});
}

static void missing_values(const WatchModel *m, const WatchInput *in, const Column *c, Arena *a, JudgedList *out)
{
    size_t n = 0;
    for (size_t i = 0; i < c->rows; i++)
        n += !column_has(c, i);
    double share = (double)n / (double)c->rows, high = bound(in->missing, c->rows);
    if (share > 0 || in->missing > 0)
        add(out, in->name, "missing", share, high, in->weight, arena_printf(a, "%s: %s missing", m->label, in->name),
            arena_printf(a, "%s is missing in %.1f%% of the rows; it was in %.1f%%", in->name, share * 100,
                         in->missing * 100));
}

static void new_words(const WatchModel *m, const Chunk *raw, const WatchInput *in, const Column *c, Arena *a, JudgedList *out)
{
    size_t which = (size_t)(in - m->input), n = 0, example = SIZE_MAX;
    DriftMatrix x;
    if (in->type != COLUMN_TEXT || !in->words.count)
        return;
    watch_matrix(m, raw, &which, 1, a, &x);
    for (size_t i = 0; i < raw->rows; i++)
        if (x.column[0][i] >= (double)in->words.count) {
            n++;
            example = i;
        }
    if (!n)
        return;
    size_t size;
    const char *word = column_text(c, example, &size);
    double share = (double)n / (double)raw->rows;
    add(out, in->name, "new", share, LEAST_MORE, in->weight, arena_printf(a, "%s: %s new values", m->label, in->name),
        arena_printf(a, "%.1f%% of the rows have a %s that was never seen, like '%.*s'", share * 100, in->name,
                     size < 60 ? (int)size : 60, word));
}

static void dropped_rows(const WatchModel *m, const PredictionRow *rows, size_t n, Arena *a, JudgedList *out)
{
    size_t dropped = 0;
    for (size_t i = 0; i < n; i++)
        dropped += isnan(rows[i].output);
    double share = (double)dropped / (double)n;
    if (share > 0 || m->dropped > 0)
        add(out, "", "dropped", share, bound(m->dropped, n), 1, arena_printf(a, "%s: rows dropped", m->label),
            arena_printf(a, "%s gives no answer to %.1f%% of the rows; a rule drops them (it did %.1f%%)", m->label,
                         share * 100, m->dropped * 100));
}

/* The next recipe must not see the column of missing targets that a recipe leaves. */
static void without_target(const WatchModel *m, Chunk *c, Arena *a)
{
    Column *column = ARENA_NEW(a, Column, c->columns + 1);
    size_t n = 0;
    for (size_t i = 0; i < c->columns; i++)
        if (!text_equal(c->column[i].name, m->target))
            column[n++] = c->column[i];
    c->column = column;
    c->columns = n;
}

static bool expectations(const WatchModel *m, const Chunk *raw, Arena *a, JudgedList *out, Error *err)
{
    Chunk now = *raw;
    for (size_t i = 0; i < bundle_plans(m->bundle); i++) {
        Expectation *e;
        size_t n;
        Chunk next;
        if (!plan_expect(bundle_plan(m->bundle, i), &now, a, &e, &n, &next, err))
            return false;
        for (size_t k = 0; k < n; k++) {
            double share = e[k].judged ? (double)e[k].failed / (double)e[k].judged : 0;
            add(out, e[k].text, "expect", share, 1 - e[k].wanted, 1, arena_printf(a, "%s: %.120s", m->label, e[k].text),
                arena_printf(a, "'%.160s' does not hold for %.1f%% of the rows", e[k].text, share * 100));
        }
        now = next;
        without_target(m, &now, a);
    }
    return true;
}

bool monitor_quality(const WatchModel *m, const PredictionRow *rows, size_t n, const Chunk *raw, const bool *sent, Arena *a,
                     JudgedList *out, Error *err)
{
    const Schema *s = bundle_schema(m->bundle);
    for (size_t i = 0; m->reference && i < m->inputs; i++) {
        size_t at = schema_find(s, m->input[i].name);
        const Column *c = chunk_find(raw, m->input[i].name);
        if (!c || at == SIZE_MAX || !sent[at])
            continue;
        missing_values(m, &m->input[i], c, a, out);
        new_words(m, raw, &m->input[i], c, a, out);
    }
    dropped_rows(m, rows, n, a, out);
    return expectations(m, raw, a, out, err);
}
