/* post.c -- a message to an address of http(s)://: sent within a time, again while that may help.
 *
 * For hooks: whoever waits for it has other things to do. Redirects are not followed, for the address is the
 * user's and what is sent was meant for it alone. */
#include "remote_int.h"

#include <string.h>

typedef struct Post {
    CURL *easy;
    struct curl_slist *headers;
    double until; /* clock_now() */
    Progress *progress;
    char why[CURL_ERROR_SIZE];
} Post;

static size_t pass_over(char *bytes, size_t one, size_t n, void *context)
{
    (void)bytes;
    (void)context;
    return one * n;
}

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    return progress_stopped(((Post *)context)->progress);
}

static void set_up(Post *p, const char *address, const void *body, size_t n, const RemoteSetup *s)
{
    CURL *c = p->easy;
    http_options(c, s, false, p->why);
    curl_easy_setopt(c, CURLOPT_URL, address);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, p->headers);
    curl_easy_setopt(c, CURLOPT_POST, 1L);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, pass_over);
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, p);
}

/* One try. *again: another may help. */
static bool once(Post *p, const char *name, bool *again, Error *err)
{
    double left = p->until - clock_now();
    long status = 0;
    *again = false;
    if (left <= 0)
        return http_failed(name, CURLE_OPERATION_TIMEDOUT, NULL, err);
    curl_easy_setopt(p->easy, CURLOPT_TIMEOUT_MS, (long)(left * 1000) + 1);
    CURLcode code = curl_easy_perform(p->easy);
    if (code != CURLE_OK) {
        *again = http_worth_another_try(code);
        return http_failed(name, code, p->why, err);
    }
    curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
    *again = http_busy(status);
    return (status >= 200 && status < 300) ||
           error_set(err, ERROR_IO, "%s: the server answered %ld", name, status);
}

bool fetch_post(const char *address, const char *type, const void *body, size_t n,
                const RemoteSetup *setup, double seconds, Error *err)
{
    RemoteSetup s = remote_usual(setup);
    Arena a = {0};
    const char *name = fetch_public_name(address, &a);
    if (!text_starts(address, "http://") && !text_starts(address, "https://")) {
        error_set(err, ERROR_USAGE, "%s: no address of http:// or https://", name);
        arena_release(&a);
        return false;
    }
    Post p = {.easy = curl_easy_init(), .until = clock_now() + seconds, .progress = s.progress};
    p.headers = curl_slist_append(NULL, arena_printf(&a, "Content-Type: %s", type));
    p.headers = curl_slist_append(p.headers, "Expect:"); /* no pause before the body */
    bool ok = false, again = true;
    set_up(&p, address, body, n, &s);
    for (int i = 0; i < s.tries && !ok && again; i++) {
        Error why = {0};
        if (i)
            http_pause(i - 1);
        ok = once(&p, name, &again, &why);
        if (!ok && (!again || i + 1 == s.tries || clock_now() >= p.until)) {
            if (err)
                *err = why;
            again = false;
        }
    }
    curl_slist_free_all(p.headers);
    curl_easy_cleanup(p.easy);
    arena_release(&a);
    return ok;
}
