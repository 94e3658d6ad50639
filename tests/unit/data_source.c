/* data_source.c -- where bytes come from: packed files, pipes, and a web server of the test's own
 * that answers whole, in pieces, broken off, changed, slowly or not at all. */
#include "data/reader_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

/* ---- a web server ---- */

typedef struct Server {
    int fd, port;
    pthread_t thread;
    Text body;                   /* what every path that is there answers */
    atomic_int requests, ranges; /* how many; how many asked for the rest */
    atomic_bool stop;
} Server;

static void send_all(int fd, const char *bytes, size_t n)
{
    for (ssize_t done; n > 0; bytes += done, n -= (size_t)done)
        if ((done = send(fd, bytes, n, MSG_NOSIGNAL)) <= 0)
            return;
}

static void send_head(int fd, const char *status, const char *more, size_t length)
{
    Text t = {0};
    text_printf(&t, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n", status,
                length, more);
    send_all(fd, t.at, t.count);
    text_release(&t);
}

static void wait_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void send_chunked(int fd, const Text *body)
{
    const char *head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    send_all(fd, head, strlen(head));
    for (size_t at = 0; at < body->count; at += 1000) {
        size_t n = body->count - at < 1000 ? body->count - at : 1000;
        Text t = {0};
        text_printf(&t, "%zx\r\n", n);
        text_add(&t, body->at + at, n);
        text_puts(&t, "\r\n");
        send_all(fd, t.at, t.count);
        text_release(&t);
    }
    send_all(fd, "0\r\n\r\n", 5);
}

/* Breaks off twice; goes on where asked to, if it may. */
static void send_cut(Server *s, int fd, const char *path, const char *request)
{
    const char *range = strstr(request, "Range: bytes=");
    size_t from = range ? (size_t)strtoull(range + 13, NULL, 10) : 0, n = s->body.count;
    bool changed = strstr(path, "changed") && range;
    const char *etag = changed ? "ETag: \"two\"\r\n" : "ETag: \"one\"\r\n";
    s->ranges += range != NULL;
    if (range && !strstr(path, "whole") && !changed) {
        Text more = {0};
        text_printf(&more, "%sContent-Range: bytes %zu-%zu/%zu\r\n", etag, from, n - 1, n);
        send_head(fd, "206 Partial Content", more.at, n - from);
        text_release(&more);
        size_t piece = s->ranges < 2 ? n / 3 : n;
        send_all(fd, s->body.at + from, n - from < piece ? n - from : piece);
    } else {
        send_head(fd, "200 OK", etag, n);
        send_all(fd, s->body.at, range ? n : n / 3);
    }
}

static void answer(Server *s, int fd, const char *request)
{
    char path[100] = "";
    sscanf(request, "%*s %99s", path); /* curl takes no body after a HEAD */
    s->requests++;
    if (!strcmp(path, "/ok.csv")) {
        send_head(fd, "200 OK", "ETag: \"abc\"\r\n", s->body.count);
        send_all(fd, s->body.at, s->body.count);
    } else if (!strcmp(path, "/moved.csv")) {
        send_head(fd, "302 Found", "Location: /ok.csv\r\n", 0);
    } else if (!strcmp(path, "/circle.csv")) {
        send_head(fd, "302 Found", "Location: /circle.csv\r\n", 0);
    } else if (!strcmp(path, "/chunked.csv")) {
        send_chunked(fd, &s->body);
    } else if (text_starts(path, "/cut")) {
        send_cut(s, fd, path, request);
    } else if (!strcmp(path, "/slow.csv")) {
        send_head(fd, "200 OK", "", s->body.count);
        for (size_t at = 0; at < s->body.count; at += s->body.count / 8 + 1) {
            size_t left = s->body.count - at, n = s->body.count / 8 + 1;
            send_all(fd, s->body.at + at, left < n ? left : n);
            wait_ms(30);
        }
    } else if (!strcmp(path, "/stall.csv")) {
        send_head(fd, "200 OK", "", s->body.count);
        send_all(fd, s->body.at, 10);
        char byte;
        while (!s->stop && recv(fd, &byte, 1, MSG_DONTWAIT) != 0)
            wait_ms(10); /* until the client has enough of it */
    } else if (!strcmp(path, "/empty.csv")) {
        send_head(fd, "200 OK", "", 0);
    } else if (!strcmp(path, "/broken.csv")) {
        send_head(fd, "503 Service Unavailable", "", 4);
        send_all(fd, "busy", 4);
    } else {
        send_head(fd, "404 Not Found", "", 9);
        send_all(fd, "not found", 9);
    }
}

