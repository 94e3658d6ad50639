/* fetch.c -- one address of http(s):// or s3:// as a stream, through libcurl.
 *
 * Pulled, not pushed: fetch_read runs the transfer just far enough to have bytes, and the transfer
 * pauses while nobody reads. After a break (reset, stall, early end) it goes on with a Range from the
 * first byte it does not have, guarded by If-Range (S3: If-Match, and signed anew); a server that
 * answers with the whole again is skipped forward, and one that has another version by now is an error. */
#include "remote_int.h"

#include <inttypes.h>
#include <string.h>

#define BUFFER_MOST  ((size_t)4 << 20) /* then the transfer pauses */
#define REFUSAL_MOST ((size_t)64 << 10)

struct Fetch {
    char *url, *name; /* name: without what is secret in it */
    RemoteSetup setup;
    CURLM *multi;
    bool shared; /* multi is a queue's */
    CURL *easy;
    struct curl_slist *headers;
    S3 *s3; /* NULL: plain http */
    const char *key;
    char *address;
    Text buffer;
    size_t taken;   /* of the buffer */
    uint64_t given; /* bytes received and kept, in all */
    uint64_t skip;  /* bytes of this answer that are there already */
    uint64_t total;
    char tag[128];
    bool running, paused, done, checked;
    bool seen;    /* an answer was taken: `first` holds its head */
    bool refused; /* the answer is no object but says why not */
    Text refusal;
    S3Head first, now;   /* of the first answer; of this one */
    int failures, turns; /* attempts in a row without a new byte; redirects of S3 */
    char why[CURL_ERROR_SIZE];
    Error err; /* why it failed, told when it is read */
};

/* ---- what curl calls ---- */

static size_t on_header(char *line, size_t one, size_t n, void *context)
{
    (void)one;
    s3_head_line(&((Fetch *)context)->now, line, n);
    return n;
}

static bool same_version(const Fetch *f)
{
    if (f->first.etag[0] || f->now.etag[0])
        return !strcmp(f->first.etag, f->now.etag);
    return !strcmp(f->first.modified, f->now.modified);
}

static void make_tag(const S3Head *h, char tag[128])
{
    snprintf(tag, 128, "%s", h->etag[0] ? h->etag : h->modified);
}

static long status_of(const Fetch *f)
{
    long status = 0;
    curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/* The status of an answer, once, before its first byte is taken. */
static bool check_answer(Fetch *f)
{
    long status = status_of(f);
    f->checked = true;
    if (status >= (f->s3 ? 300 : 400)) {
        f->refused = true;
        return true;
    }
    bool rest = status == 206 && f->now.range_from == f->given;
    if (!f->seen) {
        f->seen = true;
        f->first = f->now;
        f->skip = rest ? 0 : f->given;
        f->total = f->now.length + (rest ? f->given : 0);
        make_tag(&f->now, f->tag);
        return true;
    }
    if (!same_version(f) || (status == 206 && !rest))
        return error_set(&f->err, ERROR_IO,
                         "%s: changed on the server while it was read; try again", f->name);
    f->skip = status == 206 ? 0 : f->given;
    return true;
}

static size_t on_body(char *bytes, size_t one, size_t n, void *context)
{
    (void)one;
    Fetch *f = context;
    if (!f->checked && !check_answer(f))
        return CURL_WRITEFUNC_ERROR;
    if (f->refused) {
        if (f->refusal.count < REFUSAL_MOST)
            text_add(&f->refusal, bytes, n);
        return n;
    }
    if (f->buffer.count - f->taken > BUFFER_MOST) {
        f->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    size_t old = f->skip < n ? (size_t)f->skip : n;
    f->skip -= old;
    text_add(&f->buffer, bytes + old, n - old);
    f->given += n - old;
    if (n > old)
        f->failures = f->turns = 0;
    return n;
}

/* ---- transfers ---- */

static void set_options(Fetch *f)
{
    CURL *c = f->easy;
    http_options(c, &f->setup, f->s3, f->why);
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION,
                     f->s3 ? 0L : 1L); /* S3's are signed for their host */
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, 10L);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, f);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(c, CURLOPT_PRIVATE, f);
    curl_easy_setopt(c, CURLOPT_BUFFERSIZE, 256L << 10);
}

