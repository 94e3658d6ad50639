/* s3.c -- requests to one bucket: where they go, how they are signed, asked again and redirected.
 *
 * Amazon's own store is addressed as https://BUCKET.s3.REGION.amazonaws.com/KEY (a bucket whose name
 * is no host's label: s3.REGION.amazonaws.com/BUCKET/KEY), any other as ENDPOINT/BUCKET/KEY. An answer
 * that names another region is believed and the request signed anew for it. */
#include "remote_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define ANSWER_MOST ((size_t)64 << 20)
#define TURNS_MOST  4

const char sha256_of_nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/* ---- where ------------------------------------------------------------------------------------------ */

static bool good_bucket(const char *name)
{
    size_t n = strlen(name);
    bool ok = n >= 1 && n <= 255 && strcmp(name, ".") && strcmp(name, "..");
    for (const char *c = name; ok && *c; c++)
        ok = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
             strchr(".-_", *c);
    return ok;
}

static bool host_label(const char *name)
{
    for (const char *c = name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '-'))
            return false;
    return strlen(name) >= 3 && strlen(name) <= 63;
}

static void replace(char **at, char *with)
{
    mem_free(*at);
    *at = with;
}

static void aim(S3 *s)
{
    Text host = {0}, base = {0};
    const char *endpoint = s->setup.endpoint,
               *begin = endpoint ? strstr(endpoint, "://") + 3 : NULL;
    if (endpoint) {
        size_t n = strcspn(begin, "/");
        text_add(&host, begin, n);
        text_printf(&base, "%s/%s", begin + n, s->bucket);
    } else if (host_label(s->bucket)) {
        text_printf(&host, "%s.s3.%s.amazonaws.com", s->bucket, s->setup.region);
    } else {
        text_printf(&host, "s3.%s.amazonaws.com", s->setup.region);
        text_printf(&base, "/%s", s->bucket);
    }
    if (!endpoint && text_starts(s->setup.region, "cn-"))
        text_puts(&host, ".cn");
    replace(&s->host, text_take(&host));
    text_puts(&base, "");
    replace(&s->base, base.at ? text_take(&base) : text_copy(""));
    replace(&s->scheme, text_copy(endpoint && text_starts(endpoint, "http://") ? "http" : "https"));
}

S3 *s3_open(const char *address, const RemoteSetup *setup, const char **rest, Error *err)
{
    const char *begin = address + strlen("s3://");
    size_t n = strcspn(begin, "/");
    S3 *s = mem_alloc(sizeof *s);
    s->bucket = mem_alloc(n + 1);
    memcpy(s->bucket, begin, n);
    s->patience = remote_usual(setup);
    *rest = begin[n] ? begin + n + 1 : begin + n;
    bool ok = good_bucket(s->bucket) ||
              error_set(err, ERROR_USAGE, "%.300s: expected s3://BUCKET/KEY", address);
    if (!ok || !s3_setup_load(&s->setup, err)) {
        s3_close(s);
        return NULL;
    }
    aim(s);
    return s;
}

void s3_close(S3 *s)
{
    if (!s)
        return;
    if (s->curl)
        curl_easy_cleanup(s->curl);
    s3_setup_release(&s->setup);
    mem_free(s->bucket), mem_free(s->host), mem_free(s->base), mem_free(s->scheme);
    mem_free(s);
}

static void print_path(const S3 *s, const char *key, Text *into)
{
    sigv4_encode(s->base, true, into);
    if (*key || !*s->base)
        text_putc(into, '/');
    sigv4_encode(key, true, into);
}

char *s3_url(const S3 *s, const char *key, const char *query)
{
    Text url = {0};
    text_printf(&url, "%s://%s", s->scheme, s->host);
    print_path(s, key, &url);
    text_printf(&url, "%s%s", *query ? "?" : "", query);
    return text_take(&url);
}

static struct curl_slist *add(struct curl_slist *list, const char *name, const char *value)
{
    Text line = {0};
    text_printf(&line, "%s: %s", name, value);
    list = curl_slist_append(list, text_str(&line));
    text_release(&line);
    return list;
}

