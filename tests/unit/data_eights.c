/* data_eights.c -- whole columns of numbers and times, read eight rows at once where the processor can,
 * against the ways that read one: the same bits, the same rows missing, whatever stands in the fields. */
#include "data/reader_test.h"

#include "data/digits.h"
#include "data/stamp.h"

#define ROWS 403 /* not a multiple of eight, and more than one tile */

typedef struct Made {
    Text csv;
    VEC(char *) field; /* of the column in question, blanks around it off */
} Made;

static void made_release(Made *m)
{
    for (size_t i = 0; i < m->field.count; i++)
        mem_free(m->field.at[i]);
    vec_release(&m->field);
    text_release(&m->csv);
}

/* ---- fields of each kind, usual ones and ones made to hurt ---- */

static void digits_of(Rng *rng, size_t most, Text *into)
{
    for (size_t n = rng_below(rng, most + 1); n; n--)
        text_putc(into, (char)('0' + rng_below(rng, rng_below(rng, 4) ? 10 : 1)));
}

static void any_of(Rng *rng, const char *letters, size_t most, Text *into)
{
    for (size_t n = rng_below(rng, most + 1); n; n--)
        text_putc(into, letters[rng_below(rng, strlen(letters))]);
}

static void number_field(Rng *rng, char point, Text *into)
{
    const char odd[] = {'0', '1', '9', '-', point, '.', ',', 'e', '/', ':', '+', ' ', 0};
    switch (rng_below(rng, 12)) {
    case 0:
        any_of(rng, odd, 5, into);
        return;
    case 1:
        text_puts(into, rng_below(rng, 2) ? "NULL" : "");
        return;
    case 2:
        any_of(rng, "0123456789", 18, into);
        return;
    case 3:
        any_of(rng, odd, 18, into);
        return;
    default:
        break;
    }
    if (rng_below(rng, 2))
        text_putc(into, '-');
    digits_of(rng, 1 + rng_below(rng, 12), into);
    if (rng_below(rng, 4))
        text_putc(into, point);
    digits_of(rng, rng_below(rng, 9), into);
}

static void time_field(Rng *rng, Text *into)
{
    static const int years[] = {1,    4,    100,  400,  1600, 1700, 1899,
                                1900, 1969, 1970, 2000, 2024, 9999};
    size_t at = into->count;
    int year = rng_below(rng, 2) ? years[rng_below(rng, sizeof years / sizeof *years)]
                                 : (int)rng_below(rng, 10000);
    text_printf(into, "%04d-%02d-%02d %02d:%02d:%02d", year, (int)rng_below(rng, 14),
                (int)rng_below(rng, 33), (int)rng_below(rng, 25), (int)rng_below(rng, 61),
                (int)rng_below(rng, 61));
    if (rng_below(rng, 8) == 0)
        into->at[at + 10] = 'T';
    if (rng_below(rng, 6) == 0)
        into->at[at + rng_below(rng, 19)] = "0/:,9- TX"[rng_below(rng, 9)];
    if (rng_below(rng, 12) == 0) {
        into->count = at + rng_below(rng, 19);
        into->at[into->count] = 0;
    }
}

/* A table of three columns with that one as the first, in the middle or the last. */
static void make(Rng *rng, ReadAs as, char point, size_t place, Made *m)
{
    *m = (Made){0};
    for (int row = 0; row < ROWS; row++) {
        Text f = {0};
        text_puts(&f, "");
        if (as == READ_TIME_YMD)
            time_field(rng, &f);
        else
            number_field(rng, point, &f);
        const char *s = text_str(&f);
        size_t n = f.count;
        for (; n && *s == ' '; s++, n--) {
        }
        for (; n && s[n - 1] == ' '; n--) {
        }
        char *kept = mem_alloc(n + 1);
        memcpy(kept, s, n);
        vec_add(&m->field, kept);
        bool quoted = rng_below(rng, 40) == 0;
        for (size_t c = 0; c < 3; c++) {
            if (c == place)
                text_printf(&m->csv, quoted ? "\"%s\"" : "%s", quoted ? kept : text_str(&f));
            else
                any_of(rng, "ab12-. ", 20, &m->csv);
            text_putc(&m->csv, c < 2 ? ';' : '\n');
        }
        text_release(&f);
    }
}

