/* counter.c -- what is counted, and GET /metrics: it in Prometheus' text format 0.0.4. */
#include "serve_int.h"

#include <inttypes.h>

static const double bounds[COUNT_BOUNDS] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                            0.025,  0.05,    0.1,    0.25,  0.5,    1,     5};

void counter_time(Counter *c, double seconds)
{
    size_t i = 0;
    while (i < COUNT_BOUNDS && seconds > bounds[i])
        i++;
    c->bucket[i]++;
    c->micros += (uint64_t)(seconds * 1e6);
}

static void head(Text *into, const char *name, const char *kind, const char *about)
{
    text_printf(into, "# HELP %s %s\n# TYPE %s %s\n", name, about, name, kind);
}

static void print_codes(Counter *c, Text *into)
{
    head(into, "lathe_requests_total", "counter", "Requests answered, by status code.");
    for (unsigned code = 0; code < COUNT_CODES; code++)
        if (c->code[code])
            text_printf(into, "lathe_requests_total{code=\"%u\"} %" PRIu64 "\n", code,
                        c->code[code]);
}

static void print_times(Counter *c, Text *into)
{
    static const char name[] = "lathe_request_seconds";
    uint64_t sum = 0;
    head(into, name, "histogram",
         "Time from the whole request being there to its answer, scoring only.");
    for (size_t i = 0; i < COUNT_BOUNDS; i++) {
        sum += c->bucket[i];
        text_printf(into, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, bounds[i], sum);
    }
    sum += c->bucket[COUNT_BOUNDS];
    text_printf(into, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, sum);
    text_printf(into, "%s_sum %.6f\n%s_count %" PRIu64 "\n", name, (double)c->micros / 1e6, name,
                sum);
}

/* A label's value: backslash, quote and line end are escaped. */
static void print_label(const char *s, Text *into)
{
    for (; *s; s++) {
        if (*s == '\\' || *s == '"')
            text_putc(into, '\\');
        if (*s == '\n')
            text_puts(into, "\\n");
        else
            text_putc(into, *s);
    }
}

void counter_print(Counter *c, const ServeModel *m, Text *into)
{
    print_codes(c, into);
    print_times(c, into);
    head(into, "lathe_rows_total", "counter", "Rows scored.");
    text_printf(into, "lathe_rows_total %" PRIu64 "\n", c->rows);
    head(into, "lathe_rows_dropped_total", "counter", "Rows that a rule of the recipe dropped.");
    text_printf(into, "lathe_rows_dropped_total %" PRIu64 "\n", c->dropped);
    head(into, "lathe_connections", "gauge", "Connections that are open.");
    text_printf(into, "lathe_connections %" PRId64 "\n", c->open);
    head(into, "lathe_model_info", "gauge", "The model that answers.");
    text_puts(into, "lathe_model_info{name=\"");
    print_label(m->name, into);
    text_puts(into, "\",version=\"");
    print_label(m->version, into);
    text_puts(into, "\"} 1\n");
}
