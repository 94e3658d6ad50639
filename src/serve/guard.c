/* guard.c -- who may ask: bearer tokens, and how many requests a second of one of them, or of one address.
 *
 * A secret that was found in the store is remembered by its SHA-256 under a salt of this process, until the
 * store changes: then it is looked up anew, so that a revoked token ends within a fraction of a second.
 * Wrong ones are looked up each time, at most FAILURES a second of one address, and leave a line in the
 * audit, at most one an address and minute.
 *
 * Rates are counted by the generic cell rate algorithm (GCRA): of each client only the time up to which it
 * has used its share; it may be a second ahead. */
#include "serve_int.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define CLIENTS  1024 /* told apart at a time */
#define KNOWN    256
#define FAILURES 10.0

typedef struct Client {
    uint64_t name; /* hash; 0: free */
    double until;  /* has used its share up to then */
    double audited;
} Client;

typedef struct Known {
    uint8_t digest[32];
    uint64_t client;
} Known;

struct Guard {
    bool tokens;
    double rate;
    uint8_t salt[16];
    _Atomic uint64_t refused, limited;
    pthread_mutex_t lock; /* guards the rest */
    Store *store;
    Client client[CLIENTS];
    Known known[KNOWN];
    size_t knowns;
};

Guard *guard_open(const char *dir, bool tokens, double rate, Error *err)
{
    Guard *g = mem_alloc(sizeof *g);
    g->tokens = tokens;
    g->rate = rate;
    pthread_mutex_init(&g->lock, NULL);
    bool ok = getrandom(g->salt, sizeof g->salt, 0) == (ssize_t)sizeof g->salt ||
              error_set(err, ERROR_IO, "the system has no random numbers");
    if (ok && tokens)
        ok = dir ? (g->store = store_open(dir, STORE_WRITE, err)) != NULL
                 : error_set(err, ERROR_USAGE, "tokens are kept in a workspace; there is none");
    if (ok && tokens) {
        Arena a = {0};
        TokenRow *row;
        size_t n, count = 0;
        ok = store_tokens(g->store, &a, &row, &n, err);
        for (size_t i = 0; ok && i < n; i++)
            count += !row[i].revoked;
        ok = ok &&
             (count || error_set(err, ERROR_USAGE,
                                 "tokens are asked for, but there is none: lathe token add NAME"));
        arena_release(&a);
    }
    if (ok)
        return g;
    guard_close(g);
    return NULL;
}

void guard_close(Guard *g)
{
    if (!g)
        return;
    store_close(g->store);
    pthread_mutex_destroy(&g->lock);
    mem_free(g);
}

void guard_forget(Guard *g)
{
    if (!g)
        return;
    pthread_mutex_lock(&g->lock);
    g->knowns = 0;
    pthread_mutex_unlock(&g->lock);
}

/* ---- how often -------------------------------------------------------------------------------------------- */

static void address_text(const struct sockaddr *from, char out[INET6_ADDRSTRLEN])
{
    snprintf(out, INET6_ADDRSTRLEN, "?");
    if (from && from->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)from)->sin_addr, out,
                  INET6_ADDRSTRLEN);
    else if (from && from->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, out,
                  INET6_ADDRSTRLEN);
}

static uint64_t address_hash(const struct sockaddr *from)
{
    char text[INET6_ADDRSTRLEN];
    address_text(from, text);
    return hash_bytes(text, strlen(text), 7) | 1;
}

/* Its place, or that of whoever has been quiet for longest among its neighbours. */
static Client *client_of(Guard *g, uint64_t name)
{
    Client *oldest = NULL;
    for (size_t i = 0; i < 8; i++) {
        Client *c = &g->client[(name + i) % CLIENTS];
        if (c->name == name)
            return c;
        if (!oldest || c->until < oldest->until)
            oldest = c;
    }
    *oldest = (Client){.name = name, .audited = -1e9};
    return oldest;
}

