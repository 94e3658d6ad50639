/* remote_place.c -- a folder as a Remote, what of an address may be shown, and the signature of S3's
 * requests against published values. With words it is the tool of tests/s3.sh, which has a real server:
 *
 *     unit_remote_place put PLACE KEY FILE [PART-BYTES] | get PLACE KEY FILE | list PLACE [PREFIX]
 *                       make BUCKET | stat PLACE KEY | many ADDRESS | cat ADDRESS [STALL TRIES] | sign < requests */
#include "remote/remote_int.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- signing --------------------------------------------------------------------------------------- */

/* Amazon S3 API reference, "Signature Calculations for the Authorization Header: Transferring Payload in
 * a Single Chunk", examples GET Bucket Lifecycle and List Objects: there is no header beside the usual. */
static void published_signatures_come_out(void **state)
{
    (void)state;
    static const struct {
        const char *query, *signature;
    } known[] = {
        {"lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
        {"max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        SigV4 s = {.method = "GET",
                   .host = "examplebucket.s3.amazonaws.com",
                   .path = "/",
                   .query = known[i].query,
                   .payload = sha256_of_nothing,
                   .access = "AKIAIOSFODNN7EXAMPLE",
                   .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                   .region = "us-east-1",
                   .time = date_days(2013, 5, 24) * 86400000000};
        Text authorization = {0}, date = {0};
        sigv4_sign(&s, &authorization, &date);
        assert_string_equal(date.at, "20130524T000000Z");
        assert_non_null(strstr(authorization.at, known[i].signature));
        assert_non_null(
            strstr(authorization.at, "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"));
        text_release(&authorization), text_release(&date);
    }
}

static void keys_are_encoded_byte_by_byte(void **state)
{
    (void)state;
    Text t = {0};
    sigv4_encode("a b+c%20/d~e=f&g?h#\xc3\xa4'()*!", true, &t);
    assert_string_equal(t.at, "a%20b%2Bc%2520/d~e%3Df%26g%3Fh%23%C3%A4%27%28%29%2A%21");
    text_reset(&t);
    sigv4_encode("a/b", false, &t);
    assert_string_equal(t.at, "a%2Fb");
    text_release(&t);
}

/* ---- a folder of the test's own ----------------------------------------------------------------------- */

static int make_folder(void **state)
{
    char name[] = "/tmp/lathe-remote-XXXXXX";
    *state = text_copy(mkdtemp(name));
    return *state ? 0 : -1;
}

static int remove_folder(void **state)
{
    bool ok = dir_remove(*state, NULL);
    mem_free(*state);
    return ok ? 0 : -1;
}

static char *in(const char *dir, const char *name, Arena *a)
{
    return arena_printf(a, "%s/%s", dir, name);
}

static void what_goes_into_a_folder_comes_out(void **state)
{
    Arena a = {0};
    Error err = {0};
    const char *dir = *state;
    Text big = {0}, back = {0};
    for (int i = 0; i < 500000; i++)
        text_printf(&big, "%d,", i % 1000 * 7919);
    assert_true(file_write(in(dir, "from", &a), big.at, big.count, &err));
    Remote *r = remote_open(in(dir, "place", &a), &err);
    assert_non_null(r);
    static const char *const keys[] = {"a", "b/c d+%20", "b/x/y", "b/\xc3\xa4"};
    for (int i = 0; i < 4; i++)
        assert_true(remote_put(r, keys[i], in(dir, "from", &a), NULL, &err));
    RemoteList l;
    assert_true(remote_list(r, "", &l, &err));
    assert_int_equal(l.count, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(l.object[i].key, keys[i]);
        assert_int_equal(l.object[i].size, big.count);
    }
    remote_list_release(&l);
    assert_true(remote_list(r, "b/x", &l, &err));
    assert_int_equal(l.count, 1);
    remote_list_release(&l);
    bool found;
    RemoteObject o;
    assert_true(remote_stat(r, "b/x/y", &found, &o, &err));
    assert_true(found && o.size == big.count);
    assert_true(remote_stat(r, "b/x", &found, NULL, &err));
    assert_false(found);
    assert_true(remote_stat(r, "a/below/a/file", &found, NULL, &err));
    assert_false(found);
    assert_true(remote_get(r, "b/x/y", in(dir, "to", &a), NULL, &err));
    assert_true(file_read(in(dir, "to", &a), &back, SIZE_MAX, &err));
    assert_int_equal(back.count, big.count);
    assert_memory_equal(back.at, big.at, big.count);
    assert_false(remote_get(r, "b/none", in(dir, "none", &a), NULL, &err));
    assert_non_null(strstr(err.text, "no such object"));
    assert_false(file_exists(in(dir, "none", &a)));
    remote_close(r);
    text_release(&big), text_release(&back);
    arena_release(&a);
}

static void keys_stay_inside(void **state)
{
    Arena a = {0};
    Error err = {0};
    Remote *r = remote_open(in(*state, "inside", &a), &err);
    static const char *const bad[] = {"",     "/etc/passwd", "../x", "a/../../x",
                                      "a//b", "a/",          "./a",  "a/."};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bool found;
        err = (Error){0};
        assert_false(remote_stat(r, bad[i], &found, NULL, &err));
        assert_false(remote_put(r, bad[i], "/etc/hostname", NULL, &err));
        assert_false(remote_get(r, bad[i], in(*state, "got", &a), NULL, &err));
        assert_int_equal(err.kind, ERROR_USAGE);
    }
    remote_close(r);
    assert_null(remote_open(in(*state, "no/such/parent", &a), &err));
    assert_null(remote_open("ftp://host/x", &err));
    arena_release(&a);
}