struct curl_slist *s3_headers(const S3 *s, const char *method, const char *key, const char *query,
                              const char *payload, struct curl_slist *more)
{
    more = add(more, "Host", s->host);
    if (!s->setup.access)
        return more;
    Text path = {0}, authorization = {0}, date = {0};
    print_path(s, key, &path);
    SigV4 sign = {.method = method,
                  .host = s->host,
                  .path = text_str(&path),
                  .query = query,
                  .payload = payload,
                  .access = s->setup.access,
                  .secret = s->setup.secret,
                  .token = s->setup.token,
                  .region = s->setup.region,
                  .time = time_now()};
    sigv4_sign(&sign, &authorization, &date);
    more = add(more, "x-amz-date", date.at);
    more = add(more, "x-amz-content-sha256", payload);
    if (s->setup.token)
        more = add(more, "x-amz-security-token", s->setup.token);
    more = add(more, "Authorization", authorization.at);
    text_release(&path), text_release(&authorization), text_release(&date);
    return more;
}

/* ---- what an answer's head says ------------------------------------------------------------------------ */

void s3_head_begin(S3Head *h)
{
    *h = (S3Head){.range_from = UINT64_MAX};
}

static bool header_value(const char *line, size_t n, const char *name, char *out, size_t room)
{
    size_t named = strlen(name);
    if (n <= named || strncasecmp(line, name, named) || line[named] != ':')
        return false;
    line += named + 1, n -= named + 1;
    while (n && (*line == ' ' || *line == '\t'))
        line++, n--;
    while (n && (line[n - 1] == '\r' || line[n - 1] == '\n' || line[n - 1] == ' '))
        n--;
    if (n >= room)
        n = room - 1;
    memcpy(out, line, n);
    out[n] = 0;
    return true;
}

void s3_head_line(S3Head *h, const char *line, size_t n)
{
    char value[128];
    if (n > 5 &&
        !strncmp(line, "HTTP/", 5)) /* of a redirect, of 100 Continue, or the answer itself */
        s3_head_begin(h);
    else if (header_value(line, n, "content-length", value, sizeof value))
        h->length = strtoull(value, NULL, 10);
    else if (header_value(line, n, "content-range", value, sizeof value))
        sscanf(value, "bytes %" SCNu64, &h->range_from);
    else if (!header_value(line, n, "etag", h->etag, sizeof h->etag) &&
             !header_value(line, n, "last-modified", h->modified, sizeof h->modified) &&
             !header_value(line, n, "x-amz-bucket-region", h->region, sizeof h->region))
        header_value(line, n, "location", h->location, sizeof h->location);
}

static bool turn_to_region(S3 *s, const char *region)
{
    if (!*region || text_equal(region, s->setup.region) ||
        region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")])
        return false;
    replace(&s->setup.region, text_copy(region));
    aim(s);
    return true;
}

/* http://host/BUCKET/KEY or http://BUCKET.host/KEY: only the host may be another. */
static bool turn_to_host(S3 *s, const char *location)
{
    const char *host = strstr(location, "://");
    bool plain = text_starts(location, "http://");
    if (!host || (plain && text_equal(s->scheme, "https")) ||
        (!plain && !text_starts(location, "https://")))
        return false;
    host += 3;
    size_t n = strcspn(host, "/?#");
    if (!n || memchr(host, '@', n) || (strlen(s->host) == n && !strncasecmp(host, s->host, n)))
        return false;
    Text now = {0};
    text_add(&now, host, n);
    bool named = text_starts(now.at, s->bucket) && now.at[strlen(s->bucket)] == '.';
    replace(&s->host, text_take(&now));
    replace(&s->scheme, text_copy(plain ? "http" : "https"));
    if (named)
        replace(&s->base, text_copy(""));
    return true;
}

bool s3_turn(S3 *s, long status, const S3Head *head, const Text *answer)
{
    bool elsewhere = status == 301 || status == 302 || status == 307 || status == 308;
    if (!elsewhere && status != 400 && status != 403)
        return false;
    Text region = {0};
    bool turned = turn_to_region(s, head->region);
    if (!turned && status == 400 && s3_read_word(answer, "Region", &region))
        turned = turn_to_region(s, text_str(&region));
    text_release(&region);
    return turned || (elsewhere && turn_to_host(s, head->location));
}

/* ---- asking -------------------------------------------------------------------------------------------- */

typedef struct Ask {
    S3 *s3;
    S3Call *call;
    uint64_t sent;
} Ask;

static size_t on_header(char *line, size_t one, size_t n, void *context)
{
    (void)one;
    s3_head_line(&((Ask *)context)->call->head, line, n);
    return n;
}

static size_t on_body(char *bytes, size_t one, size_t n, void *context)
{
    (void)one;
    S3Call *c = ((Ask *)context)->call;
    if (c->answer.count + n > ANSWER_MOST)
        return 0;
    text_add(&c->answer, bytes, n);
    return n;
}

static size_t on_send(char *into, size_t one, size_t room, void *context)
{
    Ask *a = context;
    S3Call *c = a->call;
    room *= one;
    size_t n = c->size - a->sent < room ? (size_t)(c->size - a->sent) : room;
    if (c->body) {
        memcpy(into, c->body + a->sent, n);
    } else if (n) {
        ssize_t got = pread(c->fd, into, n, (off_t)(c->from + a->sent));
        if (got <= 0)
            return CURL_READFUNC_ABORT;
        n = (size_t)got;
    }
    a->sent += n;
    return n;
}

static int on_seek(void *context, curl_off_t to, int origin)
{
    if (origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    ((Ask *)context)->sent = (uint64_t)to;
    return CURL_SEEKFUNC_OK;
}

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    const Ask *ask = context;
    return progress_stopped(ask->call->progress) || progress_stopped(ask->s3->patience.progress);
}

static void set_options(S3 *s, Ask *a, const char *url, struct curl_slist *headers, char *why)
{
    CURL *c = s->curl;
    S3Call *call = a->call;
    curl_easy_reset(c); /* connections stay */
    http_options(c, &s->patience, true, why);
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, call->method);
    if (text_equal(call->method, "HEAD"))
        curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
    if (call->body || call->size || text_equal(call->method, "PUT")) {
        curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)call->size);
        curl_easy_setopt(c, CURLOPT_READFUNCTION, on_send);
        curl_easy_setopt(c, CURLOPT_READDATA, a);
        curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(c, CURLOPT_SEEKDATA, a);
        curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
    } else if (text_equal(call->method, "POST")) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, "");
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, 0L);
    }
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, a);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, a);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, a);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
}

