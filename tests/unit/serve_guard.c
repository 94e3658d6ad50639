/* serve_guard.c -- who may ask: TLS, bearer tokens and their revocation, and how often. */
#include "serve_world.h"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static void nap(double seconds)
{
    nanosleep(
        &(struct timespec){(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)},
        NULL);
}

/* A key of its own and a certificate for 127.0.0.1, signed by itself. */
static void make_certificate(const char *cert, const char *key)
{
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_set_version(x, 2);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, pair);
    X509_NAME *name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1,
                               0);
    X509_set_issuer_name(x, name);
    X509_EXTENSION *also = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(x, also, -1);
    X509_EXTENSION_free(also);
    assert_true(X509_sign(x, pair, EVP_sha256()) > 0);
    FILE *out = fopen(cert, "w");
    PEM_write_X509(out, x);
    fclose(out);
    out = fopen(key, "w");
    PEM_write_PrivateKey(out, pair, NULL, NULL, 0, NULL, NULL);
    fclose(out);
    X509_free(x);
    EVP_PKEY_free(pair);
}

typedef struct Place {
    Served v;
    char cert[100], key[100];
} Place;

static int setup(void **state)
{
    Place *p = calloc(1, sizeof *p);
    void *world;
    if (world_setup(&world) != 0)
        return -1;
    World *w = p->v.w = world;
    int64_t run = submit(w, "linear", "FARE", "MILES,MINUTES", "epochs=1");
    OK(run_execute(w->s, run, w->pool, NULL, NULL, NULL, &w->err));
    snprintf(p->cert, sizeof p->cert, "%s/cert.pem", w->dir);
    snprintf(p->key, sizeof p->key, "%s/key.pem", w->dir);
    make_certificate(p->cert, p->key);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    Place *p = *state;
    void *world = p->v.w;
    world_teardown(&world);
    free(p);
    return 0;
}

static size_t keep(char *bytes, size_t size, size_t n, void *into)
{
    text_add(into, bytes, size * n);
    return size * n;
}

/* authority: the certificate that is trusted, or NULL for those of the system. 0: no connection. */
static long ask_https(const Place *p, const char *authority, const char *secret, Text *reply)
{
    long code = 0;
    char url[80], header[200];
    CURL *curl = curl_easy_init();
    snprintf(url, sizeof url, "https://127.0.0.1:%d/invocations", p->v.port);
    snprintf(header, sizeof header, "Authorization: Bearer %s", secret ? secret : "");
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (secret)
        headers = curl_slist_append(headers, header);
    text_reset(reply);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "{\"instances\": [[1, 2]]}");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (authority)
        curl_easy_setopt(curl, CURLOPT_CAINFO, authority);
    curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return code;
}

static const char secret[] = "lathe_0123456789abcdef";

