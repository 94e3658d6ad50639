/* demo_int.h -- what the files of `lathe demo` share: made-up trips that drift, and someone who asks for their fares. */
#ifndef LATHE_DEMO_INT_H
#define LATHE_DEMO_INT_H

#include "command_int.h"

#define DEMO_MONTHS 12
#define DEMO_LEARNT 4000 /* rows of January that the first model learns from */

/* A trip of a day of the year (0 is January 1). Longer from spring on, paid by telephone from summer on, and in July
 * the tariff goes up by a fourth. */
typedef struct DemoTrip { double day, miles, fare; int hour, minutes; const char *payment; } DemoTrip;
DemoTrip demo_trip(double day, Rng *rng);
/* January as CSV; with `wrong`, fares that have nothing to do with their trips. */
bool demo_trips_write(const char *path, size_t rows, bool wrong, Error *err);
void demo_trip_json(const DemoTrip *t, Text *into);

/* Who asks: rows in one request over loopback, and the truth of them a while later. */
typedef struct DemoClient DemoClient;
DemoClient *demo_client_open(const char *address, uint64_t seed);
void demo_client_close(DemoClient *c);
bool demo_client_ask(DemoClient *c, double day, size_t rows, Error *err);
bool demo_client_tell(DemoClient *c, double until_day, Error *err); /* feedback of the trips before that day */
size_t demo_client_asked(const DemoClient *c);
size_t demo_client_told(const DemoClient *c);

/* demo_server.c: lathe serve deployment=fares on a free port of loopback. */
typedef struct DemoServer {
    int pid, out;       /* 0: none */
    char address[100];  /* 127.0.0.1:43210 */
} DemoServer;
bool demo_server_open(DemoServer *s, const char *program, const char *workspace, Error *err);
void demo_server_close(DemoServer *s);

#endif
