/* remote_int.h -- what the files of this room share.
 *
 *     remote.c      folder.c  s3_place.c     a Remote is one of two kinds
 *     fetch.c                                one address as a stream
 *     post.c                                 a message to an address
 *     s3.c  s3_setup.c  s3_answer.c          S3's requests: who asks, what is asked, what is answered
 *     sigv4.c                                the signature of a request
 */
#ifndef REMOTE_INT_H
#define REMOTE_INT_H

#include <lathe/remote.h>

#include <curl/curl.h>

/* ---- places -------------------------------------------------------------------------------------- */

typedef struct RemoteKind {
    void (*close)(Remote *r);
    bool (*list)(Remote *r, const char *prefix, RemoteList *out, Error *err);
    bool (*stat)(Remote *r, const char *key, bool *found, RemoteObject *out, Error *err);
    bool (*put)(Remote *r, const char *key, const char *path, Progress *progress, Error *err);
    /* from: so many bytes are in fd already, which stands behind them */
    bool (*get)(Remote *r, const char *key, int fd, uint64_t from, Progress *progress, Error *err);
} RemoteKind;

struct Remote { /* the two kinds begin with it */
    const RemoteKind *kind;
    char *name;
    RemoteSetup setup;
};
Remote *folder_open(const char *path, Error *err);
Remote *s3_place_open(const char *address, Error *err);
void remote_list_sort(RemoteList *l);
RemoteSetup remote_usual(const RemoteSetup *setup); /* NULL or zeros: the usual */

/* ---- signing (sigv4.c) --------------------------------------------------------------------------- */

typedef struct SigV4 {
    const char *method, *host;
    const char *path;    /* as in the URL: begins with '/', each byte encoded once */
    const char *query;   /* as in the URL: encoded, sorted by name, each with a '='; "" for none */
    const char *payload; /* SHA-256 of the body as hex */
    const char *access, *secret, *token, *region; /* token NULL: none */
    int64_t time;                                 /* microseconds since 1970 UTC */
} SigV4;
/* Values of the headers Authorization and x-amz-date. */
void sigv4_sign(const SigV4 *s, Text *authorization, Text *date);
void sigv4_canonical(const SigV4 *s, const char *date, Text *into); /* what is signed, for tests */
/* Everything but A-Z a-z 0-9 - . _ ~ as %XX; slashes kept or not. */
void sigv4_encode(const char *s, bool keep_slashes, Text *into);

/* ---- S3 ------------------------------------------------------------------------------------------- */

typedef struct S3Setup {
    char *access, *secret, *token; /* NULL: requests go unsigned; token may be NULL alone */
    char *region;                  /* us-east-1 if nothing says another */
    bool region_known;             /* somebody said so */
    char *endpoint;                /* http://host:port, without a slash behind it; NULL: Amazon's */
    char *from;                    /* who the credentials are from, for messages */
} S3Setup;
bool s3_setup_load(S3Setup *s, Error *err);
void s3_setup_release(S3Setup *s);

/* One bucket. */
typedef struct S3 {
    S3Setup setup;
    RemoteSetup patience;
    char *bucket;
    char *host, *base, *scheme; /* where requests go: scheme://host base + /key */
    CURL *curl;                 /* of s3_call, made when first needed */
} S3;
/* s3://BUCKET/REST: makes the bucket, and gives REST as it stands (borrowed from address). */
S3 *s3_open(const char *address, const RemoteSetup *setup, const char **rest, Error *err);
void s3_close(S3 *s);
/* The URL and headers for one request, signed now. payload: SHA-256 as hex. The caller frees both. */
char *s3_url(const S3 *s, const char *key, const char *query);
struct curl_slist *s3_headers(const S3 *s, const char *method, const char *key, const char *query,
                              const char *payload, struct curl_slist *more);
extern const char sha256_of_nothing[];

typedef struct S3Head { /* of an answer */
    char etag[100], modified[64], region[40];
    char location[1000];
    uint64_t length, range_from; /* range_from UINT64_MAX: no Content-Range */
} S3Head;
void s3_head_begin(S3Head *h);
void s3_head_line(S3Head *h, const char *line, size_t n);
/* An answer that asks to turn elsewhere (another region or host): true if s turned. */
bool s3_turn(S3 *s, long status, const S3Head *head, const Text *answer);

typedef struct S3Call {
    const char *method, *key, *query; /* key "": the bucket itself */
    int fd;                           /* the body: so many bytes of a file, */
    uint64_t from;
    const char *body; /* or of memory (then fd is not looked at), or none */
    uint64_t size;
    Progress *progress;
    long status; /* the answer */
    S3Head head;
    Text answer;
} S3Call;
/* Asks, again where that may help. True when there is an answer, whatever it says. */
bool s3_call(S3 *s, S3Call *c, Error *err);
void s3_call_release(S3Call *c);
/* What the server's refusal means for people; false. key as in the call. */
bool s3_refused(const S3 *s, const char *key, long status, const Text *answer, Error *err);
bool s3_refused_call(const S3 *s, const S3Call *c, Error *err);
bool s3_put_file(S3 *s, const char *key, const char *path, Progress *progress, Error *err);
/* All keys that begin with prefix, as they stand, added to out. */
bool s3_list(S3 *s, const char *prefix, RemoteList *out, Error *err);

/* s3_answer.c: XML */
typedef struct S3Page {
    bool more;
    Text token; /* of the next page */
} S3Page;
typedef struct S3Objects {
    VEC(RemoteObject) at;
} S3Objects;
typedef struct S3Upload {   /* in parts, begun and neither made an object nor aborted */
    char *key, *id;
    int64_t begun;          /* microseconds since 1970; 0: it was not told */
} S3Upload;
typedef struct S3Uploads {
    VEC(S3Upload) at;
} S3Uploads;
bool s3_read_uploads(const Text *xml, Arena *a, S3Uploads *into);
bool s3_read_page(const Text *xml, Arena *a, S3Objects *into, S3Page *page);
bool s3_read_word(const Text *xml, const char *element,
                  Text *into); /* its first text; false: none */

/* ---- streams (fetch.c) ----------------------------------------------------------------------------- */

/* A Fetch on connections shared with others: whoever reads one of them drives all. */
Fetch *fetch_open_on(CURLM *shared, const char *address, const RemoteSetup *setup, Error *err);
/* From this byte on; at the end if the object has no more. */
Fetch *fetch_open_at(const char *address, uint64_t from, const RemoteSetup *setup, Error *err);

/* ---- waiting -------------------------------------------------------------------------------------- */

/* What every request sets the same way: protocols, name, patience; why: where curl writes its words. */
void http_options(CURL *c, const RemoteSetup *patience, bool path_as_is, char *why);
bool http_worth_another_try(CURLcode code);
bool http_busy(long status);   /* 429 and 5xx that pass */
void http_pause(int failures); /* longer each time */
bool http_failed(const char *name, CURLcode code, const char *why,
                 Error *err); /* one line; false */

#endif
