/* base_text.c -- errors, strings, LIKE, nearest names, UTF-8 and its widths, arenas, vectors. */
#include <lathe/base.h>

#include <locale.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <cmocka.h>

static void errors(void **state)
{
    (void)state;
    Error err = {0};
    assert_false(error_set(&err, ERROR_PARSE, "line %d: no column %s", 3, "MILAGE"));
    assert_false(error_in(&err, "%s", "taxi.recipe"));
    assert_int_equal(err.kind, ERROR_PARSE);
    assert_string_equal(err.text, "taxi.recipe: line 3: no column MILAGE");
    assert_false(
        error_set(&err, ERROR_IO, "again: %s", err.text)); /* arguments may be the old text */
    assert_string_equal(err.text, "again: taxi.recipe: line 3: no column MILAGE");
    assert_false(error_set(NULL, ERROR_IO, "nobody asked"));
    assert_false(error_in(NULL, "nobody asked"));
    error_set(&err, ERROR_IO, "a\nb\tc\x1b[31m");
    assert_string_equal(err.text, "a b c [31m");
    for (size_t lead = 390; lead < 402; lead++) { /* cut at the end, never inside a character */
        char *large = mem_alloc(1000);
        memset(large, 'x', lead);
        strcpy(large + lead, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\x95zzzzzzzzzzzzzzzz");
        error_set(&err, ERROR_IO, "%s", large);
        assert_true(utf8_valid(err.text, strlen(err.text)));
        assert_true(strlen(err.text) >= 396);
        error_in(&err, "%.300s", large);
        assert_true(utf8_valid(err.text, strlen(err.text)));
        mem_free(large);
    }
}

static void growing(void **state)
{
    (void)state;
    Text t = {0};
    assert_string_equal(text_str(&t), "");
    text_reset(&t);
    text_add(&t, "", 0);
    assert_string_equal(text_str(&t), "");
    for (int i = 0; i < 1000; i++)
        text_printf(&t, "%d,", i);
    text_putc(&t, '!');
    text_puts(&t, "end");
    assert_int_equal(t.count, 10 * 2 + 90 * 3 + 900 * 4 + 4);
    assert_int_equal(strlen(t.at), t.count);
    text_printf(&t, "%0500d", 7);
    assert_true(text_ends(t.at, "00007"));
    char *taken = text_take(&t);
    assert_true(text_starts(taken, "0,1,2,"));
    mem_free(taken);
    taken = text_take(&t);
    assert_string_equal(taken, "");
    mem_free(taken);
    text_release(&t);
    assert_true(text_equal(NULL, NULL) && text_equal("a", "a"));
    assert_false(text_equal(NULL, "") || text_equal("a", "b"));
    assert_true(text_ends("abc", "") && text_starts("abc", ""));
    assert_false(text_ends("c", "bc") || text_starts("a", "ab"));
}

/* The definition, slow and plain: the oracle. */
static bool like_plainly(const char *s, const char *end, const char *p)
{
    if (!*p)
        return s == end;
    if (*p == '%')
        return like_plainly(s, end, p + 1) ||
               (s < end && (utf8_next(&s, end), like_plainly(s, end, p)));
    if (s == end)
        return false;
    const char *s0 = s;
    utf8_next(&s, end);
    if (*p == '_')
        return like_plainly(s, end, p + 1);
    size_t n = (size_t)(s - s0);
    return strncmp(s0, p, n) == 0 && like_plainly(s, end, p + n);
}

static void like(void **state)
{
    (void)state;
    static const struct {
        const char *text, *pattern;
        bool matches;
    } known[] = {{"Yellow Cab", "Yellow%", true},
                 {"Yellow Cab", "%Cab", true},
                 {"Yellow Cab", "%low%", true},
                 {"Yellow Cab", "yellow%", false},
                 {"", "", true},
                 {"", "%", true},
                 {"", "_", false},
                 {"a", "_", true},
                 {"\xc3\xa9t\xc3\xa9", "_t_", true},
                 {"\xc3\xa9", "__", false},
                 {"\xe2\x82\xac 5", "\xe2\x82\xac%", true},
                 {"abcbc", "%bc", true},
                 {"abc", "abc%%", true},
                 {"aXbXc", "a%b%c", true},
                 {"abd", "a%c", false}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_int_equal(text_like(known[i].text, strlen(known[i].text), known[i].pattern),
                         known[i].matches);
    static const char *const letters[] = {"a", "b", "\xc3\xa9", "%", "_"};
    Rng rng;
    rng_seed(&rng, 5, 0);
    for (int i = 0; i < 50000; i++) {
        Text s = {0}, p = {0};
        for (size_t n = rng_below(&rng, 9); n > 0; n--)
            text_puts(&s, letters[rng_below(&rng, 3)]);
        for (size_t n = rng_below(&rng, 7); n > 0; n--)
            text_puts(&p, letters[rng_below(&rng, 5)]);
        const char *text = text_str(&s), *pattern = text_str(&p);
        if (text_like(text, s.count, pattern) != like_plainly(text, text + s.count, pattern))
            fail_msg("'%s' like '%s'", text, pattern);
        text_release(&s);
        text_release(&p);
    }
    char *many = mem_alloc(100001); /* must not take exponential time */
    memset(many, 'a', 100000);
    assert_false(text_like(many, 100000, "%a%a%a%a%a%a%a%a%b"));
    mem_free(many);
}

static void nearest(void **state)
{
    (void)state;
    assert_int_equal(text_distance("", ""), 0);
    assert_int_equal(text_distance("", "abc"), 3);
    assert_int_equal(text_distance("kitten", "sitting"), 3);
    assert_int_equal(text_distance("MILAGE", "MILEAGE"), 1);
    assert_int_equal(text_distance("ab", "ba"), 1);
    assert_int_equal(text_distance("flaw", "lawn"), 2);
    char *large = mem_alloc(5001);
    memset(large, 'x', 5000);
    text_distance(large, "x"); /* bounded, not overrun */
    mem_free(large);
    static const char *const names[] = {"FAREAMOUNT", "MILEAGE", "DURATION", "AIRPORT"};
    assert_string_equal(text_nearest("MILAGE", names, 4), "MILEAGE");
    assert_string_equal(text_nearest("mileage", names, 4), "MILEAGE");
    assert_string_equal(text_nearest("DURATOIN", names, 4), "DURATION");
    assert_null(text_nearest("COLOUR", names, 4));
    assert_null(text_nearest("", names, 4));
    assert_null(text_nearest("x", names, 0));
}

static void decoding(void **state)
{
    (void)state;
    const char *s = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\x95";
    const char *end = s + strlen(s);
    assert_int_equal(utf8_next(&s, end), 'a');
    assert_int_equal(utf8_next(&s, end), 0xE9);
    assert_int_equal(utf8_next(&s, end), 0x20AC);
    assert_int_equal(utf8_next(&s, end), 0x1F695);
    assert_ptr_equal(s, end);
    /* Markus Kuhn's stress test, in short: overlong, surrogates, too large, cut off, alone */
    static const char *const broken[] = {"\xc0\x80",
                                         "\xc1\xbf",
                                         "\xe0\x80\xaf",
                                         "\xed\xa0\x80",
                                         "\xf0\x80\x80\xaf",
                                         "\xf4\x90\x80\x80",
                                         "\xf5\x80\x80\x80",
                                         "\xe2\x82",
                                         "\x80",
                                         "\xff",
                                         "\xc3",
                                         "\xc3(",
                                         "\xfe"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        assert_false(utf8_valid(broken[i], strlen(broken[i])));
        const char *at = broken[i];
        assert_int_equal(utf8_next(&at, at + strlen(at)), 0xFFFD);
        assert_ptr_equal(at, broken[i] + 1); /* one byte at a time */
    }
    assert_true(utf8_valid("\xef\xbf\xbf\xf4\x8f\xbf\xbf", 7));
    for (uint32_t c = 0x80; c < 0x110000; c += 7) { /* every third plane's characters come back */
        char bytes[5] = {0};
        if (c >= 0xD800 && c < 0xE000)
            continue;
        if (c < 0x800)
            bytes[0] = (char)(0xC0 | c >> 6), bytes[1] = (char)(0x80 | (c & 63));
        else if (c < 0x10000)
            bytes[0] = (char)(0xE0 | c >> 12), bytes[1] = (char)(0x80 | (c >> 6 & 63)),
            bytes[2] = (char)(0x80 | (c & 63));
        else
            bytes[0] = (char)(0xF0 | c >> 18), bytes[1] = (char)(0x80 | (c >> 12 & 63)),
            bytes[2] = (char)(0x80 | (c >> 6 & 63)), bytes[3] = (char)(0x80 | (c & 63));
        const char *at = bytes;
        assert_int_equal(utf8_next(&at, bytes + strlen(bytes)), c);
        assert_int_equal(at - bytes, strlen(bytes));
    }
}

static size_t width(const char *s)
{
    return utf8_width(s, strlen(s));
}

static void widths(void **state)
{
    (void)state;
    assert_int_equal(width("abc"), 3);
    assert_int_equal(width("\xe6\x97\xa5\xe6\x9c\xac"), 4); /* Japan */
    assert_int_equal(width("e\xcc\x81"), 1);                /* e and a combining acute */
    assert_int_equal(width("\xf0\x9f\x9a\x95"), 2);         /* a taxi */
    assert_int_equal(width("\xe2\xa0\xbf\xe2\x96\x88"), 2); /* braille, block */
    assert_int_equal(width("\xe2\x80\x8b"), 0);             /* zero width space */
    assert_int_equal(width("\xff"), 1);
    const char *mixed = "a\xe6\x97\xa5"
                        "e\xcc\x81";
    assert_int_equal(utf8_fit(mixed, strlen(mixed), 0), 0);
    assert_int_equal(utf8_fit(mixed, strlen(mixed), 1), 1);
    assert_int_equal(utf8_fit(mixed, strlen(mixed), 2), 1); /* half a wide character does not fit */
    assert_int_equal(utf8_fit(mixed, strlen(mixed), 3), 4);
    assert_int_equal(utf8_fit(mixed, strlen(mixed), 4), 7); /* with its accent */
    assert_int_equal(utf8_fit(mixed, strlen(mixed), 99), 7);
}

/* The same as the C library thinks, which is what ncurses asks. */
static void widths_like_the_library(void **state)
{
    (void)state;
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        skip();
    for (uint32_t c = 0xA0; c < 0x110000; c++) {
        char bytes[8] = {0};
        int theirs = wcwidth((wchar_t)c);
        if (theirs < 0 || wctomb(bytes, (wchar_t)c) <= 0)
            continue;
        if ((int)width(bytes) != theirs)
            fail_msg("U+%04X: %zu columns, the library says %d", c, width(bytes), theirs);
    }
    setlocale(LC_CTYPE, "C");
}

static void memory(void **state)
{
    (void)state;
    Error err = {0};
    Arena arena = {0};
    for (size_t i = 0; i < 2000; i++) {
        size_t size = i * 37 % 5000;
        unsigned char *p = arena_alloc(&arena, size);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (size_t k = 0; k < size; k++)
            assert_int_equal(p[k], 0);
        memset(p, 0xAA, size);
        if (i == 1000)
            arena_reset(&arena);
    }
    assert_non_null(arena_alloc(&arena, 20u << 20));
    assert_string_equal(arena_text(&arena, "abc"), "abc");
    assert_null(arena_text(&arena, NULL));
    assert_string_equal(arena_printf(&arena, "%s-%d", "x", 7), "x-7");
    double *numbers = ARENA_NEW(&arena, double, 10);
    assert_true(numbers[9] == 0.0);
    arena_release(&arena);
    arena_release(&arena);
    VEC(struct {
        int a;
        double b;
    })
    vec = {0};
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(vec_slot(&vec)->a, 0);
        vec_last(&vec)->a = i;
    }
    assert_int_equal(vec.count, 1000);
    assert_int_equal(vec.at[517].a, 517);
    vec_release(&vec);
    assert_int_equal(vec.count, 0);
    unsigned char *tried = mem_try(1000, &err);
    assert_int_equal((uintptr_t)tried % 64, 0);
    assert_int_equal(tried[999], 0);
    mem_free(tried);
    assert_null(mem_try(SIZE_MAX, &err));
    assert_int_equal(err.kind, ERROR_SPACE);
    assert_null(mem_try((size_t)1 << 50, &err));
    assert_null(text_copy(NULL));
    mem_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors),
        cmocka_unit_test(growing),
        cmocka_unit_test(like),
        cmocka_unit_test(nearest),
        cmocka_unit_test(decoding),
        cmocka_unit_test(widths),
        cmocka_unit_test(widths_like_the_library),
        cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
