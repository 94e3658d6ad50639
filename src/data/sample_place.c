/* sample_place.c -- made-up places of Washington: zones by weight, snapped to the city's grid.
 *
 * The grid is the real one in outline: quadrants meet at the Capitol, lettered streets run east
 * and west (no J), numbered ones north and south, a block is about 0.00125 degrees of latitude
 * and 0.00163 of longitude. So K and 14th Street NW come out where they are. */
#include "sample_int.h"

#include <math.h>
#include <stdio.h>

#define CAPITOL_LAT 38.8899
#define CAPITOL_LON (-77.0091)
#define BLOCK_LAT   0.00125
#define BLOCK_LON   0.00163
#define RADIANS     0.017453292519943295

typedef struct Zone {
    double lat, lon, spread; /* degrees of latitude */
    double weight;           /* of being an end; starts outside count half */
    const char *city, *state, *zip;
    bool inside, airport;
} Zone;

// clang-format off
static const Zone zones[] = {
    {38.9020, -77.0310, .0065, .190, "WASHINGTON", "DC", "20005", true, false},     /* downtown */
    {38.9096, -77.0434, .0050, .110, "WASHINGTON", "DC", "20036", true, false},     /* Dupont Circle */
    {38.9000, -77.0490, .0045, .080, "WASHINGTON", "DC", "20037", true, false},     /* Foggy Bottom */
    {38.9060, -77.0640, .0050, .070, "WASHINGTON", "DC", "20007", true, false},     /* Georgetown */
    {38.8880, -76.9990, .0070, .075, "WASHINGTON", "DC", "20003", true, false},     /* Capitol Hill */
    {38.8973, -77.0050, .0022, .085, "WASHINGTON", "DC", "20002", true, false},     /* Union Station */
    {38.9219, -77.0420, .0050, .055, "WASHINGTON", "DC", "20009", true, false},     /* Adams Morgan */
    {38.9120, -77.0230, .0050, .055, "WASHINGTON", "DC", "20001", true, false},     /* Shaw */
    {38.9285, -77.0325, .0050, .035, "WASHINGTON", "DC", "20010", true, false},     /* Columbia Heights */
    {38.8780, -77.0180, .0050, .040, "WASHINGTON", "DC", "20024", true, false},     /* Southwest */
    {38.8764, -77.0030, .0050, .035, "WASHINGTON", "DC", "20003", true, false},     /* Navy Yard */
    {38.9360, -77.0580, .0070, .025, "WASHINGTON", "DC", "20008", true, false},     /* Cleveland Park */
    {38.9420, -77.0250, .0060, .015, "WASHINGTON", "DC", "20011", true, false},     /* Petworth */
    {38.9330, -76.9920, .0070, .015, "WASHINGTON", "DC", "20017", true, false},     /* Brookland */
    {38.8620, -76.9880, .0070, .010, "WASHINGTON", "DC", "20020", true, false},     /* Anacostia */
    {38.8512, -77.0402, .0010, .062, "ARLINGTON", "VA", "22202", false, true},      /* National Airport */
    {38.8850, -77.0950, .0080, .018, "ARLINGTON", "VA", "22201", false, false},
    {38.8048, -77.0469, .0070, .008, "ALEXANDRIA", "VA", "22314", false, false},
    {38.9847, -77.0947, .0060, .010, "BETHESDA", "MD", "20814", false, false},
    {38.9907, -77.0261, .0060, .007, "SILVER SPRING", "MD", "20910", false, false},
    {38.9531, -77.4565, .0020, .010, "DULLES", "VA", "20166", false, true},         /* Dulles Airport */
};

static const char *const beyond_w[] = {"ADAMS", "BRYANT", "CHANNING", "DOUGLAS", "EVARTS", "FRANKLIN",
    "GIRARD", "HARVARD", "IRVING", "KENYON", "LAMONT", "MONROE", "NEWTON", "OTIS", "PARK", "QUINCY",
    "RANDOLPH", "SHEPHERD", "TAYLOR", "UPSHUR", "VARNUM", "WEBSTER", "ALLISON", "BUCHANAN", "CRITTENDEN",
    "DECATUR", "EMERSON", "FARRAGUT", "GALLATIN", "HAMILTON"};
