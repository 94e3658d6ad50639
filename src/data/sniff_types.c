/* sniff_types.c -- what the columns of a sample hold: types, null words, a header or none, the
 * decimal sign, the order of day and month. */
#include "reader_int.h"

#include <string.h>

#define NUMBERS (READ_BIT(READ_REAL) | READ_BIT(READ_AMOUNT))

/* What was seen in one column. Candidates for null words are kept out of the kinds. */
typedef struct Seen {
    unsigned kinds[2]; /* that fit every value, with decimal point and decimal comma */
    uint64_t values, candidates;
    unsigned words;    /* bit i: null_evidence[i] was there */
    unsigned truths;   /* bit i: the truth value of that number was there */
    uint64_t percents; /* values that end in a percent sign */
    uint64_t commas;   /* values in which a comma can only be decimal: 1,5 and 0,125 */
    uint64_t order[3]; /* values that are a date or time in this DateOrder */
} Seen;

static int evidence_word(const char *s, size_t n)
{
    for (int i = 0; null_evidence[i]; i++)
        if (strlen(null_evidence[i]) == n && !memcmp(null_evidence[i], s, n))
            return i;
    return -1;
}

/* Of a number when the comma is decimal: it cannot divide thousands. */
static bool sure_comma(const char *s, size_t n)
{
    const char *comma = memchr(s, ',', n);
    if (!comma)
        return false;
    size_t minus = n && *s == '-';
    return s + n - comma != 4 || s[minus] == '0' || comma == s + minus;
}

/* Whether the decimal sign can make a difference. */
static bool has_sign(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] == '.' || s[i] == ',')
            return true;
    return false;
}

/* evidence: words to look out for, none where the user has said what is missing. */
static void look_at(Seen *seen, const NullWords *always, const NullWords *evidence, const char *s,
                    size_t n)
{
    if (nullwords_has(always, s, n))
        return;
    int word = nullwords_has(evidence, s, n) ? evidence_word(s, n) : -1;
    if (word >= 0) {
        seen->words |= 1u << word;
        seen->candidates++;
        return;
    }
    unsigned kinds = value_kinds(s, n, '.');
    seen->values++;
    seen->kinds[0] &= kinds;
    if (seen->kinds[1])
        seen->kinds[1] &= has_sign(s, n) ? value_kinds(s, n, ',') : kinds;
    if (seen->kinds[1] & NUMBERS)
        seen->commas += sure_comma(s, n);
    if (kinds & READ_BIT(READ_BOOL))
        seen->truths |= 1u << value_truth(s, n);
    for (int i = 0; i < 3; i++)
        seen->order[i] += kinds >> (READ_TIME_YMD + i) & 1;
    seen->percents += n > 1 && s[n - 1] == '%';
}

/* Truth values are of one pair; and but for true and false, both must have been seen: F alone may be
 * a grade. */
static void settle_truths(Seen *seen, size_t columns)
{
    for (size_t c = 0; c < columns; c++) {
        unsigned t = seen[c].truths;
        bool bools = t == 1 || t == 2 || t == 3 || t == 12 || t == 48;
        for (int i = 0; i < 2 && !bools; i++)
            seen[c].kinds[i] &= ~READ_BIT(READ_BOOL);
    }
}

static void look_at_rows(const Sniff *s, const Grid *g, size_t first, const NullWords *evidence,
                         Seen *seen)
{
    for (size_t c = 0; c < g->columns; c++)
        for (size_t row = first; row < g->rows; row++) {
            Span span = grid_span(g, c, row);
            look_at(&seen[c], &s->text_null, evidence, grid_text(g, span), span.size);
        }
}

/* ---- header ---- */

/* Does the word stand again further down in its column? */
static bool seen_again(const Grid *g, size_t column, size_t rows)
{
    Span span = grid_span(g, column, 0);
    const char *first = grid_text(g, span);
    for (size_t row = 1; row < rows; row++) {
        Span s = grid_span(g, column, row);
        if (s.size == span.size && !memcmp(grid_text(g, s), first, s.size))
            return true;
    }
    return false;
}

