/* data_csv.c -- the splitter against libcsv, which defines what a field is, on bytes made to hurt;
 * the vector index against the plain one; printing against reading. */
#include "data/reader_test.h"

/* ---- libcsv alone: every row as its fields, in one text ---- */

typedef struct Oracle {
    VEC(size_t) fields; /* of each row */
    VEC(char *) row;    /* its fields, each ended by CELL_END */
    Text now;
    size_t count;
} Oracle;

static void oracle_field(void *bytes, size_t n, void *context)
{
    Oracle *o = context;
    text_add(&o->now, bytes, n);
    text_putc(&o->now, CELL_END);
    o->count++;
}

static void oracle_row(int end, void *context)
{
    (void)end;
    Oracle *o = context;
    vec_add(&o->fields, o->count);
    vec_add(&o->row, text_take(&o->now));
    o->count = 0;
}

/* False when the text ends inside quotes. */
static bool oracle_read(Oracle *o, const CsvRules *rules, const char *bytes, size_t n)
{
    struct csv_parser csv;
    csv_init(&csv, 0);
    csv_set_delim(&csv, (unsigned char)rules->delimiter);
    csv_set_quote(&csv, (unsigned char)rules->quote);
    csv_parse(&csv, bytes, n, oracle_field, oracle_row, o);
    bool closed = !(csv.quoted && csv.pstate == 2);
    if (closed)
        csv_fini(&csv, oracle_field, oracle_row, o);
    csv_free(&csv);
    return closed;
}

static void oracle_release(Oracle *o)
{
    for (size_t i = 0; i < o->row.count; i++)
        mem_free(o->row.at[i]);
    vec_release(&o->row);
    vec_release(&o->fields);
    text_release(&o->now);
}

/* ---- the same from the grid ---- */

static void same_row(const Oracle *o, size_t i, const Grid *g, size_t row)
{
    Text t = {0};
    for (size_t c = 0; c < g->columns; c++) {
        Span s = grid_span(g, c, row);
        text_add(&t, grid_text(g, s), s.size);
        text_putc(&t, CELL_END);
    }
    assert_string_equal(text_str(&t), o->row.at[i]);
    text_release(&t);
}

static void same_as_libcsv(const CsvRules *rules, const char *text, size_t n)
{
    char *memory = mem_alloc(n + 2 * PADDING), *bytes = memory + PADDING;
    memcpy(bytes, text, n);
    memset(bytes + n, '\n', PADDING);
    Oracle o = {0};
    Grid g = {0};
    bool closed = oracle_read(&o, rules, bytes, n);
    grid_fill(&g, rules, bytes, 0, n, n, true);
    assert_int_equal(grid_lines(&g, n), csv_lines(bytes, g.end));
    size_t row = 0, bad = 0;
    for (size_t i = 0; i < o.row.count; i++) {
        if (o.fields.at[i] == rules->columns) {
            assert_true(row < g.rows);
            same_row(&o, i, &g, row++);
        } else {
            assert_true(bad < g.bad.count);
            assert_int_equal(g.bad.at[bad].fault, FAULT_COUNT);
            assert_int_equal(g.bad.at[bad++].detail, o.fields.at[i]);
        }
    }
    if (closed) {
        assert_int_equal(row, g.rows);
        assert_int_equal(bad, g.bad.count);
        assert_int_equal(g.end, n);
    } else {
        assert_int_equal(g.bad.at[bad].fault, FAULT_QUOTE);
    }
    oracle_release(&o);
    grid_release(&g);
    mem_free(memory);
}

static void random_bytes_split_as_libcsv_does(void **state)
{
    (void)state;
    static const char *const alphabets[] = {"a,\n",          "a, \n\r",     "ab,\"\n",
                                            "a,\"\n\r \t",   "x;\"\n,1.5-", "aaaaaaa,aaaaaaaaa\n",
                                            "\xc3\xa9,\"\n", "a\t \n\"\r"};
    Rng rng;
    rng_seed(&rng, 2, 0);
    char text[700];
    for (int i = 0; i < 60000; i++) {
        const char *letters = alphabets[i % 8];
        size_t kinds = strlen(letters), n = 1 + rng_below(&rng, i % 100 ? 40 : sizeof text - 1);
        for (size_t k = 0; k < n; k++)
            text[k] = letters[rng_below(&rng, kinds)];
        CsvRules rules = {i % 8 == 4 ? ';' : i % 8 == 7 ? '\t' : ',', '"', 1 + rng_below(&rng, 4)};
        same_as_libcsv(&rules, text, n);
    }
}

