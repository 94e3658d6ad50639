/* data_chunk.c -- columns and chunks: building, slicing, gathering, printing; schema and split. */
#include "data_table.h"

#include "data/data_int.h"

static void test_names(void **state)
{
    ColumnType t;
    Role r;
    for (int i = 0; i < COLUMN_TYPE_COUNT; i++) {
        assert_true(column_type_parse(column_type_name((ColumnType)i), &t));
        assert_int_equal(t, i);
    }
    for (int i = 0; i < ROLE_COUNT; i++) {
        assert_true(role_parse(role_name((Role)i), &r));
        assert_int_equal(r, i);
    }
    assert_true(column_type_parse("double", &t) && t == COLUMN_REAL);
    assert_true(column_type_parse("String", &t) && t == COLUMN_TEXT);
    assert_false(column_type_parse("money", &t));
    assert_false(role_parse("", &r));
    (void)state;
}

static void test_bits(void **state)
{
    Rng rng;
    rng_seed(&rng, 1, 1);
    for (int round = 0; round < 300; round++) {
        uint8_t from[64], to[64], plain[64];
        for (size_t i = 0; i < 64; i++) {
            from[i] = (uint8_t)rng_next(&rng);
            to[i] = plain[i] = (uint8_t)rng_next(&rng);
        }
        size_t n = rng_below(&rng, 300), a = rng_below(&rng, 512 - n), b = rng_below(&rng, 512 - n);
        size_t count = 0;
        for (size_t i = 0; i < n; i++) {
            bool bit = bit_get(from, a + i);
            count += bit;
            if (bit)
                bit_set(plain, b + i);
            else
                bit_clear(plain, b + i);
        }
        bits_copy(to, b, from, a, n);
        assert_memory_equal(to, plain, 64);
        assert_int_equal(bits_count(from, a, n), count);
        bits_fill(to, b, n);
        assert_int_equal(bits_count(to, b, n), n);
    }
    (void)state;
}

static void test_words(void **state)
{
    WordTable t = {0};
    Words words;
    char word[16];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 20000; i++) {
            int n = snprintf(word, sizeof word, "%d", i);
            assert_int_equal(wordtable_code(&t, word, (size_t)n), i);
        }
    assert_int_equal(wordtable_find(&t, "19999", 5), 19999);
    assert_int_equal(wordtable_find(&t, "20000", 5), WORD_NONE);
    assert_int_equal(wordtable_code(&t, "", 0), 20000);
    wordtable_words(&t, &words);
    assert_int_equal(words.count, 20001);
    size_t n;
    const char *s = words_get(&words, 777, &n);
    assert_int_equal(n, 3);
    assert_memory_equal(s, "777", 3);
    wordtable_release(&t);
    (void)state;
}

static void test_build(void **state)
{
    Arena a = {0};
    Column c;
    Text text = {0};
    ColumnBuild *b = column_build(&a, "x", COLUMN_DATE, 3);
    column_build_int(b, 0);
    column_build_missing(b);
    column_build_int(b, -1);
    column_build_finish(b, &c);
    assert_int_equal(c.rows, 3);
    assert_true(column_has(&c, 0) && !column_has(&c, 1) && column_has(&c, 2));
    assert_true(column_real(&c, 2) == -1 && isnan(column_real(&c, 1)));
    column_print(&c, 2, &text);
    assert_string_equal(text_str(&text), "1969-12-31");
    text_reset(&text);
    column_print(&c, 1, &text);
    assert_string_equal(text_str(&text), "");

    b = column_build(&a, "n", COLUMN_INT, 2);
    column_build_int(b, INT64_MIN);
    column_build_int(b, 42);
    column_build_finish(b, &c);
    assert_null(c.valid);
    column_print(&c, 0, &text);
    assert_string_equal(text_str(&text), "-9223372036854775808");
    text_release(&text);
    arena_release(&a);
    (void)state;
}

/* Text comes out the same whether it repeats or not, and words are kept only where smaller. */
static void test_build_text(void **state)
{
    static const size_t distinct[] = {1, 7, 900, 100000};
    for (size_t d = 0; d < COUNT_OF(distinct); d++) {
        Arena a = {0};
        Column c;
        char word[32];
        const size_t rows = 5000;
        ColumnBuild *b = column_build(&a, "t", COLUMN_TEXT, rows);
        for (size_t i = 0; i < rows; i++) {
            if (i % 10 == 3)
                column_build_missing(b);
            else
                column_build_text(
                    b, word,
                    (size_t)snprintf(word, sizeof word, "word %zu", i * 7919 % distinct[d]));
        }
        column_build_finish(b, &c);
        assert_int_equal(c.words != NULL, distinct[d] < rows);
        for (size_t i = 0; i < rows; i++) {
            size_t n, m = (size_t)snprintf(word, sizeof word, "word %zu", i * 7919 % distinct[d]);
            const char *s = column_text(&c, i, &n);
            assert_int_equal(column_has(&c, i), i % 10 != 3);
            if (column_has(&c, i)) {
                assert_int_equal(n, m);
                assert_memory_equal(s, word, n);
            }
        }
        arena_release(&a);
    }
    (void)state;
}