/* Years side by side, one after the other, are names of columns. */
static bool has_years(const Grid *g)
{
    int64_t before = 0, year;
    size_t years = 0;
    for (size_t c = 0; c < g->columns; c++) {
        Span span = grid_span(g, c, 0);
        bool is_year = span.size == 4 && value_int(grid_text(g, span), 4, false, &year) &&
                       year >= 1800 && year <= 2200;
        years += is_year && (!years || year == before + 1);
        before = is_year ? year : 0;
    }
    return years >= 2;
}

static bool is_literal(const char *s, size_t n)
{
    int truth = value_truth(s, n);
    return truth == 0 || truth == 1;
}

/* The first row against the rest: it is a header if its fields do not fit columns that are typed,
 * none of them does, and no word of it comes again. */
static bool guess_header(const Sniff *s, const Grid *g, const Seen *rest)
{
    int fits = 0, differs = 0, again = 0, empty = 0;
    size_t rows = g->rows < 1000 ? g->rows : 1000;
    if (!g->rows)
        return true;
    for (size_t c = 0; c < g->columns; c++) {
        Span span = grid_span(g, c, 0);
        const char *text = grid_text(g, span);
        unsigned kinds = rest[c].values ? rest[c].kinds[0] | rest[c].kinds[1] : 0;
        unsigned own = value_kinds(text, span.size, '.') | value_kinds(text, span.size, ',');
        if (nullwords_has(&s->text_null, text, span.size))
            empty++;
        else if (kinds)
            *(own & kinds ? &fits : &differs) += 1;
        else if (own & ~READ_BIT(READ_BOOL) || is_literal(text, span.size))
            fits++; /* names are no numbers; but no, y and t are */
        else if (g->rows > 1 && seen_again(g, c, rows))
            again++;
    }
    if (fits || differs)
        return differs > fits || has_years(g);
    return again == 0 && empty * 2 <= (int)g->columns;
}

/* ---- decisions ---- */

static void choose_decimal(Sniff *s, const IngestOptions *o, const Seen *seen, size_t columns)
{
    int commas = 0, points = 0;
    for (size_t c = 0; c < columns; c++) {
        if (!seen[c].values)
            continue;
        commas += (seen[c].kinds[1] & NUMBERS) && !(seen[c].kinds[0] & NUMBERS) &&
                  (seen[c].commas || s->rules.delimiter != ',');
        points += (seen[c].kinds[0] & NUMBERS) && !(seen[c].kinds[1] & NUMBERS);
    }
    s->decimal = commas > points ? ',' : '.';
    if (o->decimal && *o->decimal)
        s->decimal = o->decimal[0];
}

/* Where a column could be read day-first and month-first, another that can only be one decides. */
static unsigned settle_order(unsigned kinds, bool day_first)
{
    const unsigned mdy = READ_BIT(READ_DATE_MDY) | READ_BIT(READ_TIME_MDY);
    const unsigned dmy = READ_BIT(READ_DATE_DMY) | READ_BIT(READ_TIME_DMY);
    return (kinds & mdy) && (kinds & dmy) && day_first ? kinds & ~mdy : kinds;
}

static bool has_day_first(const Sniff *s, const Seen *seen)
{
    const unsigned mdy = READ_BIT(READ_DATE_MDY) | READ_BIT(READ_TIME_MDY);
    const unsigned dmy = READ_BIT(READ_DATE_DMY) | READ_BIT(READ_TIME_DMY);
    for (size_t c = 0; c < s->rules.columns; c++)
        if (seen[c].values && (seen[c].kinds[0] & dmy) && !(seen[c].kinds[0] & mdy))
            return true;
    return s->decimal == ','; /* where the comma is decimal, the day comes first */
}

/* READ_KINDS has year, month, day first, as DateOrder has. */
static DateOrder usual_order(const Seen *seen, bool day_first)
{
    if (day_first && seen->order[ORDER_DMY] >= seen->order[ORDER_MDY] && seen->order[ORDER_DMY])
        return ORDER_DMY;
    DateOrder best = ORDER_YMD;
    for (int i = 1; i < 3; i++)
        if (seen->order[i] > seen->order[best])
            best = (DateOrder)i;
    return best;
}