static void quotes_anywhere(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "a,\"b\"\n",         "a,\"b\"\"c\"\n",  "\"a\" ,b\n",     " \"a\",b\n",  "a,b\"c\"\n",
        "a,\"b\nc\"\r\nd,e", "a,\"b\" x\"\n",   "\"a,b\n\"c,d\n", "\"\",\"\"\n", "a,\"b\"",
        "\"a\r\n\",b\r\n",   "\n\n\"a\",b\n\n", "a,\"b\r",        "\"",          ",\"\"",
    };
    const CsvRules rules = {',', '"', 2};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        same_as_libcsv(&rules, texts[i], strlen(texts[i]));
}

/* Each line opens a quote that none closes: every line is given up, and not in time squared. */
static void open_quotes_on_every_line(void **state)
{
    Text csv = {0};
    text_puts(&csv, "a,b\n1,2\n3,4\n");
    for (int i = 0; i < 300000; i++)
        text_printf(&csv, "%d,\"open %d\n", i, i);
    text_puts(&csv, "5,6\n");
    char *path = put(*state, "open.csv", csv.at, csv.count);
    IngestOptions o = {.skip = -1, .reject_limit = 1};
    double begun = clock_now();
    Table t;
    read_path(&t, path, &o, NULL);
    assert_int_equal(t.rows, 3);
    assert_true(clock_now() - begun < 60); /* some 0.2 s; squared it is minutes */
    table_release(&t);
    text_release(&csv);
    mem_free(path);
}

static void the_vector_index_is_the_plain_one(void **state)
{
    (void)state;
    Rng rng;
    rng_seed(&rng, 5, 0);
    char *bytes = mem_alloc(4096);
    CsvIndex a = {0}, b = {0};
    for (int i = 0; i < 4000; i++) {
        uint64_t dense = rng_below(&rng, 20) + 1;
        for (size_t k = 0; k < 4096; k++)
            bytes[k] = rng_below(&rng, dense) ? (char)('a' + rng_below(&rng, 26))
                                              : ",\"\n\r"[rng_below(&rng, 4)];
        if (i % 3 == 0)
            bytes[rng_below(&rng, 4096)] = '\xe9';
        size_t from = rng_below(&rng, 4096), to = from + rng_below(&rng, 4097 - from);
        csv_index_plain(&a, bytes, from, to, ',', '"');
        csv_index(&b, bytes, from, to, ',', '"');
        assert_int_equal(a.places, b.places);
        assert_int_equal(a.stops, b.stops);
        assert_memory_equal(a.place, b.place, a.places * sizeof *a.place);
        assert_memory_equal(a.stop, b.stop, a.stops * sizeof *a.stop);
        assert_int_equal(a.ascii, b.ascii);
    }
    mem_free(bytes);
    csv_index_release(&a);
    csv_index_release(&b);
}

/* ---- printing ---- */

static void what_is_printed_reads_back(void **state)
{
    static const char csv[] = "i,r,b,d,t,s\n"
                              "1,1.5,true,2015-01-02,2015-01-02 03:04:05,\"a, b\"\n"
                              "-2,1e+300,false,,2015-01-02 03:04:05.25,\"say \"\"so\"\"\"\n"
                              ",,,1969-12-31,,\" blank \"\n"
                              "4,0.1,true,2000-02-29,1960-01-01 00:00:00,\"two\nlines\"\n";
    char *path = put(*state, "print.csv", csv, 0);
    Text once = {0};
    Error err = {0};
    Reader *r = reader_open(path, NULL, NULL, NULL, NULL, NULL, &err);
    assert_non_null(r);
    Chunk c;
    assert_true(reader_next(r, &c, &err));
    csv_print_header(&c, ',', &once);
    csv_print(&c, ',', &once);
    reader_close(r);
    Table a, b;
    read_path(&a, path, NULL, NULL);
    read_text(*state, &b, once.at, NULL);
    assert_int_equal(a.rows, 4);
    assert_string_equal(a.cells.at, b.cells.at);
    assert_string_equal(types_of(&a), types_of(&b));
    table_release(&a);
    table_release(&b);
    text_release(&once);
    mem_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_bytes_split_as_libcsv_does),
        cmocka_unit_test(quotes_anywhere),
        cmocka_unit_test(open_quotes_on_every_line),
        cmocka_unit_test(the_vector_index_is_the_plain_one),
        cmocka_unit_test(what_is_printed_reads_back),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