static void *serve(void *context)
{
    Server *s = context;
    while (!s->stop) {
        int fd = accept(s->fd, NULL, NULL);
        if (fd < 0)
            continue;
        char request[4096];
        size_t n = 0;
        for (ssize_t got; n < sizeof request - 1 &&
                          (got = recv(fd, request + n, sizeof request - 1 - n, 0)) > 0;) {
            n += (size_t)got;
            request[n] = 0;
            if (strstr(request, "\r\n\r\n"))
                break;
        }
        request[n] = 0;
        if (!s->stop)
            answer(s, fd, request);
        close(fd);
    }
    return NULL;
}

static int listen_somewhere(int *port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 8) ||
        getsockname(fd, (struct sockaddr *)&at, &size))
        abort();
    *port = ntohs(at.sin_port);
    return fd;
}

typedef struct Setting {
    char *dir;
    Server server;
} Setting;

static int server_start(void **state)
{
    Setting *s = mem_alloc(sizeof *s);
    void *dir;
    if (folder_make(&dir))
        return -1;
    s->dir = dir;
    setenv("no_proxy", "127.0.0.1", 1);
    text_puts(&s->server.body, "id,name\n");
    for (int i = 0; i < 200000; i++)
        text_printf(&s->server.body, "%d,\"name %d\"\n", i, i % 7);
    s->server.fd = listen_somewhere(&s->server.port);
    *state = s;
    return pthread_create(&s->server.thread, NULL, serve, &s->server);
}

static int server_stop(void **state)
{
    Setting *s = *state;
    s->server.stop = true;
    int fd = socket(AF_INET, SOCK_STREAM, 0); /* wakes accept */
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)s->server.port)};
    connect(fd, (struct sockaddr *)&at, sizeof at);
    close(fd);
    pthread_join(s->server.thread, NULL);
    close(s->server.fd);
    text_release(&s->server.body);
    void *dir = s->dir;
    mem_free(s);
    return folder_remove(&dir);
}

/* ---- reading from it ---- */

static const SourceSetup quick = {.connect_seconds = 2, .stall_seconds = 1, .tries = 2};

/* Rows, or an error's text in why. */
static uint64_t rows_of(Setting *s, const char *path, Text *why)
{
    Text url = {0};
    text_printf(&url, "http://127.0.0.1:%d%s", s->server.port, path);
    Error err = {0};
    ReaderSetup setup = {.source = quick};
    Reader *r = reader_open_with(url.at, NULL, NULL, &setup, NULL, NULL, NULL, &err);
    Chunk c = {0};
    bool ok = r;
    while (ok && (ok = reader_next(r, &c, &err)) && c.rows)
        ;
    text_reset(why);
    if (!ok) {
        assert_non_null(strstr(err.text, url.at));
        assert_null(strchr(err.text, '\n'));
        text_puts(why, err.text);
    }
    uint64_t rows = ok ? reader_rows(r) : 0;
    reader_close(r);
    text_release(&url);
    return rows;
}

static void addresses_are_read(void **state)
{
    Text why = {0};
    static const char *const paths[] = {"/ok.csv", "/moved.csv", "/chunked.csv", "/slow.csv"};
    for (size_t i = 0; i < 4; i++)
        if (rows_of(*state, paths[i], &why) != 200000)
            fail_msg("%s: %s", paths[i], text_str(&why));
    text_release(&why);
}

static void a_break_is_resumed(void **state)
{
    Setting *s = *state;
    Text why = {0};
    s->server.ranges = 0;
    assert_int_equal(rows_of(s, "/cut.csv", &why), 200000);
    assert_true(s->server.ranges >= 2);
    assert_int_equal(rows_of(s, "/cut-whole.csv", &why),
                     200000); /* no Range there: skipped forward */
    assert_int_equal(rows_of(s, "/cut-changed.csv", &why), 0);
    assert_non_null(strstr(text_str(&why), "changed on the server"));
    text_release(&why);
}

static void servers_that_fail_are_told_in_one_line(void **state)
{
    static const struct {
        const char *path, *says;
    } bad[] = {{"/nothing.csv", "not found (404)"},
               {"/broken.csv", "the server answered 503"},
               {"/circle.csv", "redirects in a circle"},
               {"/empty.csv", "is empty"},
               {"/stall.csv", "timed out"}};
    Text why = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(rows_of(*state, bad[i].path, &why), 0);
        if (!strstr(text_str(&why), bad[i].says))
            fail_msg("%s: %s", bad[i].path, text_str(&why));
    }
    Setting closed = {0};
    close(listen_somewhere(&closed.server.port));
    assert_int_equal(rows_of(&closed, "/any.csv", &why), 0);
    assert_non_null(strstr(text_str(&why), "refuses the connection"));
    text_release(&why);
    Error err = {0};
    assert_null(reader_open("ftp://127.0.0.1/x.csv", NULL, NULL, NULL, NULL, NULL, &err));
    assert_int_equal(err.kind, ERROR_USAGE);
}

