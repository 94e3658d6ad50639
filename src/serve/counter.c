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

static void print_models(const Routing *g, Text *into)
{
    static const char *const roles[] = {"model", "candidate"};
    const Served *both[] = {g->model, g->candidate};
    head(into, "lathe_model_info", "gauge", "The models that are open, and which is which.");
    for (size_t i = 0; i < 2; i++) {
        if (!both[i])
            continue;
        text_puts(into, "lathe_model_info{name=\"");
        print_label(both[i]->about.name, into);
        text_puts(into, "\",version=\"");
        print_label(both[i]->about.version, into);
        text_printf(into, "\",role=\"%s\"} 1\n", roles[i]);
    }
    head(into, "lathe_candidate_percent", "gauge",
         "Share of the requests that the candidate answers.");
    text_printf(into, "lathe_candidate_percent %g\n",
                !g->candidate              ? 0
                : g->state == ROUTE_CANARY ? g->percent
                : g->state == ROUTE_GREEN  ? 100.0
                                           : 0);
    head(into, "lathe_serving", "gauge", "1 while requests are answered, 0 while stopped.");
    text_printf(into, "lathe_serving %d\n", g->state != ROUTE_STOPPED);
}

static void print_count(Text *into, const char *name, const char *kind, const char *about,
                        int64_t value)
{
    head(into, name, kind, about);
    text_printf(into, "%s %" PRId64 "\n", name, value);
}

void service_print(Service *s, Text *into)
{
    Counter *c = &s->counter;
    Routing *g = service_routing(s);
    print_codes(c, into);
    print_times(c, into);
    print_count(into, "lathe_rows_total", "counter", "Rows scored.", (int64_t)c->rows);
    print_count(into, "lathe_rows_dropped_total", "counter",
                "Rows that a rule of the recipe dropped.", (int64_t)c->dropped);
    print_count(into, "lathe_connections", "gauge", "Connections that are open.", c->open);
    print_count(into, "lathe_reloads_total", "counter", "Changes of the routing.",
                (int64_t)c->reloads);
    print_count(into, "lathe_reloads_failed_total", "counter",
                "Changes of the routing that could not be made.", (int64_t)c->reloads_failed);
    print_models(g, into);
    if (s->journal)
        journal_print(s->journal, into);
    if (s->guard)
        guard_print(s->guard, into);
    service_let_go(g);
}