static void beyond_loopback(void **state)
{
    Place *p = *state;
    World *w = p->v.w;
    char settings[300];
    Text reply = {0};
    snprintf(settings, sizeof settings, "listen=0.0.0.0:0 cert=%s key=%s", p->cert, p->key);
    says(w, start(&p->v, "last", NULL, "listen=0.0.0.0:0"), "only with TLS and a token");
    says(w, start(&p->v, "last", NULL, settings), "lathe token add");
    OK(store_token_add(w->s, "ci", secret, "anna", &w->err));
    says(w, start(&p->v, "last", NULL, "listen=0.0.0.0:0"), "only with TLS and a token");
    snprintf(settings, sizeof settings, "listen=0.0.0.0:0 tokens=no cert=%s key=%s", p->cert,
             p->key);
    says(w, start(&p->v, "last", NULL, settings), "only with TLS and a token");
    snprintf(settings, sizeof settings, "cert=%s key=%s", p->key, p->cert);
    says(w, start(&p->v, "last", NULL, settings), "a certificate and its key");

    snprintf(settings, sizeof settings, "listen=0.0.0.0:0 cert=%s key=%s", p->cert, p->key);
    if (!start(&p->v, "last", NULL, settings))
        fail_msg("%s", w->err.text);
    assert_true(server_secure(p->v.server));
    assert_int_equal(ask_https(p, p->cert, secret, &reply), 200);
    assert_non_null(strstr(text_str(&reply), "{\"predictions\":["));
    assert_int_equal(ask_https(p, p->cert, NULL, &reply), 401);
    assert_non_null(strstr(text_str(&reply), "Authorization: Bearer"));
    assert_int_equal(ask_https(p, p->cert, "lathe_0123456789abcdeF", &reply), 401);
    assert_int_equal(ask_https(p, NULL, secret, &reply), 0); /* not trusted by who asks */
    int fd = dial(&p->v);                                    /* and nothing in clear */
    static const char plain[] = "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n";
    put(fd, plain, strlen(plain));
    get(fd, &reply);
    assert_null(strstr(text_str(&reply), "200 OK"));
    assert_int_equal(ask_https(p, p->cert, secret, &reply), 200);

    OK(store_token_revoke(w->s, "ci", "anna", &w->err));
    long code = 200;
    for (int i = 0; i < 60 && code == 200; i++, nap(0.05))
        code = ask_https(p, p->cert, secret, &reply);
    assert_int_equal(code, 401);
    end(&p->v);

    /* who failed stands in the audit: one line an address and minute, not one a request */
    AuditRow *row;
    size_t n, failures = 0, starts = 0, stops = 0;
    OK(store_audit(w->s, NULL, 100, &w->a, &row, &n, &w->err));
    for (size_t i = 0; i < n; i++) {
        failures += !strcmp(row[i].what, "no token") || !strcmp(row[i].what, "wrong token");
        starts += !strcmp(row[i].what, "start");
        stops += !strcmp(row[i].what, "stop");
    }
    assert_int_equal(failures, 1);
    assert_int_equal(starts, 1);
    assert_int_equal(stops, 1);
    text_release(&reply);
}

static int ask_token(const Place *p, const char *token, const char *path, Text *reply)
{
    char header[120];
    snprintf(header, sizeof header, "Authorization: Bearer %s\r\n", token);
    return ask_with(&p->v, token ? header : "", "GET", path, NULL, NULL, reply);
}

static void rates(void **state)
{
    Place *p = *state;
    World *w = p->v.w;
    Text reply = {0};
    char wait[16];
    OK(store_token_add(w->s, "one", "secret-number-one", "anna", &w->err));
    OK(store_token_add(w->s, "two", "secret-number-two", "anna", &w->err));
    assert_true(start(&p->v, "last", NULL, "tokens=yes rate=5"));
    assert_int_equal(ask_token(p, NULL, "/ping", &reply),
                     200); /* open to anyone, within the rate */
    assert_int_equal(ask_token(p, NULL, "/metrics", &reply), 401);
    header_of(&reply, "WWW-Authenticate", wait, sizeof wait);
    assert_string_equal(wait, "Bearer");
    int fine = 0, limited = 0;
    for (int i = 0; i < 30; i++) {
        int code = ask_token(p, "secret-number-one", "/metrics", &reply);
        fine += code == 200;
        limited += code == 429;
    }
    header_of(&reply, "Retry-After", wait, sizeof wait);
    assert_int_equal(fine + limited, 30);
    assert_true(fine >= 5 && fine <= 20 &&
                limited > 0); /* a second's worth, and what came meanwhile */
    assert_true(atoi(wait) >= 1);
    assert_int_equal(ask_token(p, "secret-number-two", "/metrics", &reply), 200); /* has its own */
    nap(1.3);
    assert_int_equal(ask_token(p, "secret-number-one", "/metrics", &reply), 200);
    limited = 0;
    for (int i = 0; i < 40; i++) /* guessing is slowed as well */
        limited += ask_token(p, "guess-a-secret", "/metrics", &reply) == 429;
    assert_true(limited > 10);
    end(&p->v);
    text_release(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(beyond_loopback, setup, teardown),
        cmocka_unit_test_setup_teardown(rates, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
