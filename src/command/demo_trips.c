/* demo_trips.c -- the trips of `lathe demo`: what drifts in them, and who asks for their fares over HTTP. */
#include "demo_int.h"

#include <curl/curl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TARIFF_DAY 181.0 /* July 1: a fourth more */

DemoTrip demo_trip(double day, Rng *rng)
{
    DemoTrip t = {.day = day, .hour = (int)rng_below(rng, 24)};
    double month = day / 30.4, spring = fmin(fmax(month - 2, 0), 4) / 4; /* 0 until March, 1 from July on */
    t.miles = exp(0.6 + 0.9 * spring + 0.6 * rng_normal(rng));
    t.miles = fmin(t.miles, 60);
    t.minutes = (int)fmax(1, t.miles * (3.2 + (t.hour >= 7 && t.hour <= 9 ? 1.5 : 0)) + 2 * rng_normal(rng));
    double u = rng_unit(rng), telephone = 0.35 * fmin(fmax(month - 4, 0), 3) / 3;
    t.payment = u < telephone ? "Telephone" : u < telephone + 0.6 * (1 - telephone) ? "Credit" : "Cash";
    t.fare = (3.25 + 2.16 * t.miles + 0.35 * t.minutes) * (day >= TARIFF_DAY ? 1.25 : 1) + rng_normal(rng);
    t.fare = fmax(3, t.fare);
    return t;
}

static void date_of(double day, Text *into)
{
    date_format((int32_t)(date_days(2019, 1, 1) + (int64_t)day), into);
}

bool demo_trips_write(const char *path, size_t rows, bool wrong, Error *err)
{
    Text out = {0};
    Rng rng;
    rng_seed(&rng, wrong ? 77 : 7, 0);
    text_puts(&out, "DAY,HOUR,MILES,MINUTES,PAYMENT,FARE\n");
    for (size_t i = 0; i < rows; i++) {
        DemoTrip t = demo_trip(31.0 * (double)i / (double)rows, &rng);
        date_of(t.day, &out);
        text_printf(&out, ",%d,%.3f,%d,%s,%.2f\n", t.hour, t.miles, t.minutes, t.payment,
                    wrong ? 3 + 60 * rng_unit(&rng) : t.fare);
    }
    bool ok = file_write(path, out.at, out.count, err);
    text_release(&out);
    return ok;
}

void demo_trip_json(const DemoTrip *t, Text *into)
{
    text_puts(into, "{\"DAY\":\"");
    date_of(t->day, into);
    text_printf(into, "\",\"HOUR\":%d,\"MILES\":%.3f,\"MINUTES\":%d,\"PAYMENT\":\"%s\"}", t->hour, t->miles, t->minutes, t->payment);
}

/* ---- who asks ------------------------------------------------------------------------------------------------------------ */

typedef struct Owed { char id[24]; double day, fare; } Owed; /* truth that is told later */

struct DemoClient {
    CURL *curl;
    struct curl_slist *headers;
    char ask[200], tell[200];
    Rng rng;
    Text answer;
    VEC(Owed) owed;
    size_t next, asked;  /* next: of owed */
};

static size_t take_answer(char *bytes, size_t one, size_t n, void *context)
{
    text_add(context, bytes, one * n);
    return one * n;
}

DemoClient *demo_client_open(const char *address, uint64_t seed)
{
    DemoClient *c = mem_alloc(sizeof *c);
    c->curl = curl_easy_init();
    c->headers = curl_slist_append(NULL, "Content-Type: application/json");
    snprintf(c->ask, sizeof c->ask, "http://%.100s/invocations", address);
    snprintf(c->tell, sizeof c->tell, "http://%.100s/feedback", address);
    rng_seed(&c->rng, seed, 1);
    return c;
}

void demo_client_close(DemoClient *c)
{
    if (!c)
        return;
    curl_slist_free_all(c->headers);
    curl_easy_cleanup(c->curl);
    text_release(&c->answer);
    vec_release(&c->owed);
    mem_free(c);
}

static bool post(DemoClient *c, const char *url, const Text *body, Error *err)
{
    long status = 0;
    text_reset(&c->answer);
    curl_easy_setopt(c->curl, CURLOPT_URL, url);
    curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, 30L);
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, c->headers);
    curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, text_str(body));
    curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE, (long)body->count);
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &c->answer);
    CURLcode code = curl_easy_perform(c->curl);
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK)
        return error_set(err, ERROR_IO, "%s: %s", url, curl_easy_strerror(code));
    return status == 200 || error_set(err, ERROR_IO, "%s: %ld %.200s", url, status, text_str(&c->answer));
}

bool demo_client_ask(DemoClient *c, double day, size_t rows, Error *err)
{
    Text body = {0};
    DemoTrip *trip = mem_alloc((rows + 1) * sizeof *trip);
    text_puts(&body, "{\"dataframe_records\":[");
    for (size_t i = 0; i < rows; i++) {
        trip[i] = demo_trip(day, &c->rng);
        text_puts(&body, i ? "," : "");
        demo_trip_json(&trip[i], &body);
    }
    text_puts(&body, "]}");
    bool ok = post(c, c->ask, &body, err);
    json_t *j = ok ? json_loads(text_str(&c->answer), 0, NULL) : NULL;
    const json_t *ids = json_object_get(j, "prediction_ids");
    for (size_t i = 0; ok && i < rows && i < json_array_size(ids); i++) {
        Owed o = {.day = day, .fare = trip[i].fare};
        snprintf(o.id, sizeof o.id, "%s", json_string_value(json_array_get(ids, i)));
        vec_add(&c->owed, o);
    }
    c->asked += ok ? rows : 0;
    json_decref(j);
    mem_free(trip);
    text_release(&body);
    return ok;
}

bool demo_client_tell(DemoClient *c, double until_day, Error *err)
{
    Text body = {0};
    size_t from = c->next;
    text_puts(&body, "[");
    for (; c->next < c->owed.count && c->owed.at[c->next].day < until_day && c->next - from < 1000; c->next++) {
        const Owed *o = &c->owed.at[c->next];
        text_printf(&body, "%s{\"id\":\"%s\",\"truth\":%.2f}", c->next > from ? "," : "", o->id, o->fare);
    }
    text_puts(&body, "]");
    bool ok = c->next == from || post(c, c->tell, &body, err);
    text_release(&body);
    return ok;
}

size_t demo_client_asked(const DemoClient *c)
{
    return c->asked;
}

size_t demo_client_told(const DemoClient *c)
{
    return c->next;
}