// clang-format on

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const Zone *zone_draw(Rng *rng, bool is_start)
{
    double whole = 0.0;
    for (size_t i = 0; i < COUNT(zones); i++)
        whole += zones[i].weight * (is_start && !zones[i].inside ? 0.5 : 1.0);
    double at = rng_unit(rng) * whole;
    for (size_t i = 0; i < COUNT(zones); i++) {
        at -= zones[i].weight * (is_start && !zones[i].inside ? 0.5 : 1.0);
        if (at < 0.0)
            return &zones[i];
    }
    return &zones[0];
}

static const char *ordinal(int n)
{
    if (n % 100 >= 11 && n % 100 <= 13)
        return "TH";
    return n % 10 == 1 ? "ST" : n % 10 == 2 ? "ND" : n % 10 == 3 ? "RD" : "TH";
}

/* The name of the block `across` streets north or south, `along` east or west of the Capitol. */
static void name_block(Place *p, int across, int along, const char *quadrant, bool numbered)
{
    static const char letters[] = "ABCDEFGHIKLMNOPQRSTUVW";
    int letter_count = (int)sizeof letters - 1;
    if (numbered) {
        int hundred = (across + 1) * 100;
        snprintf(p->block, sizeof p->block, "%d - %d BLOCK OF %d%s STREET %s", hundred,
                 hundred + 99, along + 1, ordinal(along + 1), quadrant);
        return;
    }
    int hundred = (along + 1) * 100;
    if (across < letter_count)
        snprintf(p->block, sizeof p->block, "%d - %d BLOCK OF %c STREET %s", hundred, hundred + 99,
                 letters[across], quadrant);
    else
        snprintf(p->block, sizeof p->block, "%d - %d BLOCK OF %s STREET %s", hundred, hundred + 99,
                 beyond_w[(size_t)(across - letter_count) % COUNT(beyond_w)], quadrant);
}

void place_draw(Rng *rng, bool is_start, Place *out)
{
    const Zone *zone = zone_draw(rng, is_start);
    double lat = zone->lat + zone->spread * rng_normal(rng);
    double lon = zone->lon + zone->spread * 1.25 * rng_normal(rng);
    bool numbered = rng_unit(rng) < 0.45;
    *out = (Place){.lat = lat,
                   .lon = lon,
                   .city = zone->city,
                   .state = zone->state,
                   .zip = zone->zip,
                   .inside = zone->inside,
                   .airport = zone->airport};
    if (!zone->inside)
        return;
    bool north = lat >= CAPITOL_LAT, west = lon < CAPITOL_LON;
    int across = (int)(fabs(lat - CAPITOL_LAT) / BLOCK_LAT),
        along = (int)(fabs(lon - CAPITOL_LON) / BLOCK_LON);
    static const char *const quadrants[2][2] = {{"SE", "SW"}, {"NE", "NW"}};
    name_block(out, across, along, quadrants[north][west], numbered);
    /* both names of a crossing have a middle of their own, the same for every trip */
    double shift_lat = numbered ? 0.5 : 0.0, shift_lon = numbered ? 0.0 : 0.5;
    out->lat = CAPITOL_LAT + (north ? 1 : -1) * (across + 0.1 + shift_lat) * BLOCK_LAT;
    out->lon = CAPITOL_LON + (west ? -1 : 1) * (along + 0.1 + shift_lon) * BLOCK_LON;
}

double place_miles(const Place *from, const Place *to)
{
    double s_lat = sin((to->lat - from->lat) * RADIANS / 2),
           s_lon = sin((to->lon - from->lon) * RADIANS / 2);
    double h = s_lat * s_lat + cos(from->lat * RADIANS) * cos(to->lat * RADIANS) * s_lon * s_lon;
    return 2 * 3958.8 * asin(sqrt(h));
}