static bool hash_body(const S3Call *c, char hex[65], Error *err)
{
    uint8_t digest[32], block[65536];
    Sha256 *h = sha256_create();
    bool ok = true;
    if (c->body)
        sha256_add(h, c->body, (size_t)c->size);
    for (uint64_t at = 0; ok && !c->body && at < c->size;) {
        size_t room = c->size - at < sizeof block ? (size_t)(c->size - at) : sizeof block;
        ssize_t got = pread(c->fd, block, room, (off_t)(c->from + at));
        ok = got > 0 || error_set(err, ERROR_IO, "became shorter while it was sent");
        if (ok)
            sha256_add(h, block, (size_t)got), at += (uint64_t)got;
    }
    sha256_finish(h, digest);
    sha256_hex(digest, hex);
    return ok;
}

static CURLcode ask_once(S3 *s, S3Call *c, const char *payload, char why[CURL_ERROR_SIZE])
{
    Ask a = {.s3 = s, .call = c};
    char *url = s3_url(s, c->key, c->query);
    struct curl_slist *headers = NULL;
    if (c->size) /* neither a form nor anything else curl would guess */
        headers = curl_slist_append(headers, "Content-Type: application/octet-stream");
    if (c->size < 1 << 20)
        headers = curl_slist_append(headers, "Expect:");
    headers = s3_headers(s, c->method, c->key, c->query, payload, headers);
    text_reset(&c->answer);
    s3_head_begin(&c->head);
    why[0] = 0;
    set_options(s, &a, url, headers, why);
    CURLcode code = curl_easy_perform(s->curl);
    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &c->status);
    curl_slist_free_all(headers);
    mem_free(url);
    return code;
}

bool s3_call(S3 *s, S3Call *c, Error *err)
{
    char payload[65], why[CURL_ERROR_SIZE];
    if (!s->curl && !(s->curl = curl_easy_init()))
        return error_set(err, ERROR_IO, "libcurl does not start");
    if (!hash_body(c, payload, err))
        return false;
    for (int failures = 0, turns = 0;;) {
        CURLcode code = ask_once(s, c, payload, why);
        /* a server may answer and hang up before it took the whole body */
        bool answered = code == CURLE_OK || (c->status >= 300 && code != CURLE_ABORTED_BY_CALLBACK);
        if (answered && turns < TURNS_MOST && s3_turn(s, c->status, &c->head, &c->answer)) {
            turns++;
            continue;
        }
        if (answered && !http_busy(c->status))
            return true;
        if (++failures >= s->patience.tries || (!answered && !http_worth_another_try(code))) {
            if (answered)
                return true;
            Text name = {0};
            text_printf(&name, "s3://%s/%s", s->bucket, c->key);
            http_failed(text_str(&name), code, why, err);
            text_release(&name);
            return false;
        }
        http_pause(failures);
    }
}

void s3_call_release(S3Call *c)
{
    text_release(&c->answer);
}
