/* clean_suggest.c -- rules the data ask for: found in the profile of the dataset, and counted or made sure of in
 * its rows, on a job's thread. Each is a line of the recipe language, so taking one is the same as typing it. */
#include "clean_suggest.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOSTLY_MISSING 0.6
#define SIGMAS         6
#define CODES_MOST     10

void suggestion_add(Suggestions *s, const char *kind, bool first, const char *rule, const char *why)
{
    vec_add(&s->list, ((Suggestion){.kind = kind,
                                    .rule = arena_text(&s->arena, rule),
                                    .why = arena_text(&s->arena, why),
                                    .first = first}));
}

void suggestions_free(void *suggestions)
{
    Suggestions *s = suggestions;
    if (!s)
        return;
    vec_release(&s->list);
    arena_release(&s->arena);
    mem_free(s);
}

/* "drop column FARE", and the rest as printf has it. */
static const char *rule_of(Suggestions *s, const char *verb, const char *column, const char *rest)
{
    Text t = {0};
    text_puts(&t, verb);
    recipe_add_name(column, &t);
    text_puts(&t, rest);
    const char *rule = arena_text(&s->arena, text_str(&t));
    text_release(&t);
    return rule;
}

static bool is_number(const Field *f)
{
    return f->type == COLUMN_INT || f->type == COLUMN_REAL;
}

/* ---- columns that say nothing ------------------------------------------------------------------------ */

static bool says_nothing(Suggestions *s, const ColumnProfile *p, const Field *f)
{
    char why[160];
    if (p->count < 2 || (p->distinct > 1 && p->missing < p->count))
        return false;
    if (p->missing == p->count)
        snprintf(why, sizeof why, "no row has a value");
    else if (p->missing)
        snprintf(why, sizeof why, "every value is the same%s%.60s, the others are missing", p->tops ? ": " : "",
                 p->tops ? p->top[0].value : "");
    else
        snprintf(why, sizeof why, "every row has the same value%s%.60s", p->tops ? ": " : "",
                 p->tops ? p->top[0].value : "");
    suggestion_add(s, "constant column", false, rule_of(s, "drop column ", f->name, ""), why);
    return true;
}