static void a_stopped_copy_leaves_nothing(void **state)
{
    Arena a = {0};
    Error err = {0};
    Progress p = {0};
    char *bytes = mem_alloc(3 << 20);
    assert_true(file_write(in(*state, "large", &a), bytes, 3 << 20, &err));
    Remote *r = remote_open(in(*state, "stopped", &a), &err);
    stop_ask(&p.stop);
    assert_false(remote_put(r, "x", in(*state, "large", &a), &p, &err));
    assert_int_equal(err.kind, ERROR_STOP);
    RemoteList l;
    assert_true(remote_list(r, "", &l, &err));
    assert_int_equal(l.count, 0);
    remote_list_release(&l);
    remote_close(r);
    mem_free(bytes);
    arena_release(&a);
}

/* ---- names, lists, credentials ---------------------------------------------------------------------------- */

static void secrets_of_addresses_are_not_shown(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"http://me:pw@host/x.csv", "http://host/x.csv"},
        {"https://host:8/x.csv?a=1&X-Amz-Signature=abc&b=2", "https://host:8/x.csv?a=1&b=2"},
        {"https://h/x?sig=1", "https://h/x"},
        {"https://h/x@y?z=1", "https://h/x@y?z=1"},
        {"http://u@x:p@host", "http://host"},
        {"s3://bucket/a@b?c", "s3://bucket/a@b?c"},
        {"dir/file@2.csv", "dir/file@2.csv"}};
    Arena a = {0};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_string_equal(fetch_public_name(pairs[i][0], &a), pairs[i][1]);
    arena_release(&a);
}

static void lists_are_read(void **state)
{
    (void)state;
    Text xml = {0}, word = {0};
    S3Objects objects = {0};
    S3Page page = {0};
    Arena a = {0};
    text_puts(&xml,
              "<?xml version=\"1.0\"?><ListBucketResult><EncodingType>url</EncodingType>"
              "<Contents><Key>a+b%2Bc%20d</Key><Size>5</Size><ETag>&quot;x&quot;</ETag></Contents>"
              "<Contents><Owner><ID>1</ID></Owner><Key>e</Key><Size>6</Size></Contents>"
              "<IsTruncated>true</IsTruncated><NextContinuationToken>t=/</NextContinuationToken>"
              "</ListBucketResult>");
    assert_true(s3_read_page(&xml, &a, &objects, &page));
    assert_int_equal(objects.at.count, 2);
    assert_string_equal(objects.at.at[0].key, "a b+c d");
    assert_string_equal(objects.at.at[0].tag, "\"x\"");
    assert_int_equal(objects.at.at[1].size, 6);
    assert_true(page.more);
    assert_string_equal(text_str(&page.token), "t=/");
    assert_true(s3_read_word(&xml, "ID", &word));
    assert_false(s3_read_word(&xml, "Nothing", &word));
    static const char *const bad[] = {"", "<a>", "no xml",
                                      "<a><IsTruncated>true</IsTruncated></a>"};
    for (int i = 0; i < 4; i++) {
        text_reset(&xml);
        text_puts(&xml, bad[i]);
        assert_false(s3_read_page(&xml, &a, &objects, &page));
    }
    text_reset(&xml);
    for (int i = 0; i < 100; i++)
        text_puts(&xml, "<a>");
    for (int i = 0; i < 100; i++)
        text_puts(&xml, "</a>");
    assert_false(s3_read_page(&xml, &a, &objects, &page)); /* too deep */
    vec_release(&objects.at);
    text_release(&xml), text_release(&word), text_release(&page.token);
    arena_release(&a);
}

