/* fetch_many.c -- addresses that mean several objects, sending one, and what of an address may be shown. */
#include "remote_int.h"

#include <fnmatch.h>
#include <string.h>
#include <strings.h>

static const char wild[] = "*?[";

bool fetch_is_many(const char *address)
{
    if (!text_starts(address, "s3://"))
        return false;
    const char *slash = strchr(address + 5, '/');
    return text_ends(address, "/") || (slash && strpbrk(slash, wild));
}

/* _SUCCESS, .crc, .hive-staging/...: what other tools leave beside their tables */
static bool hidden(const char *key)
{
    for (const char *part = key; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (*part == '.' || *part == '_')
            return true;
    }
    return text_ends(key, "/");
}

typedef struct Choice {
    const char *pattern; /* the whole key, as asked for */
    size_t fixed;        /* its beginning without wildcards */
    bool all;            /* a prefix */
} Choice;

static bool chosen(const Choice *c, const char *key)
{
    if (c->all)
        return !hidden(key + c->fixed);
    return fnmatch(c->pattern, key, FNM_PATHNAME | FNM_PERIOD) == 0 && !text_ends(key, "/");
}

/* An object whose key is the pattern itself, byte for byte, is meant by it, as with files. */
static void choose(const Choice *c, const char *bucket, RemoteList *l)
{
    size_t n = 0, exact = SIZE_MAX;
    for (size_t i = 0; i < l->count && !c->all; i++)
        if (text_equal(l->object[i].key, c->pattern))
            exact = i;
    for (size_t i = 0; i < l->count; i++) {
        RemoteObject o = l->object[i];
        if (exact == SIZE_MAX ? !chosen(c, o.key) || (c->all && !o.size) : i != exact)
            continue;
        o.key = arena_printf(&l->arena, "s3://%s/%s", bucket, o.key);
        l->object[n++] = o;
    }
    l->count = n;
}

bool fetch_list(const char *address, const RemoteSetup *setup, RemoteList *out, Error *err)
{
    const char *rest;
    *out = (RemoteList){0};
    S3 *s3 = s3_open(address, setup, &rest, err);
    if (!s3)
        return false;
    Choice c = {.pattern = rest, .fixed = strcspn(rest, wild)};
    c.all = !rest[c.fixed];
    char *prefix = mem_alloc(c.fixed + 1);
    memcpy(prefix, rest, c.fixed);
    bool ok = s3_list(s3, prefix, out, err);
    if (ok) {
        choose(&c, s3->bucket, out);
        ok = out->count ||
             error_set(err, ERROR_IO, "%s: no object %s", address, c.all ? "there" : "matches");
    }
    if (!ok)
        remote_list_release(out);
    mem_free(prefix);
    s3_close(s3);
    return ok;
}

bool fetch_put(const char *address, const char *path, const RemoteSetup *setup, Error *err)
{
    const char *key;
    if (!text_starts(address, "s3://") || fetch_is_many(address))
        return error_set(err, ERROR_USAGE, "%s: expected s3://BUCKET/KEY", address);
    S3 *s3 = s3_open(address, setup, &key, err);
    bool ok = s3 && (*key || error_set(err, ERROR_USAGE, "%s: names no object", address)) &&
              s3_put_file(s3, key, path, s3->patience.progress, err);
    s3_close(s3);
    return ok;
}

/* ---- names ------------------------------------------------------------------------------------------- */

static bool secret_parameter(const char *p, size_t n)
{
    static const char *const names[] = {
        "X-Amz-",        "Signature=", "AWSAccessKeyId=", "Expires=",     "sig=",      "token=",
        "access_token=", "key=",       "X-Goog-",         "Key-Pair-Id=", "password=", "api_key=",
        "apikey="};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (n >= strlen(names[i]) && !strncasecmp(p, names[i], strlen(names[i])))
            return true;
    return false;
}

static void add_query(const char *query, Text *into)
{
    char join = '?';
    while (*query && *query != '#') {
        size_t n = strcspn(query, "&#");
        if (!secret_parameter(query, n)) {
            text_putc(into, join);
            text_add(into, query, n);
            join = '&';
        }
        query += n + (query[n] == '&');
    }
}

char *fetch_public_name(const char *address, Arena *a)
{
    const char *scheme = strstr(address, "://");
    if (!text_starts(address, "http://") && !text_starts(address, "https://"))
        return arena_text(a, address);
    Text name = {0};
    const char *host = scheme + 3;
    size_t n = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', n);
    text_add(&name, address, (size_t)(host - address));
    n -= at ? (size_t)(at + 1 - host) : 0;
    host = at ? at + 1 : host;
    n += strcspn(host + n, "?#");
    text_add(&name, host, n);
    if (host[n] == '?')
        add_query(host + n + 1, &name);
    char *kept = arena_text(a, text_str(&name));
    text_release(&name);
    return kept;
}
