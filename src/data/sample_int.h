/* sample_int.h -- made-up places of Washington, for sample.c. */
#ifndef LATHE_SAMPLE_INT_H
#define LATHE_SAMPLE_INT_H

#include <lathe/base.h>

/* Where a trip begins or ends. Outside the District the open data has no block. */
typedef struct Place {
    double lat, lon;                /* middle of the block; outside: of the zone */
    const char *city, *state, *zip; /* static */
    bool inside, airport;
    char block[64]; /* "1400 - 1499 BLOCK OF K STREET NW"; "" outside */
} Place;

void place_draw(Rng *rng, bool is_start, Place *out);   /* trips begin outside less often */
double place_miles(const Place *from, const Place *to); /* as the crow flies */

#endif
