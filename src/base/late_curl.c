/* late_curl.c -- libcurl, loaded with the first request. See late.h. */
#include "late.h"

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include <stdarg.h>

#undef curl_easy_setopt /* without the check of types these are macros that count their arguments */
#undef curl_easy_getinfo

LATE(CURL, CURL *, curl_easy_init, (void), ())
LATE(CURL, void, curl_easy_cleanup, (CURL *h), (h))
LATE(CURL, void, curl_easy_reset, (CURL *h), (h))
LATE(CURL, CURLcode, curl_easy_perform, (CURL *h), (h))
LATE(CURL, CURLcode, curl_easy_pause, (CURL *h, int mask), (h, mask))
LATE(CURL, const char *, curl_easy_strerror, (CURLcode code), (code))
LATE(CURL, curl_version_info_data *, curl_version_info, (CURLversion which), (which))
LATE(CURL, struct curl_slist *, curl_slist_append, (struct curl_slist *l, const char *line), (l, line))
LATE(CURL, void, curl_slist_free_all, (struct curl_slist *l), (l))
LATE(CURL, CURLM *, curl_multi_init, (void), ())
LATE(CURL, CURLMcode, curl_multi_cleanup, (CURLM *m), (m))
LATE(CURL, CURLMcode, curl_multi_add_handle, (CURLM *m, CURL *h), (m, h))
LATE(CURL, CURLMcode, curl_multi_remove_handle, (CURLM *m, CURL *h), (m, h))
LATE(CURL, CURLMcode, curl_multi_perform, (CURLM *m, int *running), (m, running))
LATE(CURL, CURLMsg *, curl_multi_info_read, (CURLM *m, int *left), (m, left))
LATE(CURL, CURLMcode, curl_multi_poll, (CURLM *m, struct curl_waitfd fds[], unsigned n, int ms, int *ready),
     (m, fds, n, ms, ready))

/* Options are longs, offsets or pointers by their number: curl.h says so beside CURLOPTTYPE_OFF_T. */
CURLcode curl_easy_setopt(CURL *h, CURLoption option, ...)
{
    LATE_REAL(CURL, curl_easy_setopt)
    va_list args;
    CURLcode code;
    va_start(args, option);
    if (option < CURLOPTTYPE_OBJECTPOINT)
        code = real(h, option, va_arg(args, long));
    else if (option < CURLOPTTYPE_OFF_T || option >= CURLOPTTYPE_BLOB)
        code = real(h, option, va_arg(args, void *)); /* to functions, too: the two are one size here */
    else
        code = real(h, option, va_arg(args, curl_off_t));
    va_end(args);
    return code;
}

/* All answers are put where a pointer points. */
CURLcode curl_easy_getinfo(CURL *h, CURLINFO info, ...)
{
    LATE_REAL(CURL, curl_easy_getinfo)
    va_list args;
    va_start(args, info);
    CURLcode code = real(h, info, va_arg(args, void *));
    va_end(args);
    return code;
}