/* 0: go on, else seconds to wait. */
static double wait_of(Client *c, double rate, double now)
{
    double from = c->until > now ? c->until : now;
    double burst = rate < 1 ? 1 / rate : 1;
    if (from - now >= burst)
        return from - now - burst + 1 / rate;
    c->until = from + 1 / rate;
    return 0;
}

static bool too_many(Guard *g, double wait, Reply *out)
{
    g->limited++;
    reply_error(out, 429, "too many requests; try again later");
    out->wait = (int)ceil(wait);
    return false;
}

/* ---- who ---------------------------------------------------------------------------------------------------- */

static const char *secret_of(const char *authorization, size_t *n)
{
    if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
        return NULL;
    const char *s = authorization + 7;
    s += strspn(s, " ");
    *n = strlen(s);
    while (*n && s[*n - 1] == ' ')
        --*n;
    return *n ? s : NULL;
}

static bool remembered(const Guard *g, const uint8_t digest[32], uint64_t *client)
{
    for (size_t i = 0; i < g->knowns; i++) {
        uint8_t differ = 0;
        for (size_t k = 0; k < 32; k++)
            differ |= (uint8_t)(g->known[i].digest[k] ^ digest[k]);
        if (!differ) {
            *client = g->known[i].client;
            return true;
        }
    }
    return false;
}

static bool known_secret(Guard *g, const char *secret, size_t n, uint64_t *client)
{
    uint8_t digest[32];
    Arena a = {0};
    const char *name;
    Sha256 *h = sha256_create();
    sha256_add(h, g->salt, sizeof g->salt);
    sha256_add(h, secret, n);
    sha256_finish(h, digest);
    if (remembered(g, digest, client))
        return true;
    bool known = store_token_check(g->store, secret, n, &a, &name);
    if (known) {
        *client = hash_bytes(name, strlen(name), 8) | 1;
        Known *k = &g->known[g->knowns < KNOWN ? g->knowns++ : 0];
        memcpy(k->digest, digest, sizeof digest);
        k->client = *client;
    }
    arena_release(&a);
    return known;
}

static bool refuse(Guard *g, const Request *r, bool given, Reply *out)
{
    double now = clock_now();
    Client *c = client_of(g, address_hash(r->from) ^ 2);
    double wait = wait_of(c, FAILURES, now);
    g->refused++;
    if (now - c->audited > 60) {
        char text[INET6_ADDRSTRLEN];
        c->audited = now;
        address_text(r->from, text);
        store_audit_add(g->store, text, given ? "wrong token" : "no token", "server", r->path,
                        NULL);
    }
    if (wait > 0)
        return too_many(g, wait, out);
    reply_error(out, 401,
                given ? "the token is not known, or it was revoked"
                      : "expected a header Authorization: Bearer TOKEN");
    return false;
}

bool guard_admits(Guard *g, const Request *r, bool open, Reply *out)
{
    if (!g || ((!g->tokens || open) && g->rate <= 0))
        return true;
    size_t n = 0;
    bool ok = true;
    const char *secret = secret_of(r->authorization, &n);
    pthread_mutex_lock(&g->lock);
    uint64_t client = address_hash(r->from);
    if (g->tokens && !open && !(secret && known_secret(g, secret, n, &client)))
        ok = refuse(g, r, secret != NULL, out);
    if (ok && g->rate > 0) {
        double wait = wait_of(client_of(g, client), g->rate, clock_now());
        ok = wait <= 0 || too_many(g, wait, out);
    }
    pthread_mutex_unlock(&g->lock);
    return ok;
}

void guard_print(Guard *g, Text *into)
{
    text_printf(into,
                "# HELP lathe_refused_total Requests without a token that is known.\n"
                "# TYPE lathe_refused_total counter\nlathe_refused_total %" PRIu64 "\n"
                "# HELP lathe_limited_total Requests beyond the rate of their token or address.\n"
                "# TYPE lathe_limited_total counter\nlathe_limited_total %" PRIu64 "\n",
                (uint64_t)g->refused, (uint64_t)g->limited);
}