static void an_address_can_be_read_twice(void **state)
{
    Setting *s = *state;
    Text url = {0};
    text_printf(&url, "http://127.0.0.1:%d/ok.csv", s->server.port);
    SourceSetup setup = quick;
    setup.spool_dir = s->dir;
    Error err = {0};
    int before = s->server.requests;
    Source *source = source_open(url.at, &setup, &err);
    assert_non_null(source);
    char *bytes = mem_alloc(s->server.body.count + 1);
    for (int pass = 0; pass < 3; pass++) {
        size_t n = 0, got = 1, most = pass ? s->server.body.count + 1 : 100000;
        for (; got && n < most; n += got)
            assert_true(source_read(source, bytes + n, most - n, &got, &err));
        assert_memory_equal(bytes, s->server.body.at, n);
        assert_int_equal(n, pass ? s->server.body.count : 100000);
        assert_true(source_rewind(source, &err));
    }
    char tag[128];
    source_tag(source, tag);
    assert_string_equal(tag, "\"abc\"");
    assert_int_equal(s->server.requests, before + 1); /* fetched once */
    source_close(source);
    mem_free(bytes);
    text_release(&url);
}

static void a_source_that_changed_is_told_without_reading(void **state)
{
    Setting *s = *state;
    Text url = {0}, gone = {0}, glob = {0};
    text_printf(&url, "http://127.0.0.1:%d/ok.csv", s->server.port);
    text_printf(&gone, "http://127.0.0.1:%d/gone.csv", s->server.port);
    assert_false(source_changed(url.at, "\"abc\""));
    assert_true(source_changed(url.at, "\"abd\""));
    assert_true(source_changed(gone.at, "\"abc\""));
    char *a = put(s->dir, "tag1.csv", "a,b\n1,2\n", 0),
         *b = put(s->dir, "tag2.csv", "a,b\n3,4\n", 0);
    text_printf(&glob, "%s/tag?.csv", s->dir);
    const char *const sources[] = {a, glob.at};
    for (int i = 0; i < 2; i++) {
        IngestReport report;
        Error err = {0};
        assert_true(ingest(sources[i], NULL, s->dir, NULL, NULL, NULL, NULL, &report, &err));
        assert_false(source_changed(sources[i], report.source_tag));
        mem_free(put(s->dir, "tag1.csv", i ? "a,b\n1,2\n5,6\n7,8\n" : "a,b\n1,2\n5,6\n", 0));
        assert_true(source_changed(sources[i], report.source_tag));
        ingest_report_release(&report);
    }
    assert_true(source_changed("-", "any"));
    assert_true(source_changed(a, ""));
    text_release(&url);
    text_release(&gone);
    text_release(&glob);
    mem_free(a);
    mem_free(b);
}

/* ---- packed files ---- */

static void gzip_add(Text *into, const char *bytes, size_t n)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)n};
    deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    size_t room = deflateBound(&z, n);
    char *out = mem_alloc(room);
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)room;
    deflate(&z, Z_FINISH);
    text_add(into, out, room - z.avail_out);
    deflateEnd(&z);
    mem_free(out);
}

static void zstd_add(Text *into, const char *bytes, size_t n)
{
    size_t room = ZSTD_compressBound(n);
    char *out = mem_alloc(room);
    text_add(into, out, ZSTD_compress(out, room, bytes, n, 3));
    mem_free(out);
}

static void packed_files_are_unpacked(void **state)
{
    Setting *s = *state;
    const Text *body = &s->server.body;
    void (*const pack[])(Text *, const char *, size_t) = {gzip_add, zstd_add};
    for (int i = 0; i < 2; i++) {
        Text packed = {0};
        pack[i](&packed, body->at, body->count / 2); /* two members in a row are one text */
        pack[i](&packed, body->at + body->count / 2, body->count - body->count / 2);
        char *path = put(s->dir, "packed.csv", packed.at, packed.count);
        Table t;
        read_path(&t, path, NULL, NULL);
        assert_int_equal(t.rows, 200000);
        assert_string_equal(json_string_value(json_object_get(t.sniffed, "packing")),
                            i ? "zstd" : "gzip");
        table_release(&t);
        mem_free(path);
        path = put(s->dir, "short.csv", packed.at, packed.count - 20);
        Error err = {0};
        Reader *r = reader_open(path, NULL, NULL, NULL, NULL, NULL, &err);
        Chunk c = {0};
        bool ok = r;
        while (ok && (ok = reader_next(r, &c, &err)) && c.rows)
            ;
        assert_false(ok);
        assert_non_null(strstr(err.text, "cut short"));
        reader_close(r);
        mem_free(path);
        packed.at[packed.count / 4] ^= 0x55;
        packed.at[packed.count / 4 + 1] ^= 0x55;
        path = put(s->dir, "broken.csv", packed.at, packed.count);
        err = (Error){0};
        r = reader_open(path, NULL, NULL, NULL, NULL, NULL, &err);
        ok = r;
        while (ok && (ok = reader_next(r, &c, &err)) && c.rows)
            ;
        assert_false(ok); /* checksums, or text that is none */
        reader_close(r);
        mem_free(path);
        text_release(&packed);
    }
}

