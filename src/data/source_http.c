/* source_http.c -- http:// and https:// as a stream, through libcurl.
 *
 * Pulled, not pushed: read() runs the transfer just far enough to have bytes, and the transfer
 * pauses while nobody reads. After a break (reset, stall, early end) it goes on with a Range from
 * the first byte it does not have, guarded by If-Range; a server that answers with the whole again
 * is skipped forward, and one that has another version by now is an error. */
#include "reader_int.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define BUFFER_MOST ((size_t)4 << 20) /* then the transfer pauses */

typedef struct Http {
    Stream stream;
    char *url;
    SourceSetup setup;
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    Text buffer;
    size_t taken;   /* of the buffer */
    uint64_t given; /* bytes received and kept, in all */
    uint64_t skip;  /* bytes of this answer that are there already */
    bool running, paused, done, checked;
    char etag[100], modified[64]; /* of the first answer */
    char now_etag[100], now_modified[64];
    uint64_t length, range_from; /* of the answer being received */
    int failures;                /* attempts in a row without a new byte */
    char why[CURL_ERROR_SIZE];
    Error err; /* set inside a callback */
} Http;

static const SourceSetup usual = {.connect_seconds = 15, .stall_seconds = 30, .tries = 5};

/* ---- what curl calls ---- */

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

static size_t on_header(char *line, size_t one, size_t n, void *context)
{
    (void)one;
    Http *h = context;
    char value[128];
    if (n > 5 && !strncmp(line, "HTTP/", 5)) { /* of a redirect, or the answer itself */
        h->now_etag[0] = h->now_modified[0] = 0;
        h->length = 0;
        h->range_from = UINT64_MAX;
    } else if (header_value(line, n, "content-length", value, sizeof value)) {
        h->length = strtoull(value, NULL, 10);
    } else if (header_value(line, n, "content-range", value, sizeof value)) {
        sscanf(value, "bytes %" SCNu64, &h->range_from);
    } else {
        header_value(line, n, "etag", h->now_etag, sizeof h->now_etag);
        header_value(line, n, "last-modified", h->now_modified, sizeof h->now_modified);
    }
    return n;
}

static bool same_version(const Http *h)
{
    if (h->etag[0] || h->now_etag[0])
        return !strcmp(h->etag, h->now_etag);
    return !strcmp(h->modified, h->now_modified);
}

static void make_tag(const Http *h, char tag[128])
{
    snprintf(tag, 128, "%s", h->now_etag[0] ? h->now_etag : h->now_modified);
}

/* The status of an answer, once, before its first byte is taken. */
static bool check_answer(Http *h)
{
    long status = 0;
    h->checked = true;
    curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 400) {
        const char *what = status == 404   ? "not found (404)"
                           : status == 401 ? "asks for a password (401)"
                           : status == 403 ? "access refused (403)"
                                           : NULL;
        if (what)
            return error_set(&h->err, ERROR_IO, "%s: %s; check the address", h->url, what);
        return error_set(&h->err, ERROR_IO, "%s: the server answered %ld", h->url, status);
    }
    if (!h->given) {
        memcpy(h->etag, h->now_etag, sizeof h->etag);
        memcpy(h->modified, h->now_modified, sizeof h->modified);
        h->stream.total = h->length;
        make_tag(h, h->stream.tag);
        return true;
    }
    if (!same_version(h) || (status == 206 && h->range_from != h->given))
        return error_set(&h->err, ERROR_IO,
                         "%s: changed on the server while it was read; try again", h->url);
    h->skip = status == 206 ? 0 : h->given;
    return true;
}

static size_t on_body(char *bytes, size_t one, size_t n, void *context)
{
    (void)one;
    Http *h = context;
    if (!h->checked && !check_answer(h))
        return CURL_WRITEFUNC_ERROR;
    if (h->buffer.count - h->taken > BUFFER_MOST) {
        h->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    size_t old = h->skip < n ? (size_t)h->skip : n;
    h->skip -= old;
    text_add(&h->buffer, bytes + old, n - old);
    h->given += n - old;
    if (n > old)
        h->failures = 0;
    return n;
}

/* ---- transfers ---- */

static void set_options(Http *h)
{
    CURL *c = h->easy;
    curl_easy_setopt(c, CURLOPT_URL, h->url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, 10L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "lathe/" LATHE_VERSION);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(h->setup.connect_seconds * 1000));
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    long stall = (long)h->setup.stall_seconds;
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, stall > 0 ? stall : 1L);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, h);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, h);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->why);
    curl_easy_setopt(c, CURLOPT_BUFFERSIZE, 256L << 10);
}

/* If-Range: the rest of this version, or the whole of the new one. Weak ETags do not serve. */
static void ask_for_rest(Http *h)
{
    char range[64];
    snprintf(range, sizeof range, "%" PRIu64 "-", h->given);
    curl_easy_setopt(h->easy, CURLOPT_RANGE, range);
    const char *guard = h->etag[0] && strncmp(h->etag, "W/", 2) ? h->etag : h->modified;
    curl_slist_free_all(h->headers);
    h->headers = NULL;
    if (guard[0]) {
        char line[140];
        snprintf(line, sizeof line, "If-Range: %s", guard);
        h->headers = curl_slist_append(NULL, line);
    }
    curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->headers);
}