static bool find_same(Suggestions *s, const SuggestAsk *ask, Pool *pool, Progress *progress, Error *err)
{
    const Schema *schema = ask->schema;
    SameColumn *same;
    size_t n;
    char why[200];
    if (!scan_same(ask->data, pool, progress, &same, &n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        const Field *drop = &schema->field[same[i].column], *stays = &schema->field[same[i].as];
        const ColumnProfile *p = profile_find(dataset_profile(ask->data), drop->name);
        if (drop->role == ROLE_IGNORE || stays->role == ROLE_IGNORE || !p || p->distinct <= 1)
            continue;
        if (drop->role == ROLE_TARGET) {
            const Field *other = drop;
            drop = stays;
            stays = other;
        }
        snprintf(why, sizeof why, "the same as %.80s in every row%s", stays->name,
                 stays->role == ROLE_TARGET ? ", the target: it gives the answer away" : "");
        suggestion_add(s, "identical columns", false, rule_of(s, "drop column ", drop->name, ""), why);
    }
    mem_free(same);
    return true;
}

/* A few whole numbers stand for something: the one between two of them would be a third thing. */
static bool is_code(const ColumnProfile *p, const Field *f)
{
    return f->type == COLUMN_INT && p->distinct <= CODES_MOST;
}

/* ---- missing values ------------------------------------------------------------------------------------ */

static void find_missing(Suggestions *s, const ColumnProfile *p, const Field *f)
{
    double share = p->count ? (double)p->missing / (double)p->count : 0;
    Text why = {0};
    if (!p->missing)
        return;
    text_add_count(&why, (double)p->missing);
    text_printf(&why, share < 0.0005 ? " of its values are missing" : " of its values are missing (%.*f%%)",
                share < 0.1 ? 1 : 0, share * 100);
    if (f->role == ROLE_TARGET) {
        text_reset(&why);
        text_puts(&why, "the target is missing in ");
        text_add_count(&why, (double)p->missing);
        text_puts(&why, p->missing == 1 ? " row" : " rows");
        suggestion_add(s, "missing", false, rule_of(s, "drop missing ", f->name, ""), text_str(&why));
    } else if (share > MOSTLY_MISSING) {
        suggestion_add(s, "missing", false, rule_of(s, "drop column ", f->name, ""), text_str(&why));
    } else {
        suggestion_add(s, "missing", false, rule_of(s, "impute ", f->name, is_number(f) && !is_code(p, f) ? " median" : " mode"),
                       text_str(&why));
    }
    text_release(&why);
}

/* -1, -9, -99, -999 ... and 99, 999, 9999 ...: numbers that people write where there is none. */
static bool is_sentinel(double v)
{
    if (v == -1)
        return true;
    for (double nines = v < 0 ? 9 : 99; nines < 1e9; nines = nines * 10 + 9)
        if (fabs(v) == nines)
            return true;
    return false;
}

/* At an end of the range, with no other value in that half of it: how many there are; 0: it does not stand alone.
 * Of whole numbers -1 does as well where no other is below zero. */
static uint64_t alone(const ColumnProfile *p, const Field *f, bool low)
{
    uint64_t n = p->bin[low ? 0 : PROFILE_BINS - 1];
    if (low && p->least == -1)
        return f->type == COLUMN_INT ? p->negatives : 0;
    for (size_t i = 1; i < PROFILE_BINS / 2; i++)
        if (p->bin[low ? i : PROFILE_BINS - 1 - i])
            return 0;
    return n;
}

/* Whether the column has such numbers: then its outliers are these. */
static bool find_sentinel(Suggestions *s, const ColumnProfile *p, const Field *f)
{
    bool found = false;
    for (int low = 1; low >= 0 && is_number(f) && p->distinct > 10; low--) {
        double v = low ? p->least : p->most;
        uint64_t n = is_sentinel(v) ? alone(p, f, low) : 0;
        char rest[80];
        Text why = {0};
        if (n < 2)
            continue;
        snprintf(rest, sizeof rest, " %.0f null", v);
        text_add_count(&why, (double)n);
        text_printf(&why, " values look like missing: %.0f", v);
        suggestion_add(s, "look missing", true, rule_of(s, "replace ", f->name, rest), text_str(&why));
        text_release(&why);
        found = true;
    }
    return found;
}

/* ---- outliers ---------------------------------------------------------------------------------------------- */

/* Four digits that count, and never 1e+06. A bound is rounded away from what it holds. */
typedef enum Round { ROUND_DOWN, ROUND_NEAREST, ROUND_UP } Round;
static void add_plain(double v, Round way, bool whole, Text *into)
{
    int places = v == 0 ? 0 : 3 - (int)floor(log10(fabs(v)));
    places = whole && places > 0 ? 0 : places < 15 ? places : 15;
    double unit = pow(10, -places), x = v / unit;
    x = (way == ROUND_UP ? ceil(x - 1e-9) : way == ROUND_DOWN ? floor(x + 1e-9) : nearbyint(x)) * unit;
    char text[400];
    size_t n = (size_t)snprintf(text, sizeof text, "%.*f", places > 0 ? places : 0, x == 0 ? 0.0 : x);
    while (places > 0 && text[n - 1] == '0')
        n--;
    text_add(into, text, n - (places > 0 && text[n - 1] == '.'));
}

/* Beyond six deviations from the mean, or, where outliers themselves make the deviation large, beyond three
 * times the width of the middle 98 %. False: it has none. */
static bool outlier_range(const ColumnProfile *p, size_t column, Range *out)
{
    double low = p->quantile[1], high = p->quantile[99], wide = 3 * (high - low), reach = SIGMAS * p->deviation;
    if (!p->numeric || p->distinct < 20 || !(p->deviation > 0))
        return false;
    *out = (Range){.column = column, .low = p->mean - reach, .high = p->mean + reach};
    if (wide > 0) {
        out->low = fmax(out->low, low - wide);
        out->high = fmin(out->high, high + wide);
    }
    return p->least < out->low || p->most > out->high;
}

static void tell_outliers(Suggestions *s, const ColumnProfile *p, const Field *f, const Range *r)
{
    Text rest = {0}, why = {0};
    uint64_t n = r->below + r->above;
    bool sigma = r->low <= p->mean - SIGMAS * p->deviation * 0.999 && r->high >= p->mean + SIGMAS * p->deviation * 0.999;
    if (!n)
        return;
    text_putc(&rest, ' ');
    add_plain(r->below ? r->low : p->least, ROUND_DOWN, f->type == COLUMN_INT, &rest);
    text_putc(&rest, ' ');
    add_plain(r->above ? r->high : p->most, ROUND_UP, f->type == COLUMN_INT, &rest);
    text_add_count(&why, (double)n);
    text_puts(&why, n == 1 ? " value" : " values");
    if (sigma)
        text_printf(&why, " beyond %d sigma, ", SIGMAS);
    else
        text_puts(&why, " far beyond the other 98%, ");
    text_puts(&why, r->below && r->above ? "from " : r->below ? "down to " : "up to ");
    if (r->below)
        add_plain(p->least, ROUND_NEAREST, false, &why);
    if (r->below && r->above)
        text_puts(&why, " to ");
    if (r->above)
        add_plain(p->most, ROUND_NEAREST, false, &why);
    suggestion_add(s, "outliers", false, rule_of(s, "clip ", f->name, text_str(&rest)), text_str(&why));
    text_release(&rest);
    text_release(&why);
}

static bool find_outliers(Suggestions *s, const SuggestAsk *ask, const bool *left_out, Pool *pool, Progress *progress,
                          Error *err)
{
    const Profile *profile = dataset_profile(ask->data);
    VEC(Range) ranges = {0};
    Range one;
    for (size_t i = 0; i < ask->schema->count; i++) {
        const Field *f = &ask->schema->field[i];
        const ColumnProfile *p = profile_find(profile, f->name);
        if (p && !left_out[i] && is_number(f) && f->role != ROLE_ID && outlier_range(p, i, &one))
            vec_add(&ranges, one);
    }
    bool ok = scan_beyond(ask->data, ranges.at, ranges.count, pool, progress, err);
    for (size_t k = 0; ok && k < ranges.count; k++) {
        const Field *f = &ask->schema->field[ranges.at[k].column];
        tell_outliers(s, profile_find(profile, f->name), f, &ranges.at[k]);
    }
    vec_release(&ranges);
    return ok;
}

/* ---- all ----------------------------------------------------------------------------------------------------- */

static bool find_all(Suggestions *s, const SuggestAsk *ask, bool *left_out, Pool *pool, Progress *progress, Error *err)
{
    const Profile *profile = dataset_profile(ask->data);
    if (!find_same(s, ask, pool, progress, err))
        return false;
    for (size_t i = 0; i < ask->schema->count; i++) {
        const Field *f = &ask->schema->field[i];
        const ColumnProfile *p = profile_find(profile, f->name);
        left_out[i] = !p || f->role == ROLE_IGNORE || says_nothing(s, p, f);
        if (left_out[i])
            continue;
        if (f->type == COLUMN_TEXT && !find_words(s, ask, p, i, pool, progress, err))
            return false;
        left_out[i] = find_sentinel(s, p, f);
        find_missing(s, p, f);
    }
    return find_outliers(s, ask, left_out, pool, progress, err);
}

Suggestions *suggestions_find(const SuggestAsk *ask, Pool *pool, Progress *progress, Error *err)
{
    Suggestions *s = mem_alloc(sizeof *s);
    bool *left_out = mem_alloc((ask->schema->count + 1) * sizeof *left_out);
    if (dataset_profile(ask->data) && !find_all(s, ask, left_out, pool, progress, err)) {
        suggestions_free(s);
        s = NULL;
    }
    mem_free(left_out);
    return s;
}
