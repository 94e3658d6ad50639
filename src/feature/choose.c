/* choose.c -- which columns become inputs, and by which encoder.
 *
 * Left out, with a note: ids and ignored columns, whole numbers that count the rows, columns
 * without values or with a single one, text in which too many words or nearly every row differs.
 * A column the user named is used even if it looks like an id.
 *
 * numbers=auto is standard, but quantile where outliers would flatten the rest: where the deviation
 * is more than OUTLYING times what the middle half of the values would make it; and spike where one
 * value stands out among few: at least SPIKE_SHARE of the rows have it, and there are SPIKE_LEAST to
 * SPIKE_MOST values. numbers=normal is the same with quantiles for all that are not spiked. */
#include "feature_int.h"

#include <stdlib.h>

#define OUTLYING        3.0
#define IQR_OF_NORMAL   1.349 /* interquartile range of a normal distribution of deviation 1 */
#define SPIKE_SHARE     0.5
#define SPIKE_LEAST     6
#define SPIKE_MOST      200
#define COUNTS_AT_LEAST 20  /* so few rows may go up by chance */
#define UNIQUE_SHARE    0.5 /* more distinct words than this share of the rows: names, not kinds */
#define UNIQUE_AT_LEAST 50

StatsWish choose_wish(ColumnType type, const FeatureOptions *o)
{
    bool sample = TYPE_BIT(type) & TYPES_NUMBER && o->numbers != NUMBERS_STANDARD &&
                  o->numbers != NUMBERS_RAW;
    bool spikes = TYPE_BIT(type) & TYPES_NUMBER &&
                  (o->numbers == NUMBERS_AUTO || o->numbers == NUMBERS_NORMAL);
    return (StatsWish){.words_most = (size_t)o->words_most,
                       .values_most = spikes ? SPIKE_MOST : 0,
                       .sample = sample};
}

static void note(json_t *notes, const char *name, const char *why)
{
    Text text = {0};
    text_printf(&text, "%s left out: %s", name, why);
    json_array_append_new(notes, json_stringn(text_str(&text), text.count));
    text_release(&text);
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static bool outlying(const ColumnStats *s)
{
    size_t n = s->sample.count;
    if (n < 4)
        return false;
    double *sorted = mem_copy(s->sample.at, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, ascending);
    double middle = sorted_quantile(sorted, n, 0.75) - sorted_quantile(sorted, n, 0.25);
    mem_free(sorted);
    return middle > 0.0 && stats_deviation(s) > OUTLYING * middle / IQR_OF_NORMAL;
}

static bool spiked(const ColumnStats *s)
{
    uint64_t most = 0;
    if (s->many || s->value.count < SPIKE_LEAST)
        return false;
    for (size_t i = 0; i < s->value.count; i++)
        most = s->value.at[i].seen > most ? s->value.at[i].seen : most;
    return (double)most >= SPIKE_SHARE * (double)s->count;
}

static void say(json_t *notes, const char *name, const char *what)
{
    Text text = {0};
    text_printf(&text, "%s %s", name, what);
    json_array_append_new(notes, json_stringn(text_str(&text), text.count));
    text_release(&text);
}

static const Encoder *for_number(const char *name, const ColumnStats *s, const FeatureOptions *o,
                                 json_t *notes)
{
    if (o->numbers == NUMBERS_RAW)
        return encoder_find("raw");
    if (!s->sample.count || o->numbers == NUMBERS_STANDARD)
        return encoder_find("standard");
    if (o->numbers == NUMBERS_QUANTILE)
        return encoder_find("quantile");
    if (spiked(s)) {
        say(notes, name, "also as a category, for the one value that stands out");
        return encoder_find("spike");
    }
    if (o->numbers == NUMBERS_NORMAL)
        return encoder_find("quantile");
    if (!outlying(s))
        return encoder_find("standard");
    say(notes, name, "by quantiles, for its outliers");
    return encoder_find("quantile");
}

static const Encoder *for_text(const char *name, const ColumnStats *s, const FeatureOptions *o,
                               json_t *notes)
{
    char why[120];
    size_t kept = 0, words = s->words.word.count;
    if (s->many) {
        snprintf(why, sizeof why, "more than %d different words (words_most)", o->words_most);
        note(notes, name, why);
        return NULL;
    }
    if (words >= UNIQUE_AT_LEAST && (double)words > UNIQUE_SHARE * (double)s->count) {
        note(notes, name, "nearly every row has a word of its own");
        return NULL;
    }
    for (size_t i = 0; i < words; i++)
        kept += s->words.word.at[i].seen >= (uint64_t)o->words_least;
    if (!kept) {
        snprintf(why, sizeof why, "no word in at least %d training rows (words_least)",
                 o->words_least);
        note(notes, name, why);
        return NULL;
    }
    bool few = kept <= (size_t)o->onehot_most;
    return encoder_find(few || o->categories == CATEGORIES_ONEHOT ? "onehot" : "embed");
}

const Encoder *choose_encoder(const char *name, ColumnType type, bool named, const ColumnStats *s,
                              const FeatureOptions *o, json_t *notes)
{
    bool constant =
        type == COLUMN_TEXT ? s->words.word.count == 1 && !s->many : s->least == s->most;
    if (!s->count)
        note(notes, name, "no values in the training rows");
    else if (constant && !s->missing)
        note(notes, name, "constant");
    else if (!named && type == COLUMN_INT && s->counts_up && s->count >= COUNTS_AT_LEAST)
        note(notes, name, "it counts the rows");
    else if (type == COLUMN_TEXT)
        return for_text(name, s, o, notes);
    else if (type == COLUMN_BOOL)
        return encoder_find(o->numbers == NUMBERS_RAW ? "raw" : "flag");
    else if (TYPE_BIT(type) & TYPES_TIME)
        return encoder_find("timestamp");
    else
        return for_number(name, s, o, notes);
    return NULL;
}