static void begin(Http *h)
{
    h->checked = h->paused = false;
    h->skip = 0;
    h->why[0] = 0;
    if (h->given)
        ask_for_rest(h);
    curl_multi_add_handle(h->multi, h->easy);
    h->running = true;
}

static bool worth_another_try(CURLcode code)
{
    switch (code) {
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return true;
    case CURLE_COULDNT_CONNECT:
        return true;
    default:
        return false;
    }
}

static void pause_before_retry(int failures)
{
    long ms = 100L << (failures < 6 ? failures : 6);
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static bool explain(const Http *h, CURLcode code, Error *err)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return error_set(err, ERROR_IO, "%s: no such host; check the address", h->url);
    case CURLE_COULDNT_CONNECT:
        return error_set(err, ERROR_IO, "%s: the server refuses the connection", h->url);
    case CURLE_OPERATION_TIMEDOUT:
        return error_set(err, ERROR_IO, "%s: the server does not answer (timed out)", h->url);
    case CURLE_PARTIAL_FILE:
        return error_set(err, ERROR_IO,
                         "%s: the connection broke after %" PRIu64 " bytes, %d times", h->url,
                         h->given, h->failures);
    case CURLE_TOO_MANY_REDIRECTS:
        return error_set(err, ERROR_IO, "%s: redirects in a circle", h->url);
    default:
        return error_set(err, ERROR_IO, "%s: %s", h->url,
                         h->why[0] ? h->why : curl_easy_strerror(code));
    }
}

/* The transfer is over: done, another try, or an error. */
static bool finish(Http *h, CURLcode code, Error *err)
{
    curl_multi_remove_handle(h->multi, h->easy);
    h->running = false;
    if (h->err.kind != ERROR_NONE)
        return error_set(err, h->err.kind, "%s", h->err.text);
    if (code == CURLE_OK) {
        if (!h->checked && !check_answer(h)) /* no body at all */
            return error_set(err, h->err.kind, "%s", h->err.text);
        h->done = true;
        return true;
    }
    h->failures++;
    bool first = !h->given && code == CURLE_COULDNT_CONNECT;
    if (!worth_another_try(code) || first || h->failures >= h->setup.tries)
        return explain(h, code, err);
    pause_before_retry(h->failures);
    begin(h);
    return true;
}

static bool pump(Http *h, Error *err)
{
    int running, left;
    if (progress_stopped(h->setup.progress))
        return error_set(err, ERROR_STOP, "stopped on request");
    if (h->paused) {
        h->paused = false;
        curl_easy_pause(h->easy, CURLPAUSE_CONT);
    }
    curl_multi_perform(h->multi, &running);
    for (CURLMsg *m; (m = curl_multi_info_read(h->multi, &left));)
        if (m->msg == CURLMSG_DONE && !finish(h, m->data.result, err))
            return false;
    if (!h->done && h->taken == h->buffer.count)
        curl_multi_poll(h->multi, NULL, 0, 200, NULL);
    return true;
}

static bool http_read(Stream *s, uint8_t *into, size_t room, size_t *got, Error *err)
{
    Http *h = (Http *)s;
    while (h->taken == h->buffer.count && !h->done) {
        text_reset(&h->buffer);
        h->taken = 0;
        if (!pump(h, err))
            return false;
    }
    size_t left = h->buffer.count - h->taken;
    *got = left < room ? left : room;
    memcpy(into, h->buffer.at ? h->buffer.at + h->taken : "", *got);
    h->taken += *got;
    return true;
}

static void http_close(Stream *s)
{
    Http *h = (Http *)s;
    if (h->running)
        curl_multi_remove_handle(h->multi, h->easy);
    curl_easy_cleanup(h->easy);
    curl_multi_cleanup(h->multi);
    curl_slist_free_all(h->headers);
    text_release(&h->buffer);
    mem_free(h->url);
    mem_free(h);
}

static Http *http_create(const char *url, const SourceSetup *setup)
{
    Http *h = mem_alloc(sizeof *h);
    h->stream = (Stream){.read = http_read, .close = http_close};
    h->url = text_copy(url);
    h->setup = usual;
    if (setup && setup->connect_seconds > 0)
        h->setup.connect_seconds = setup->connect_seconds;
    if (setup && setup->stall_seconds > 0)
        h->setup.stall_seconds = setup->stall_seconds;
    if (setup && setup->tries > 0)
        h->setup.tries = setup->tries;
    h->setup.progress = setup ? setup->progress : NULL;
    h->multi = curl_multi_init();
    h->easy = curl_easy_init();
    if (h->easy)
        set_options(h);
    return h;
}

bool http_tag(const char *url, char tag[128])
{
    Http *h = http_create(url, NULL);
    long status = 0;
    tag[0] = 0;
    if (h->easy) {
        curl_easy_setopt(h->easy, CURLOPT_NOBODY, 1L);
        if (curl_easy_perform(h->easy) == CURLE_OK)
            curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
    }
    if (status == 200)
        make_tag(h, tag);
    http_close(&h->stream);
    return tag[0] != 0;
}

Stream *http_stream(const char *url, const SourceSetup *setup, Error *err)
{
    Http *h = http_create(url, setup);
    if (!h->multi || !h->easy) {
        error_set(err, ERROR_IO, "%s: libcurl does not start", url);
        http_close(&h->stream);
        return NULL;
    }
    begin(h);
    return &h->stream;
}