static void guard(Fetch *f, const char *how, const char *what)
{
    Text line = {0};
    text_printf(&line, "%s: %s", how, what);
    f->headers = curl_slist_append(f->headers, text_str(&line));
    text_release(&line);
}

/* The rest of this version, or the whole of the new one (S3: or a refusal). Weak ETags do not serve. */
static void ask_for_rest(Fetch *f)
{
    char range[64];
    const S3Head *h = &f->first;
    snprintf(range, sizeof range, "%" PRIu64 "-", f->given);
    curl_easy_setopt(f->easy, CURLOPT_RANGE, range);
    if (h->etag[0] && strncmp(h->etag, "W/", 2))
        guard(f, f->s3 ? "If-Match" : "If-Range", h->etag);
    else if (h->modified[0])
        guard(f, f->s3 ? "If-Unmodified-Since" : "If-Range", h->modified);
}

static void begin(Fetch *f)
{
    f->checked = f->paused = f->refused = false;
    f->skip = 0;
    f->why[0] = 0;
    text_reset(&f->refusal);
    s3_head_begin(&f->now);
    curl_slist_free_all(f->headers);
    f->headers = NULL;
    if (f->given)
        ask_for_rest(f);
    if (f->s3) {
        mem_free(f->url);
        f->url = s3_url(f->s3, f->key, "");
        f->headers = s3_headers(f->s3, "GET", f->key, "", sha256_of_nothing, f->headers);
    }
    curl_easy_setopt(f->easy, CURLOPT_URL, f->url);
    curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, f->headers);
    curl_multi_add_handle(f->multi, f->easy);
    f->running = true;
}

static bool explain_refusal(Fetch *f, long status)
{
    Error *err = &f->err;
    if (f->s3)
        return s3_refused(f->s3, f->key, status, &f->refusal, err);
    const char *what = status == 404   ? "not found (404)"
                       : status == 401 ? "asks for a password (401)"
                       : status == 403 ? "access refused (403)"
                                       : NULL;
    if (what)
        return error_set(err, ERROR_IO, "%s: %s; check the address", f->name, what);
    return error_set(err, ERROR_IO, "%s: the server answered %ld", f->name, status);
}

static bool explain(Fetch *f, CURLcode code)
{
    Error *err = &f->err;
    if (code == CURLE_PARTIAL_FILE)
        return error_set(err, ERROR_IO,
                         "%s: the connection broke after %" PRIu64 " bytes, %d times", f->name,
                         f->given, f->failures);
    return http_failed(f->name, code, f->why, err);
}

/* A refusal: elsewhere, later, or never. */
static bool finish_refused(Fetch *f)
{
    long status = status_of(f);
    if (status == 416 && f->given && !f->seen) /* there is no more than what is here */
        return f->done = true;
    if (f->s3 && f->turns < 4 && s3_turn(f->s3, status, &f->now, &f->refusal)) {
        f->turns++;
        begin(f);
        return true;
    }
    if (!http_busy(status) || ++f->failures >= f->setup.tries)
        return explain_refusal(f, status);
    http_pause(f->failures);
    begin(f);
    return true;
}

/* The transfer is over: done, another try, or an error. */
static bool finish(Fetch *f, CURLcode code)
{
    curl_multi_remove_handle(f->multi, f->easy);
    f->running = false;
    if (f->err.kind != ERROR_NONE)
        return false;
    if (code == CURLE_OK && !f->checked && !check_answer(f)) /* no body at all */
        return false;
    if (f->refused)
        return finish_refused(f);
    if (code == CURLE_OK)
        return f->done = true;
    f->failures++;
    bool first = !f->given && code == CURLE_COULDNT_CONNECT;
    if (!http_worth_another_try(code) || first || f->failures >= f->setup.tries)
        return explain(f, code);
    http_pause(f->failures);
    begin(f);
    return true;
}

/* Drives all transfers of the multi handle: this one, and in a queue those behind it. */
static bool pump(Fetch *f, Error *err)
{
    int running, left;
    if (progress_stopped(f->setup.progress))
        return error_set(err, ERROR_STOP, "stopped on request");
    if (f->paused) {
        f->paused = false;
        curl_easy_pause(f->easy, CURLPAUSE_CONT);
    }
    curl_multi_perform(f->multi, &running);
    for (CURLMsg *m; (m = curl_multi_info_read(f->multi, &left));) {
        Fetch *other = NULL;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &other);
        if (m->msg == CURLMSG_DONE)
            finish(other, m->data.result);
    }
    if (f->err.kind != ERROR_NONE)
        return error_set(err, f->err.kind, "%s", f->err.text);
    if (!f->done && f->taken == f->buffer.count)
        curl_multi_poll(f->multi, NULL, 0, 200, NULL);
    return true;
}

