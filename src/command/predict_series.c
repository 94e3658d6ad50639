/* predict_series.c -- what a model of series says comes next: a line a group and step of the horizon, with
 * its time and quantiles. The rows that were given are its past, and, without the target, what is known of
 * the steps to come. */
#include "predict_int.h"

#include <math.h>
#include <string.h>

void forecast_header(const Sink *k, Text *into)
{
    const SeriesShape *s = k->shape->series;
    text_puts(into,
              *features_group(k->features) ? "group,time,step,prediction" : "time,step,prediction");
    for (size_t i = 0; i < s->levels; i++)
        text_printf(into, ",q%g", (double)s->level[i]);
    text_putc(into, '\n');
}

/* The values of the object, in their order. */
static void add_line(const json_t *row, Text *into)
{
    const char *key;
    json_t *value;
    bool first = true;
    json_object_foreach((json_t *)(uintptr_t)row, key, value)
    {
        text_puts(into, first ? "" : ",");
        first = false;
        if (json_is_string(value))
            csv_print_field(json_string_value(value), json_string_length(value), ',', into);
        else if (json_is_integer(value))
            text_printf(into, "%lld", (long long)json_integer_value(value));
        else
            text_printf(into, "%.7g", json_number_value(value));
    }
    text_putc(into, '\n');
}

bool forecast_write(const Work *w, Error *err)
{
    Sink *k = w->sink;
    Arena a = {0};
    ForecastRow *row;
    size_t n = 0;
    bool ok = forecaster_next(w->ahead, &a, &row, &n, err);
    for (size_t i = 0; ok && i < n; i++) {
        json_t *one = forecast_json(w->bundle, &row[i]);
        Text line = {0};
        if (!k->file)
            json_array_append(k->rows, one);
        else if (k->form == PREDICT_CSV)
            add_line(one, &line);
        else
            sink_json_line(one, &line);
        ok = !k->file || sink_put(k, &line, err);
        json_decref(one);
        text_release(&line);
    }
    arena_release(&a);
    return ok;
}