/* ---- pipes and files that change ---- */

static void *feed_pipe(void *context)
{
    int *fds = context;
    for (int i = 0; i < 100; i++)
        dprintf(fds[1], "%s%d,x\n", i ? "" : "a,b\n", i);
    close(fds[1]);
    return NULL;
}

static void a_pipe_is_read_as_it_comes(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pthread_t thread;
    pthread_create(&thread, NULL, feed_pipe, fds);
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fds[0]);
    Table t;
    read_path(&t, path, NULL, NULL);
    assert_int_equal(t.rows, 100);
    table_release(&t);
    pthread_join(thread, NULL);
    close(fds[0]);
}

/* Nobody writes; the one who waits can still be stopped. */
static void *stop_soon(void *context)
{
    wait_ms(100);
    stop_ask(&((Progress *)context)->stop);
    return NULL;
}

static void a_silent_pipe_can_be_stopped(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    dprintf(fds[1], "a,b\n1,2\n");
    Progress progress = {0};
    pthread_t thread;
    pthread_create(&thread, NULL, stop_soon, &progress);
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fds[0]);
    Error err = {0};
    assert_null(reader_open(path, NULL, NULL, NULL, NULL, &progress, &err));
    assert_int_equal(err.kind, ERROR_STOP);
    pthread_join(thread, NULL);
    close(fds[0]);
    close(fds[1]);
}

static void a_file_that_changes_is_an_error(void **state)
{
    Setting *s = *state;
    char *path = put(s->dir, "changing.csv", s->server.body.at, s->server.body.count);
    for (int shorter = 0; shorter < 2; shorter++) {
        Error err = {0};
        Reader *r = reader_open(path, NULL, NULL, NULL, NULL, NULL, &err);
        assert_non_null(r);
        Chunk c;
        assert_true(reader_next(r, &c, &err));
        struct stat now;
        stat(path, &now);
        assert_int_equal(truncate(path, shorter ? now.st_size / 4 : now.st_size + 5), 0);
        bool ok = true;
        while (ok && c.rows)
            ok = reader_next(r, &c, &err);
        assert_false(ok);
        assert_non_null(strstr(err.text, shorter ? "became shorter" : "changed while it was read"));
        reader_close(r);
    }
    mem_free(path);
}

/* Another file under the name: what was opened is read to its end, and its tag says so. */
static void a_file_that_is_replaced_is_read_as_it_was(void **state)
{
    Setting *s = *state;
    char *path = put(s->dir, "replaced.csv", s->server.body.at, s->server.body.count);
    char *other = put(s->dir, "other.csv", "a,b\n1,2\n", 0);
    Error err = {0};
    uint64_t rows = 0, again = 0;
    char tag[128];
    Reader *r = reader_open(path, NULL, NULL, NULL, NULL, NULL, &err);
    Chunk c;
    assert_true(reader_next(r, &c, &err));
    assert_int_equal(rename(other, path), 0);
    for (rows = c.rows; c.rows; rows += c.rows)
        assert_true(reader_next(r, &c, &err));
    reader_tag(r, tag);
    reader_close(r);
    assert_true(rows > 1000);
    assert_true(source_changed(path, tag));
    r = reader_open(path, NULL, NULL, NULL, NULL, NULL, &err);
    for (c.rows = 1; c.rows; again += c.rows)
        assert_true(reader_next(r, &c, &err));
    reader_close(r);
    assert_int_equal(again, 1);
    mem_free(path);
    mem_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_replaced_is_read_as_it_was),
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(a_break_is_resumed),
        cmocka_unit_test(servers_that_fail_are_told_in_one_line),
        cmocka_unit_test(an_address_can_be_read_twice),
        cmocka_unit_test(a_source_that_changed_is_told_without_reading),
        cmocka_unit_test(packed_files_are_unpacked),
        cmocka_unit_test(a_pipe_is_read_as_it_comes),
        cmocka_unit_test(a_silent_pipe_can_be_stopped),
        cmocka_unit_test(a_file_that_changes_is_an_error),
    };
    return cmocka_run_group_tests(tests, server_start, server_stop);
}