bool fetch_read(Fetch *f, void *into, size_t room, size_t *got, Error *err)
{
    while (f->taken == f->buffer.count && !f->done) {
        text_reset(&f->buffer);
        f->taken = 0;
        if (!pump(f, err))
            return false;
    }
    size_t left = f->buffer.count - f->taken;
    *got = left < room ? left : room;
    memcpy(into, f->buffer.at ? f->buffer.at + f->taken : "", *got);
    f->taken += *got;
    return true;
}

/* ---- opening ---- */

bool fetch_knows(const char *address)
{
    return text_starts(address, "http://") || text_starts(address, "https://") ||
           text_starts(address, "s3://");
}

void fetch_close(Fetch *f)
{
    if (!f)
        return;
    if (f->running)
        curl_multi_remove_handle(f->multi, f->easy);
    if (f->easy)
        curl_easy_cleanup(f->easy);
    if (f->multi && !f->shared)
        curl_multi_cleanup(f->multi);
    curl_slist_free_all(f->headers);
    text_release(&f->buffer), text_release(&f->refusal);
    s3_close(f->s3);
    mem_free(f->url), mem_free(f->name), mem_free(f->address);
    mem_free(f);
}

static Fetch *create(CURLM *shared, const char *address, const RemoteSetup *setup, Error *err)
{
    Arena arena = {0};
    Fetch *f = mem_alloc(sizeof *f);
    f->name = text_copy(fetch_public_name(address, &arena));
    f->address = text_copy(address);
    f->setup = remote_usual(setup);
    arena_release(&arena);
    f->shared = shared != NULL;
    f->multi = shared ? shared : curl_multi_init();
    f->easy = curl_easy_init();
    bool ok =
        (f->multi && f->easy) || error_set(err, ERROR_IO, "%s: libcurl does not start", f->name);
    if (ok && text_starts(address, "s3://")) {
        f->s3 = s3_open(f->address, setup, &f->key, err);
        ok = f->s3 && (*f->key || error_set(err, ERROR_USAGE,
                                            "%s: names no object; for all of the "
                                            "bucket put a slash behind it",
                                            f->name));
    } else if (ok) {
        f->url = text_copy(address);
    }
    if (ok) {
        set_options(f);
        return f;
    }
    fetch_close(f);
    return NULL;
}

Fetch *fetch_open_on(CURLM *shared, const char *address, const RemoteSetup *setup, Error *err)
{
    Fetch *f = create(shared, address, setup, err);
    if (f)
        begin(f);
    return f;
}

Fetch *fetch_open(const char *address, const RemoteSetup *setup, Error *err)
{
    return fetch_open_on(NULL, address, setup, err);
}

uint64_t fetch_total(const Fetch *f)
{
    return f->total;
}

const char *fetch_tag(const Fetch *f)
{
    return f->tag;
}

static bool ask_s3(Fetch *f, char tag[128])
{
    S3Call c = {.method = "HEAD", .key = f->key, .query = ""};
    bool ok = s3_call(f->s3, &c, NULL) && c.status == 200;
    if (ok)
        make_tag(&c.head, tag);
    s3_call_release(&c);
    return ok;
}

Fetch *fetch_open_at(const char *address, uint64_t from, const RemoteSetup *setup, Error *err)
{
    Fetch *f = create(NULL, address, setup, err);
    if (f) {
        f->given = from;
        begin(f);
    }
    return f;
}

bool fetch_ask_tag(const char *address, const RemoteSetup *setup, char tag[128])
{
    tag[0] = 0;
    Fetch *f = create(NULL, address, setup, NULL);
    if (f && f->s3) {
        ask_s3(f, tag);
    } else if (f) {
        s3_head_begin(&f->now);
        curl_easy_setopt(f->easy, CURLOPT_URL, f->url);
        curl_easy_setopt(f->easy, CURLOPT_NOBODY, 1L);
        if (curl_easy_perform(f->easy) == CURLE_OK && status_of(f) == 200)
            make_tag(&f->now, tag);
    }
    fetch_close(f);
    return tag[0] != 0;
}
