/* clean_suggest.c -- rules the profile of a dataset asks for. Each is a line of the recipe language, so
 * taking one is the same as typing it, and u takes it back. */
#include "clean_int.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static Suggestion *add(CleanState *s)
{
    if (s->suggestions == CLEAN_SUGGESTIONS)
        return NULL;
    s->suggestion[s->suggestions] = (Suggestion){0};
    return &s->suggestion[s->suggestions++];
}

/* A name as the language wants it: quoted where it is not plain. */
static const char *quoted(const char *name, char out[140])
{
    bool plain = isalpha((unsigned char)*name) || *name == '_';
    for (const char *c = name; *c; c++)
        plain = plain && (isalnum((unsigned char)*c) || *c == '_');
    snprintf(out, 140, plain ? "%.130s" : "`%.130s`", name);
    return out;
}

static void suggest_missing(CleanState *s, const ColumnProfile *p, const Field *f)
{
    double share = p->count ? (double)p->missing / (double)p->count : 0;
    char name[140];
    Suggestion *one;
    if (share == 0 || !(one = add(s)))
        return;
    if (share > 0.6) {
        snprintf(one->rule, sizeof one->rule, "drop column %s", quoted(f->name, name));
        snprintf(one->why, sizeof one->why, "%.0f%% of its values are missing", share * 100);
    } else if (f->role == ROLE_TARGET) {
        snprintf(one->rule, sizeof one->rule, "drop missing %s", quoted(f->name, name));
        snprintf(one->why, sizeof one->why, "the target is missing in %.1f%% of the rows",
                 share * 100);
    } else {
        bool number = f->type == COLUMN_INT || f->type == COLUMN_REAL;
        snprintf(one->rule, sizeof one->rule, "impute %s %s", quoted(f->name, name),
                 number ? "median" : "mode");
        snprintf(one->why, sizeof one->why, "%.1f%% of its values are missing", share * 100);
    }
}

static void suggest_outliers(CleanState *s, const ColumnProfile *p, const Field *f)
{
    if ((f->type != COLUMN_REAL && f->type != COLUMN_INT) || !p->numeric || p->distinct < 20)
        return;
    double low = p->quantile[1], high = p->quantile[99], mid = high - low;
    char name[140];
    Suggestion *one;
    if (mid <= 0 || (p->most < high + 3 * mid && p->least > low - 3 * mid) || !(one = add(s)))
        return;
    snprintf(one->rule, sizeof one->rule, "clip %s %g %g", quoted(f->name, name),
             p->least < low - 3 * mid ? low : p->least, p->most > high + 3 * mid ? high : p->most);
    Text t = {0};
    chart_number(p->most > high + 3 * mid ? p->most : p->least, &t);
    text_puts(&t, "; 98% lie between ");
    chart_figure(low, 4, &t);
    text_puts(&t, " and ");
    chart_figure(high, 4, &t);
    snprintf(one->why, sizeof one->why, "reaches %s", text_str(&t));
    text_release(&t);
}

/* Two frequent words that differ in case or blanks only. */
static bool same_but_case(const char *a, const char *b)
{
    for (;;) {
        a += strspn(a, " ");
        b += strspn(b, " ");
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (!*a)
            return true;
        a++;
        b++;
    }
}

static void suggest_spellings(CleanState *s, const ColumnProfile *p, const Field *f)
{
    char name[140];
    for (size_t i = 0; i < p->tops && f->type == COLUMN_TEXT; i++)
        for (size_t k = i + 1; k < p->tops; k++)
            if (same_but_case(p->top[i].value, p->top[k].value) && strlen(p->top[i].value) < 60) {
                Suggestion *one = add(s);
                if (!one)
                    return;
                snprintf(one->rule, sizeof one->rule, "replace %s \"%.50s\" \"%.50s\"",
                         quoted(f->name, name), p->top[k].value, p->top[i].value);
                snprintf(one->why, sizeof one->why, "one word in two spellings");
            }
}

void clean_suggest(CleanState *s)
{
    if (!s->suggestion)
        s->suggestion = mem_alloc(CLEAN_SUGGESTIONS * sizeof *s->suggestion);
    s->suggestions = 0;
    const Profile *profile = s->data ? dataset_profile(s->data->data) : NULL;
    for (size_t i = 0; profile && i < s->data->schema.count; i++) {
        const Field *f = &s->data->schema.field[i];
        const ColumnProfile *p = profile_find(profile, f->name);
        char name[140];
        Suggestion *one;
        if (!p || f->role == ROLE_IGNORE)
            continue;
        if (p->distinct <= 1 && p->count > 1 && (one = add(s))) {
            snprintf(one->rule, sizeof one->rule, "drop column %s", quoted(f->name, name));
            snprintf(one->why, sizeof one->why, "it holds one value only");
            continue;
        }
        suggest_missing(s, p, f);
        suggest_outliers(s, p, f);
        suggest_spellings(s, p, f);
    }
}