static void forget_aws(void)
{
    static const char *const names[] = {"AWS_ACCESS_KEY_ID",
                                        "AWS_SECRET_ACCESS_KEY",
                                        "AWS_SESSION_TOKEN",
                                        "AWS_PROFILE",
                                        "AWS_REGION",
                                        "AWS_DEFAULT_REGION",
                                        "AWS_ENDPOINT_URL",
                                        "AWS_ENDPOINT_URL_S3",
                                        "AWS_DEFAULT_PROFILE",
                                        "AWS_CONFIG_FILE",
                                        "AWS_SHARED_CREDENTIALS_FILE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
}

static void credentials_are_found_where_others_find_them(void **state)
{
    Arena a = {0};
    Error err = {0};
    S3Setup s;
    char long_token[1200];
    memset(long_token, 'T', sizeof long_token - 1);
    long_token[sizeof long_token - 1] = 0;
    forget_aws();
    setenv("HOME", *state, 1);
    assert_true(s3_setup_load(&s, &err)); /* nobody says anything */
    assert_null(s.access);
    assert_string_equal(s.region, "us-east-1");
    assert_null(s.endpoint);
    s3_setup_release(&s);
    assert_true(dir_create(in(*state, ".aws", &a), &err));
    const char *config = "[default]\nregion = eu-west-1\ns3 =\n    region = nested\n"
                         "[profile team]\nregion=ap-south-1\nendpoint_url = http://127.0.0.1:9/\n"
                         "[profile role]\nrole_arn = arn:x\n";
    char *credentials = arena_printf(&a,
                                     "# made by hand\n[default]\naws_access_key_id = D\n"
                                     "aws_secret_access_key = a/b+c=;#d\n\n[team]\r\n"
                                     "aws_access_key_id=T\r\naws_secret_access_key=t\r\n"
                                     "aws_session_token=%s\r\n",
                                     long_token);
    assert_true(file_write(in(*state, ".aws/config", &a), config, strlen(config), &err));
    assert_true(
        file_write(in(*state, ".aws/credentials", &a), credentials, strlen(credentials), &err));
    assert_true(s3_setup_load(&s, &err));
    assert_string_equal(s.access, "D");
    assert_string_equal(s.secret, "a/b+c=;#d");
    assert_string_equal(s.region, "eu-west-1");
    assert_null(s.token);
    s3_setup_release(&s);
    setenv("AWS_PROFILE", "team", 1);
    assert_true(s3_setup_load(&s, &err));
    assert_string_equal(s.access, "T");
    assert_string_equal(s.token, long_token);
    assert_string_equal(s.region, "ap-south-1");
    assert_string_equal(s.endpoint, "http://127.0.0.1:9");
    assert_string_equal(s.from, "profile team");
    s3_setup_release(&s);
    setenv("AWS_DEFAULT_REGION", "us-west-2", 1);
    setenv("AWS_ACCESS_KEY_ID", "E", 1);
    assert_false(s3_setup_load(&s, &err));
    assert_non_null(strstr(err.text, "AWS_SECRET_ACCESS_KEY is not"));
    setenv("AWS_SECRET_ACCESS_KEY", "e", 1);
    setenv("AWS_ENDPOINT_URL", "https://h:1", 1);
    assert_true(s3_setup_load(&s, &err));
    assert_string_equal(s.access, "E");
    assert_null(s.token); /* not the profile's: they belong together */
    assert_string_equal(s.region, "us-west-2");
    assert_string_equal(s.endpoint, "https://h:1");
    s3_setup_release(&s);
    unsetenv("AWS_ACCESS_KEY_ID"), unsetenv("AWS_SECRET_ACCESS_KEY");
    setenv("AWS_PROFILE", "role", 1);
    assert_false(s3_setup_load(&s, &err));
    assert_non_null(strstr(err.text, "role_arn"));
    setenv("AWS_PROFILE", "nobody", 1);
    assert_false(s3_setup_load(&s, &err));
    assert_non_null(strstr(err.text, "no such profile"));
    forget_aws();
    setenv("AWS_ENDPOINT_URL", "ftp://x", 1);
    assert_false(s3_setup_load(&s, &err));
    forget_aws();
    arena_release(&a);
}

static char *url_of(const char *address, const char *query)
{
    const char *key;
    Error err = {0};
    S3 *s = s3_open(address, NULL, &key, &err);
    assert_non_null(s);
    char *url = s3_url(s, key, query);
    s3_close(s);
    return url;
}

static void buckets_have_their_hosts(void **state)
{
    forget_aws();
    setenv("HOME", *state, 1);
    setenv("AWS_CONFIG_FILE", "/dev/null", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
    static const char *const known[][3] = {
        {"", "s3://plain/a b", "https://plain.s3.us-east-1.amazonaws.com/a%20b"},
        {"", "s3://with.dots/a/b", "https://s3.us-east-1.amazonaws.com/with.dots/a/b"},
        {"", "s3://plain", "https://plain.s3.us-east-1.amazonaws.com/"},
        {"http://127.0.0.1:9", "s3://plain//a/../b", "http://127.0.0.1:9/plain//a/../b"},
        {"https://host/base", "s3://plain", "https://host/base/plain"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        setenv("AWS_ENDPOINT_URL", known[i][0], 1);
        char *url = url_of(known[i][1], "");
        assert_string_equal(url, known[i][2]);
        mem_free(url);
    }
    const char *key;
    Error err = {0};
    static const char *const bad[] = {"s3://", "s3:///key", "s3://a b/key", "s3://../key",
                                      "s3://a@b/key"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(s3_open(bad[i], NULL, &key, &err));
    forget_aws();
}

/* ---- the tool ------------------------------------------------------------------------------------------------ */

static int said(bool ok, const Error *err)
{
    if (!ok)
        fprintf(stderr, "%s\n", err->text);
    return ok ? 0 : 1;
}

static int tool_list(const RemoteList *l)
{
    for (size_t i = 0; i < l->count; i++)
        printf("%llu\t%s\t%s\n", (unsigned long long)l->object[i].size, l->object[i].tag,
               l->object[i].key);
    return 0;
}

static int tool_cat(const char *address, const RemoteSetup *setup)
{
    Error err = {0};
    char block[4096];
    size_t got = 1;
    Fetch *f = fetch_open(address, setup, &err);
    bool ok = f != NULL;
    while (ok && got)
        if ((ok = fetch_read(f, block, sizeof block, &got, &err)))
            fwrite(block, 1, got, stdout);
    fetch_close(f);
    return said(ok, &err);
}

/* Lines METHOD HOST KEY QUERY PAYLOAD REGION TOKEN TIME, tabs between: canonical request and signature. */
static int tool_sign(void)
{
    char line[8192];
    while (fgets(line, sizeof line, stdin)) {
        char *rest = line, *word[8];
        line[strcspn(line, "\n")] = 0;
        for (int i = 0; i < 8; i++)
            word[i] = strsep(&rest, "\t");
        Text path = {0}, authorization = {0}, date = {0};
        text_putc(&path, '/');
        sigv4_encode(word[2], true, &path);
        SigV4 s = {.method = word[0],
                   .host = word[1],
                   .path = path.at,
                   .query = word[3],
                   .payload = word[4],
                   .access = "AKIDEXAMPLE",
                   .secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY",
                   .region = word[5],
                   .token = *word[6] ? word[6] : NULL,
                   .time = atoll(word[7]) * 1000000};
        sigv4_sign(&s, &authorization, &date);
        printf("%s\t%s\t%s\n", path.at, date.at, authorization.at);
        text_release(&path), text_release(&authorization), text_release(&date);
    }
    return 0;
}

/* An upload in parts that is begun, as by one who was killed then: its id is printed. */
static int tool_leave(const char *place, const char *key)
{
    Error err = {0};
    Text id = {0}, query = {0};
    const char *prefix;
    S3 *s = s3_open(place, NULL, &prefix, &err);
    S3Call c = {.method = "POST", .key = key, .query = "uploads="};
    bool ok = s && s3_call(s, &c, &err) && (c.status == 200 || s3_refused_call(s, &c, &err)) &&
              s3_read_word(&c.answer, "UploadId", &id);
    s3_call_release(&c);
    text_puts(&query, "partNumber=1&uploadId=");
    sigv4_encode(text_str(&id), false, &query);
    S3Call part = {.method = "PUT", .key = key, .query = text_str(&query), .body = "half of it", .size = 10};
    ok = ok && s3_call(s, &part, &err) && (part.status == 200 || s3_refused_call(s, &part, &err));
    s3_call_release(&part);
    if (ok)
        puts(text_str(&id));
    s3_close(s);
    text_release(&id), text_release(&query);
    return said(ok, &err);
}

/* What the server says of its uploads, as it stands. */
static int tool_uploads(const char *place)
{
    Error err = {0};
    const char *prefix;
    S3 *s = s3_open(place, NULL, &prefix, &err);
    S3Call c = {.method = "GET", .key = "", .query = "uploads="};
    bool ok = s && s3_call(s, &c, &err) && (c.status == 200 || s3_refused_call(s, &c, &err));
    if (ok)
        puts(text_str(&c.answer));
    s3_call_release(&c);
    s3_close(s);
    return said(ok, &err);
}

/* A new bucket. */
static int tool_make(const char *bucket)
{
    Error err = {0};
    Text address = {0};
    const char *key;
    text_printf(&address, "s3://%s", bucket);
    S3 *s = s3_open(text_str(&address), NULL, &key, &err);
    S3Call c = {.method = "PUT", .key = "", .query = ""};
    bool ok = s && s3_call(s, &c, &err) && (c.status == 200 || s3_refused_call(s, &c, &err));
    s3_call_release(&c);
    s3_close(s);
    text_release(&address);
    return said(ok, &err);
}

typedef struct Stopper {
    Progress *progress;
} Stopper;

static void *stop_after_a_part(void *context)
{
    Progress *p = ((Stopper *)context)->progress;
    while (atomic_load(&p->done) == 0 && !stop_asked(&p->stop))
        usleep(1000);
    stop_ask(&p->stop);
    return NULL;
}

static int tool(int n, char **word)
{
    Error err = {0};
    RemoteSetup setup = {0};
    RemoteList l;
    RemoteObject o;
    bool found;
    const char *verb = word[0];
    if (text_equal(verb, "sign"))
        return tool_sign();
    if (text_equal(verb, "make"))
        return tool_make(word[1]);
    if (text_equal(verb, "cat") || text_equal(verb, "many")) {
        if (n > 3)
            setup.stall_seconds = atof(word[2]), setup.connect_seconds = 3,
            setup.tries = atoi(word[3]);
        if (text_equal(verb, "cat"))
            return tool_cat(word[1], &setup);
        bool ok = fetch_list(word[1], &setup, &l, &err);
        return ok ? tool_list(&l) : said(ok, &err);
    }
    if (text_equal(verb, "leave"))
        return tool_leave(word[1], word[2]);
    if (text_equal(verb, "uploads"))
        return tool_uploads(word[1]);
    Remote *r = remote_open(word[1], &err);
    bool ok = r != NULL;
    if (ok && text_equal(verb, "put")) {
        setup.part_bytes = n > 4 ? (uint64_t)atoll(word[4]) : 0;
        setup.stale_seconds = n > 5 ? atof(word[5]) : 0;
        remote_setup(r, &setup);
        ok = remote_put(r, word[2], word[3], NULL, &err);
    } else if (ok && text_equal(verb, "stopped")) { /* after the first part; the stop is everybody's */
        Progress p = {0};
        setup.part_bytes = (uint64_t)atoll(word[4]);
        setup.progress = &p;
        remote_setup(r, &setup);
        Stopper stopper = {&p};
        pthread_t thread;
        pthread_create(&thread, NULL, stop_after_a_part, &stopper);
        bool sent = remote_put(r, word[2], word[3], &p, &err);
        stop_ask(&p.stop);
        pthread_join(thread, NULL);
        ok = !sent && err.kind == ERROR_STOP;
    } else if (ok && text_equal(verb, "get")) {
        ok = remote_get(r, word[2], word[3], NULL, &err);
    } else if (ok && text_equal(verb, "list")) {
        ok = remote_list(r, n > 2 ? word[2] : "", &l, &err);
        if (ok)
            tool_list(&l), remote_list_release(&l);
    } else if (ok && text_equal(verb, "stat")) {
        ok = remote_stat(r, word[2], &found, &o, &err);
        if (ok)
            printf(found ? "%llu\n" : "none\n", (unsigned long long)o.size);
    }
    remote_close(r);
    return said(ok, &err);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return tool(argc - 1, argv + 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_signatures_come_out),
        cmocka_unit_test(keys_are_encoded_byte_by_byte),
        cmocka_unit_test(what_goes_into_a_folder_comes_out),
        cmocka_unit_test(keys_stay_inside),
        cmocka_unit_test(a_stopped_copy_leaves_nothing),
        cmocka_unit_test(secrets_of_addresses_are_not_shown),
        cmocka_unit_test(lists_are_read),
        cmocka_unit_test(credentials_are_found_where_others_find_them),
        cmocka_unit_test(buckets_have_their_hosts),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