static void test_slice_and_gather(void **state)
{
    Arena a = {0};
    Schema s = {0};
    Chunk whole;
    Rng rng;
    table_schema(&s);
    table_chunk(&s, 100, 1500, true, &a, &whole);
    rng_seed(&rng, 3, 3);
    for (int round = 0; round < 40; round++) {
        size_t from = rng_below(&rng, 1501), rows = rng_below(&rng, 1501 - from);
        Chunk cut, twice;
        chunk_slice(&whole, from, rows, &a, &cut);
        assert_int_equal(cut.rows, rows);
        assert_same_rows(&whole, from, &cut, 0, rows);
        if (rows > 3) {
            chunk_slice(&cut, 3, rows - 3, &a, &twice);
            assert_same_rows(&whole, from + 3, &twice, 0, rows - 3);
            assert_int_equal(chunk_origin(&twice, 0), 100 + from + 3);
        }
        uint32_t row[200];
        size_t n = rng_below(&rng, 200);
        for (size_t i = 0; i < n && rows; i++)
            row[i] = (uint32_t)rng_below(&rng, rows);
        if (!rows)
            continue;
        chunk_gather(&cut, row, n, &a, &twice);
        for (size_t i = 0; i < n; i++) {
            assert_same_rows(&cut, row[i], &twice, i, 1);
            assert_int_equal(chunk_origin(&twice, i), 100 + from + row[i]);
        }
    }
    assert_ptr_equal(chunk_find(&whole, "city"), &whole.column[5]);
    assert_null(chunk_find(&whole, "cit"));
    size_t next = 0;
    for (size_t i = 0; i < whole.columns;
         i++) { /* in order, and what is not there is passed over */
        assert_ptr_equal(chunk_find_next(&whole, whole.column[i].name, &next), &whole.column[i]);
        assert_null(chunk_find_next(&whole, "cit", &next));
        assert_int_equal(next, i + 1);
    }
    assert_ptr_equal(chunk_find_next(&whole, "city", &next), &whole.column[5]); /* back again */
    assert_int_equal(next, 6);
    schema_release(&s);
    arena_release(&a);
    (void)state;
}

static void test_schema(void **state)
{
    Schema s = {0}, back = {0}, copy = {0};
    Error err = {0};
    table_schema(&s);
    s.field[2].nullable = false;
    json_t *json = schema_to_json(&s);
    assert_true(schema_from_json(&back, json, &err));
    schema_copy(&copy, &back);
    assert_int_equal(copy.count, s.count);
    for (size_t i = 0; i < s.count; i++) {
        assert_string_equal(copy.field[i].name, s.field[i].name);
        assert_int_equal(copy.field[i].type, s.field[i].type);
        assert_int_equal(copy.field[i].role, s.field[i].role);
        assert_int_equal(copy.field[i].nullable, s.field[i].nullable);
    }
    assert_int_equal(schema_find(&s, "when"), 3);
    assert_int_equal(schema_need(&s, "amuont", &err), SIZE_MAX);
    assert_string_equal(err.text, "no column amuont, did you mean amount?");
    err = (Error){0};
    json_object_set_new(json_array_get(json, 1), "type", json_string("money"));
    assert_false(schema_from_json(&back, json, &err));
    assert_string_equal(err.text, "schema: column count: unknown type 'money'");
    json_decref(json);
    schema_release(&s);
    schema_release(&back);
    schema_release(&copy);
    (void)state;
}

static void test_split(void **state)
{
    Split s, other;
    Error err = {0};
    uint64_t count[PART_COUNT] = {0}, same = 0;
    const uint64_t rows = 200000;
    assert_true(split_parse("70/15/15", &s, &err));
    s.seed = 1;
    other = s;
    other.seed = 2;
    for (uint64_t i = 0; i < rows; i++) {
        count[split_part(&s, i)]++;
        same += split_part(&s, i) == split_part(&other, i);
    }
    for (int p = 0; p < PART_COUNT; p++) /* within five standard deviations */
        assert_true(fabs((double)count[p] - (double)rows * s.share[p]) <
                    5 * sqrt((double)rows * s.share[p] * (1 - s.share[p])));
    /* independent seeds agree as often as chance has it: .49 + .0225 + .0225 */
    assert_true(fabs((double)same / (double)rows - 0.535) < 0.01);
    assert_true(split_parse("100/0/0", &s, &err));
    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(split_part(&s, i), PART_TRAIN);
    assert_true(split_parse(".64/.16/.2", &s, &err));
    static const char *const wrong[] = {"",      "70",         "70/30",     "70/15/16", "0/50/50",
                                        "a/b/c", "70/15/15/0", "-10/55/55", "nan/1/1",  "inf/0/0"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        err = (Error){0};
        assert_false(split_parse(wrong[i], &s, &err));
        assert_int_equal(err.kind, ERROR_USAGE);
    }
    assert_string_equal(part_name(PART_VALID), "valid");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),      cmocka_unit_test(test_bits),
        cmocka_unit_test(test_words),      cmocka_unit_test(test_build),
        cmocka_unit_test(test_build_text), cmocka_unit_test(test_slice_and_gather),
        cmocka_unit_test(test_schema),     cmocka_unit_test(test_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