/* ---- one at a time ---- */

typedef struct One {
    bool there;
    uint64_t bits;
} One;

static One one_of(const char *field, ReadAs as, char point, bool lenient)
{
    char room[16 + 64 + 16] = {0};
    size_t n = strlen(field);
    double real = 0;
    int64_t whole = 0;
    bool clock, ok = n > 0 && n < 64 && strcmp(field, "NULL") != 0;
    memcpy(room + 16, field, n < 64 ? n : 0);
    if (as == READ_REAL) {
        ok = ok && value_real(room + 16, n, point, lenient, &real);
        memcpy(&whole, &real, sizeof whole);
    } else if (as == READ_INT) {
        ok = ok && value_int(room + 16, n, lenient, &whole);
    } else {
        ok = ok && value_stamp(room + 16, n, ORDER_YMD, &whole, &clock);
    }
    return (One){ok, ok ? (uint64_t)whole : 0};
}

static void columns_are_what_one_by_one_gives(void **state)
{
    (void)state;
    static const ReadAs kinds[] = {READ_INT, READ_REAL, READ_TIME_YMD};
    Rng rng;
    rng_seed(&rng, 5, 0);
    size_t values = 0;
    for (int round = 0; round < 600; round++) {
        ReadAs as = kinds[round % 3];
        char point = round % 5 == 4 ? ',' : '.';
        bool lenient = round % 7 == 6;
        Made m;
        make(&rng, as, point, (size_t)(round / 3 % 3), &m);
        char *memory = mem_alloc(m.csv.count + 2 * PADDING);
        memset(memory, '7', m.csv.count + 2 * PADDING);
        memcpy(memory + PADDING, m.csv.at, m.csv.count);
        memory[PADDING + m.csv.count] = '\n';
        NullWords null = {0}, none = {0};
        nullwords_add(&null, "NULL");
        ColumnPlan column = {.name = "x", .as = as, .fixed = lenient, .from = round / 3 % 3};
        Plan plan = {.rules = {';', '"', 3},
                     .decimal = point,
                     .widen = true,
                     .null = &null,
                     .text_null = &none,
                     .columns = 1,
                     .column = &column};
        Grid g = {0};
        Arena arena = {0};
        Misfit misfit = {0};
        uint32_t *bad = NULL;
        Column out;
        grid_fill(&g, &plan.rules, memory + PADDING, 0, m.csv.count, m.csv.count, true);
        assert_int_equal(g.rows, ROWS);
        columns_read(&plan, &g, &arena, &misfit, &bad, &out);
        for (size_t row = 0; row < ROWS; row++) {
            One one = one_of(m.field.at[row], as, point, lenient);
            bool there = !out.valid || (out.valid[row >> 3] >> (row & 7) & 1);
            if (there != one.there || (one.there && (uint64_t)out.integer[row] != one.bits))
                fail_msg("round %d, row %zu, '%s': %s, %llx instead of %s, %llx", round, row,
                         m.field.at[row], there ? "there" : "missing",
                         (unsigned long long)out.integer[row], one.there ? "there" : "missing",
                         (unsigned long long)one.bits);
            if (!there)
                assert_int_equal(out.integer[row], 0);
            values += there;
        }
        nullwords_release(&null);
        nullwords_release(&none);
        grid_release(&g);
        arena_release(&arena);
        mem_free(memory);
        made_release(&m);
    }
    assert_true(values > 600 * ROWS / 3); /* most of them are numbers and times */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_what_one_by_one_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
