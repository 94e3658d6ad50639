/* ahead.c -- what a model of series says of the time to come, and how it stands in the log.
 *
 * A forecast is a prediction of the row that will have this time and this group: the columns that were sent for it, or
 * at least those two. Feedback tells that row's target, as it does for any other. What was known then is the rows that
 * were sent; they stand once, with the first forecast of theirs that is logged, and for the others it is said how many
 * ids before them that is. Step and quantiles are part of what was said. */
#include "serve_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAST "past rows" /* a key beside the columns */

bool ahead_add(Scorer *s, const Chunk *rows, Error *err)
{
    if (!s->ahead)
        s->ahead = forecaster_create(s->bundle, err);
    if (!s->ahead || !forecaster_add(s->ahead, rows, 0, err))
        return false;
    for (size_t i = 0; s->sample > 0 && i < rows->rows; i++) {
        vec_add(&s->past_at, s->past.count);
        note_inputs(s->intake, s->masked, rows, i, &s->past);
        text_add(&s->past, "", 1);
    }
    return true;
}

/* A row that was sent; NULL: there is none of this number. */
static json_t *sent_row(const Scorer *s, uint64_t row)
{
    return row < s->past_at.count ? json_loads(s->past.at + s->past_at.at[row], 0, NULL) : NULL;
}

static bool is_masked(const Scorer *s, const char *column)
{
    size_t at = schema_find(s->intake->schema, column);
    return at != SIZE_MAX && s->masked && s->masked[at];
}

/* The row of a step for which none was sent: its time, and what names its series, as in the row it goes on from. */
static json_t *made_row(const Scorer *s, const ForecastRow *r, const char *time)
{
    const Features *f = bundle_features(s->bundle);
    json_t *row = json_object(), *last = sent_row(s, r->after);
    const char *names = features_group(f);
    char name[256];
    json_object_set_new(row, features_time(f),
                        json_string(is_masked(s, features_time(f)) ? "***" : time));
    while (*names) {
        size_t n = strcspn(names, ",");
        snprintf(name, sizeof name, "%.*s", (int)n, names);
        json_object_set(row, name,
                        json_object_get(last, name)); /* a recipe's own is not there, nor set */
        names += n + (names[n] == ',');
    }
    json_decref(last);
    return row;
}

static json_t *past_rows(const Scorer *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->past_at.count; i++)
        json_array_append_new(list, sent_row(s, i));
    return list;
}

static size_t add_json(json_t *o, Text *into)
{
    size_t at = into->count;
    char *text = json_dumps(o, JSON_COMPACT);
    text_add(into, text ? text : "{}", text ? strlen(text) + 1 : 3);
    free(text);
    json_decref(o);
    return at;
}

static void note_forecast(Scorer *s, size_t i)
{
    const ForecastRow *r = &s->row[i];
    json_t *said = forecast_json(s->bundle, r), *row = sent_row(s, r->row);
    if (!row)
        row = made_row(s, r, json_string_value(json_object_get(said, "time")));
    json_object_set_new(row, PAST,
                        s->note.count ? json_integer((json_int_t)(i - s->note.at[0].row))
                                      : past_rows(s));
    json_object_del(said, "group");
    json_object_del(said, "time");
    json_object_del(said, "prediction");
    size_t at = add_json(row, &s->inputs);
    vec_add(&s->note, (Note){.row = i, .at = at, .said = add_json(said, &s->inputs)});
}

bool ahead_end(Scorer *s, Error *err)
{
    if (!forecaster_next(s->ahead, &s->arena, &s->row, &s->rows, err))
        return false;
    for (size_t i = 0; i < s->rows; i++) {
        vec_add(&s->said,
                (Prediction){.kept = true, .value = s->row[i].value, .truth = (double)NAN});
        if (s->sample > 0 && (s->sample >= 1 || rng_unit(&s->rng) < s->sample))
            note_forecast(s, i);
    }
    return true;
}
