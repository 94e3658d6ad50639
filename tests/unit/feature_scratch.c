/* feature_scratch.c -- memory as long as a table: counted, zeroed, kept whole in files without a name. */
#include <lathe/feature.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define PIECE ((size_t)1 << 18)

static size_t files_in(const char *dir)
{
    size_t n = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.' || strncmp(e->d_name, SCRATCH_NAME, strlen(SCRATCH_NAME)) == 0;
    closedir(d);
    return n;
}

static bool all(const unsigned char *at, size_t n, unsigned char what)
{
    for (size_t i = 0; i < n; i++)
        if (at[i] != what)
            return false;
    return true;
}

static void heap_then_files(void **state)
{
    (void)state;
    Error err = {0};
    char dir[] = "/tmp/lathe-scratch-XXXXXX";
    assert_non_null(mkdtemp(dir));
    Scratch *s = scratch_create(dir, 2 * PIECE);
    unsigned char *at[5];
    for (int i = 0; i < 5; i++) {
        at[i] = scratch_take(s, PIECE, &err);
        assert_non_null(at[i]);
        assert_true((uintptr_t)at[i] % 64 == 0);
        assert_true(all(at[i], PIECE, 0));
        memset(at[i], i + 1, PIECE);
        assert_int_equal(scratch_in_files(s), i < 2 ? 0 : (uint64_t)(i - 1) * PIECE);
    }
    assert_int_equal(files_in(dir), 0);
    scratch_random(s, at[3]);
    for (int round = 0; round < 3; round++) { /* letting go of pages loses nothing */
        scratch_touched(s, 3 * PIECE);
        for (int i = 0; i < 5; i++)
            assert_true(all(at[i], PIECE, (unsigned char)(i + 1)));
    }
    scratch_give(s, at[0]);
    scratch_give(s, at[4]);
    assert_int_equal(scratch_in_files(s), 2 * PIECE);
    unsigned char *again = scratch_take(s, PIECE, &err); /* the heap has room again */
    assert_non_null(again);
    assert_int_equal(scratch_in_files(s), 2 * PIECE);
    assert_true(all(again, PIECE, 0) && all(at[1], PIECE, 2) && all(at[2], PIECE, 3));
    scratch_give(s, NULL);
    scratch_destroy(s); /* with what was not given back */
    assert_true(dir_remove(dir, &err));
}

static void no_room(void **state)
{
    (void)state;
    Error err = {0};
    Scratch *s = scratch_create("/nonexistent/lathe", 1);
    assert_non_null(scratch_take(s, 100, &err)); /* small ones need no file */
    assert_null(scratch_take(s, PIECE, &err));
    assert_true(err.kind == ERROR_IO && strstr(err.text, "/nonexistent/lathe"));
    scratch_destroy(s);
    void *heap = scratch_take(NULL, PIECE, &err);
    assert_non_null(heap);
    scratch_give(NULL, heap);
    scratch_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(heap_then_files),
                                       cmocka_unit_test(no_room)};
    return cmocka_run_group_tests_name("feature scratch", tests, NULL, NULL);
}
