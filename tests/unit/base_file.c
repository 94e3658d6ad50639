/* base_file.c -- files that are whole or not there, folders, mapping, SHA-256, the log. */
#include <lathe/base.h>

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char *folder;

static const char *in(const char *name)
{
    static char path[4][400];
    static int at;
    at = (at + 1) % 4;
    snprintf(path[at], sizeof path[at], "%s/%s", folder, name);
    return path[at];
}

static size_t entries(void)
{
    DIR *dir = opendir(folder);
    size_t n = 0;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

static int setup(void **state)
{
    (void)state;
    char name[] = "/tmp/lathe-base-XXXXXX";
    folder = text_copy(mkdtemp(name));
    return folder == NULL;
}

static int teardown(void **state)
{
    (void)state;
    bool ok = dir_remove(folder, NULL) && !file_exists(folder);
    mem_free(folder);
    return !ok;
}

static void write_and_read(void **state)
{
    (void)state;
    Error err = {0};
    Text text = {0};
    assert_true(file_write(in("a"), "hello\0there", 11, &err));
    assert_true(file_read(in("a"), &text, 100, &err));
    assert_int_equal(text.count, 11);
    assert_memory_equal(text.at, "hello\0there", 12);
    assert_true(file_write(in("a"), "", 0, &err));
    assert_true(file_read(in("a"), &text, 0, &err));
    assert_int_equal(text.count, 0);
    assert_true(file_write(in("a"), "12345", 5, &err));
    assert_true(file_read(in("a"), &text, 5, &err));
    assert_int_equal(err.kind, ERROR_NONE);
    assert_false(file_read(in("a"), &text, 4, &err));
    assert_int_equal(err.kind, ERROR_SPACE);
    assert_int_equal(text.count, 0);
    err = (Error){0};
    assert_false(file_read(in("missing"), &text, 5, &err));
    assert_int_equal(err.kind, ERROR_IO);
    assert_non_null(strstr(err.text, "missing: cannot open: No such file"));
    assert_false(file_read(folder, &text, 5, &err));
    assert_non_null(strstr(err.text, "is a folder"));
    assert_false(file_write(in("none/b"), "x", 1, &err));
    assert_int_equal(entries(), 1); /* no temporary file is left behind */
    text_release(&text);
}

/* A write that fails half way leaves the old file and nothing else. */
static void failed_write_keeps_the_old(void **state)
{
    (void)state;
    Error err = {0};
    Text text = {0};
    assert_true(file_write(in("old"), "precious", 8, &err));
    size_t before = entries();
    pid_t child = fork();
    if (child == 0) { /* the limit stands for a full disk; it holds for the child only */
        struct rlimit limit = {4096, 4096};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        char *large = calloc(1, 100000);
        Error why = {0};
        bool wrote = file_write(in("old"), large, 100000, &why);
        bool said = strstr(why.text, "old: cannot write: File too large") != NULL;
        free(large);
        _exit(!wrote && said ? 0 : 1);
    }
    int status = 1;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(file_read(in("old"), &text, 100, &err));
    assert_string_equal(text.at, "precious");
    assert_int_equal(entries(), before);
    text_release(&text);
}

/* A reader during many rewrites sees one of the two contents, never a part. */
static void readers_see_whole_files(void **state)
{
    (void)state;
    enum { SIZE = 50000 };
    char *content = mem_alloc(SIZE);
    memset(content, 'a', SIZE);
    assert_true(file_write(in("seen"), content, SIZE, NULL));
    pid_t child = fork();
    if (child == 0) {
        bool ok = true;
        for (int i = 0; ok && i < 100; i++) {
            memset(content, 'a' + i % 26, SIZE);
            ok = file_write(in("seen"), content, SIZE, NULL);
        }
        _exit(ok ? 0 : 1);
    }
    Text text = {0};
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        assert_true(file_read(in("seen"), &text, SIZE, NULL));
        assert_int_equal(text.count, SIZE);
        for (size_t i = 1; i < SIZE; i++)
            if (text.at[i] != text.at[0])
                fail_msg("a torn file: byte %zu", i);
    }
    assert_int_equal(status, 0);
    text_release(&text);
    mem_free(content);
}