static void choose_kinds(Sniff *s, const Seen *seen)
{
    bool day_first = has_day_first(s, seen);
    s->as = ARENA_NEW(&s->arena, ReadAs, s->rules.columns);
    s->order = ARENA_NEW(&s->arena, DateOrder, s->rules.columns);
    s->percent = ARENA_NEW(&s->arena, bool, s->rules.columns);
    for (size_t c = 0; c < s->rules.columns; c++) {
        unsigned kinds = settle_order(seen[c].kinds[s->decimal == ','], day_first);
        s->as[c] = seen[c].values ? read_best(kinds) : READ_NONE;
        s->order[c] = usual_order(&seen[c], day_first);
        s->percent[c] = seen[c].values && seen[c].percents == seen[c].values;
    }
}

/* A word is missing in text too if it stands where a number, date or truth value should be;
 * '?' means missing wherever it is a whole field. */
static void choose_nulls(Sniff *s, const Seen *seen)
{
    unsigned taken = 0;
    for (size_t c = 0; c < s->rules.columns; c++) {
        bool typed = s->as[c] != READ_TEXT && s->as[c] != READ_NONE;
        for (int i = 0; null_evidence[i]; i++)
            if (seen[c].words & 1u << i && (typed || null_evidence[i][0] == '?'))
                taken |= 1u << i;
    }
    for (int i = 0; null_evidence[i]; i++) {
        nullwords_add(&s->null, null_evidence[i]);
        if (taken & 1u << i)
            nullwords_add(&s->text_null, null_evidence[i]);
    }
}

/* Words that were candidates but stay text make their column text. */
static void keep_words(Sniff *s, const Seen *seen)
{
    for (size_t c = 0; c < s->rules.columns; c++)
        if (s->as[c] == READ_NONE && seen[c].candidates)
            for (int i = 0; null_evidence[i]; i++)
                if (seen[c].words & 1u << i &&
                    !nullwords_has(&s->text_null, null_evidence[i], strlen(null_evidence[i])))
                    s->as[c] = READ_TEXT;
}

static void words_of_user(Sniff *s, const char *list)
{
    char *copy = arena_text(&s->arena, list), *rest = copy;
    for (char *word; (word = strsep(&rest, ","));) {
        nullwords_add(&s->null, word);
        nullwords_add(&s->text_null, word);
    }
}

void sniff_types(Sniff *s, const IngestOptions *o, const Sample *piece, size_t pieces, bool whole,
                 size_t first)
{
    size_t columns = s->rules.columns;
    bool guess_nulls = !o->null_words || !*o->null_words;
    if (guess_nulls)
        for (int i = 0; null_always[i]; i++) {
            nullwords_add(&s->text_null, null_always[i]);
            nullwords_add(&s->null, null_always[i]);
        }
    else
        words_of_user(s, o->null_words);
    NullWords evidence = {0};
    for (int i = 0; guess_nulls && null_evidence[i]; i++)
        nullwords_add(&evidence, null_evidence[i]);
    Seen *seen = mem_alloc(columns * sizeof *seen);
    for (size_t c = 0; c < columns; c++)
        seen[c].kinds[0] = seen[c].kinds[1] = READ_ALL;
    Grid g = {0};
    grid_fill(&g, &s->rules, piece[0].at, first, piece[0].size, piece[0].size, whole);
    bool first_is_row = g.rows && (!g.bad.count || g.bad.at[0].row.at > g.row[0].at);
    look_at_rows(s, &g, first_is_row, &evidence, seen);
    settle_truths(seen, columns);
    if (o->header)
        s->header = o->header == 1;
    else
        s->header = first_is_row ? guess_header(s, &g, seen) : true;
    if (!s->header && first_is_row) {
        g.rows = 1;
        look_at_rows(s, &g, 0, &evidence, seen);
    }
    for (size_t i = 1; i < pieces; i++) {
        grid_fill(&g, &s->rules, piece[i].at, 0, piece[i].size, piece[i].size, false);
        if (!g.bad.count) /* else it may have begun inside quotes */
            look_at_rows(s, &g, 0, &evidence, seen);
    }
    settle_truths(seen, columns);
    choose_decimal(s, o, seen, columns);
    choose_kinds(s, seen);
    if (guess_nulls)
        choose_nulls(s, seen);
    keep_words(s, seen);
    nullwords_release(&evidence);
    grid_release(&g);
    mem_free(seen);
}
