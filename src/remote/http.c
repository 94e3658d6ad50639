/* http.c -- what streams and S3's requests share: when another try helps, how long to wait before it,
 * and what a failed connection means for people. */
#include "remote_int.h"

#include <time.h>

RemoteSetup remote_usual(const RemoteSetup *setup)
{
    RemoteSetup s = {.connect_seconds = 15,
                     .stall_seconds = 30,
                     .tries = 5,
                     .part_bytes = 64 << 20,
                     .stale_seconds = 3600};
    if (!setup)
        return s;
    if (setup->connect_seconds > 0)
        s.connect_seconds = setup->connect_seconds;
    if (setup->stall_seconds > 0)
        s.stall_seconds = setup->stall_seconds;
    if (setup->tries > 0)
        s.tries = setup->tries;
    if (setup->part_bytes)
        s.part_bytes = setup->part_bytes;
    if (setup->stale_seconds != 0)
        s.stale_seconds = setup->stale_seconds;
    s.progress = setup->progress;
    return s;
}

void http_options(CURL *c, const RemoteSetup *patience, bool path_as_is, char *why)
{
    long stall = (long)patience->stall_seconds;
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_PATH_AS_IS, path_as_is ? 1L : 0L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "lathe/" LATHE_VERSION);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(patience->connect_seconds * 1000));
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, stall > 0 ? stall : 1L);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
}

bool http_worth_another_try(CURLcode code)
{
    switch (code) {
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_COULDNT_CONNECT:
        return true;
    default:
        return false;
    }
}

bool http_busy(long status)
{
    return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

void http_pause(int failures)
{
    long ms = 100L << (failures < 6 ? failures : 6);
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

bool http_failed(const char *name, CURLcode code, const char *why, Error *err)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return error_set(err, ERROR_IO, "%s: no such host; check the address", name);
    case CURLE_COULDNT_CONNECT:
        return error_set(err, ERROR_IO, "%s: the server refuses the connection", name);
    case CURLE_OPERATION_TIMEDOUT:
        return error_set(err, ERROR_IO, "%s: the server does not answer (timed out)", name);
    case CURLE_TOO_MANY_REDIRECTS:
        return error_set(err, ERROR_IO, "%s: redirects in a circle", name);
    case CURLE_ABORTED_BY_CALLBACK:
        return error_set(err, ERROR_STOP, "stopped on request");
    default:
        return error_set(err, ERROR_IO, "%s: %s", name,
                         why && *why ? why : curl_easy_strerror(code));
    }
}