static void keeps_the_mode(void **state)
{
    (void)state;
    struct stat st;
    assert_true(file_write(in("secret"), "1", 1, NULL));
    assert_int_equal(chmod(in("secret"), 0600), 0);
    assert_true(file_write(in("secret"), "2", 1, NULL));
    assert_int_equal(stat(in("secret"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void folders(void **state)
{
    (void)state;
    Error err = {0};
    assert_true(dir_create(in("x/y//z/"), &err));
    assert_true(dir_create(in("x/y/z"), &err));
    assert_true(file_write(in("x/y/z/f"), "1", 1, &err));
    assert_true(file_write(in("keep"), "1", 1, &err));
    assert_int_equal(symlink(in("keep"), in("x/link")), 0);
    assert_int_equal(symlink(folder, in("x/loop")), 0);
    assert_false(dir_create(in("keep/under"), &err));
    assert_int_equal(err.kind, ERROR_IO);
    assert_false(dir_create("", &err));
    assert_true(dir_remove(in("x"), &err));
    assert_false(file_exists(in("x")));
    assert_true(file_exists(in("keep"))); /* the link went, not what it names */
    assert_true(dir_remove(in("x"), &err));
    assert_false(dir_remove(in("keep"), &err));
}

static void maps(void **state)
{
    (void)state;
    Error err = {0};
    FileMap map = {0};
    assert_true(file_write(in("m"), "abc", 3, &err));
    assert_true(filemap_open(&map, in("m"), &err));
    assert_int_equal(map.size, 3);
    assert_memory_equal(map.at, "abc", 3);
    filemap_close(&map);
    filemap_close(&map);
    assert_true(file_write(in("m"), "", 0, &err));
    assert_true(filemap_open(&map, in("m"), &err));
    assert_int_equal(map.size, 0);
    assert_non_null(map.at);
    filemap_close(&map);
    assert_false(filemap_open(&map, folder, &err));
    assert_false(filemap_open(&map, in("nothing"), &err));
}

/* ---- a file that is cut while it is mapped ---- */

typedef struct Touch { const FileMap *map; size_t pieces; atomic_size_t marks; } Touch;

static void touch(void *job, size_t i, size_t worker)
{
    Touch *t = job;
    size_t each = t->map->size / t->pieces, marks = 0;
    (void)worker;
    for (size_t k = i * each; k < (i + 1) * each; k++)
        marks += t->map->at[k] == 'x';
    atomic_fetch_add(&t->marks, marks);
}

static void write_marks(const char *name, size_t n)
{
    Error err = {0};
    char *bytes = mem_alloc(n);
    memset(bytes, 'x', n);
    assert_true(file_write(in(name), bytes, n, &err));
    mem_free(bytes);
}

static void cut_maps(void **state)
{
    (void)state;
    Error err = {0};
    FileMap cut, whole;
    Pool *pool = pool_create(4); /* its workers meet it, too */
    write_marks("cut", 1 << 20);
    write_marks("whole", 1 << 20);
    for (int round = 0; round < 3; round++) {
        size_t left = (size_t[]){0, 5000, 700001}[round];
        write_marks("cut", 1 << 20);
        assert_true(filemap_open(&cut, in("cut"), &err) && filemap_open(&whole, in("whole"), &err));
        Touch t = {.map = &cut, .pieces = 256}, other = {.map = &whole, .pieces = 256};
        pool_run(pool, t.pieces, touch, &t);
        assert_int_equal(t.marks, 1 << 20);
        assert_false(filemap_torn(&cut));
        assert_int_equal(truncate(in("cut"), (off_t)left), 0);
        t.marks = 0;
        pool_run(pool, t.pieces, touch, &t);
        pool_run(pool, other.pieces, touch, &other);
        assert_int_equal(t.marks, left);
        assert_true(filemap_torn(&cut));
        assert_int_equal(other.marks, 1 << 20);
        assert_false(filemap_torn(&whole));
        filemap_close(&cut);
        filemap_close(&whole);
    }
    pool_destroy(pool);
}

/* All other causes of the signal mean what they did. */
static void other_bus_errors_stay(void **state)
{
    (void)state;
    Error err = {0};
    FileMap map;
    int status;
    write_marks("m", 100000);
    assert_true(filemap_open(&map, in("m"), &err));
    pid_t child = fork();
    if (child == 0) {
        signal(SIGBUS, SIG_DFL); /* whatever a sanitizer made of it */
        filemap_guard();
        raise(SIGBUS);
        _exit(0);
    }
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
    filemap_close(&map);
}

static void sha256_known(void **state)
{
    (void)state;
    uint8_t digest[32];
    char hex[65];
    sha256_bytes("abc", 3, digest); /* FIPS 180-4, appendix */
    sha256_hex(digest, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_bytes("", 0, digest);
    sha256_hex(digest, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    Sha256 *h = sha256_create();
    for (int i = 0; i < 1000; i++)
        sha256_add(h, "aaaaaaaaaa", 10);
    for (int i = 0; i < 990; i++)
        sha256_add(
            h,
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            "aaaaaaaaaaaaaaaaaaaa" /* 100 */,
            100);
    for (int i = 0; i < 891; i++)
        sha256_add(h, (char[1000]){0}, 0);
    Sha256 *million = sha256_create();
    char *block = mem_alloc(1000);
    memset(block, 'a', 1000);
    for (int i = 0; i < 1000; i++)
        sha256_add(million, block, 1000);
    sha256_finish(million, digest);
    sha256_hex(digest, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    uint8_t whole[32];
    char *all = mem_alloc(109000);
    memset(all, 'a', 109000);
    sha256_bytes(all, 109000, whole);
    sha256_finish(h, digest); /* 10,000 + 99,000 in pieces */
    assert_memory_equal(digest, whole, 32);
    mem_free(all);
    mem_free(block);
}

static void log_lines(void **state)
{
    (void)state;
    Error err = {0};
    Text text = {0};
    Log *log = log_open(in("log"), LOG_INFO, &err);
    assert_non_null(log);
    log_line(log, LOG_DEBUG, "not this");
    log_line(log, LOG_WARN, "two\nlines %d", 7);
    char *large = mem_alloc(5001);
    memset(large, 'x', 5000);
    log_line(log, LOG_ERROR, "%s", large);
    log_line(NULL, LOG_ERROR, "nobody");
    log_close(log);
    log_close(NULL);
    assert_true(file_read(in("log"), &text, 10000, &err));
    assert_null(strstr(text.at, "not this"));
    assert_non_null(strstr(text.at, " warn  two lines 7\n"));
    assert_non_null(strstr(text.at, large));
    size_t lines = 0;
    for (const char *at = text.at; *at; at++)
        lines += *at == '\n';
    assert_int_equal(lines, 2);
    assert_null(log_open(in("no/such/log"), LOG_INFO, &err));
    mem_free(large);
    text_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_and_read),
        cmocka_unit_test(failed_write_keeps_the_old),
        cmocka_unit_test(readers_see_whole_files),
        cmocka_unit_test(keeps_the_mode),
        cmocka_unit_test(folders),
        cmocka_unit_test(maps),
        cmocka_unit_test(cut_maps),
        cmocka_unit_test(other_bus_errors_stay),
        cmocka_unit_test(sha256_known),
        cmocka_unit_test(log_lines),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
