/* recipe_sqlite.c -- thousands of random expressions, computed by us and by SQLite on the same rows.
 *
 * An expression is made twice at once, in our words and in SQLite's; where the two languages differ
 * by intention (the result of 7 / 2, true and false, overflow) the SQLite text says it our way. */
#include "recipe_table.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>

#define ROWS        60
#define EXPRESSIONS 10000

static Table table;
static sqlite3 *db;

typedef struct Pair {
    Text ours, theirs;
    Rng rng;
    int depth;
} Pair;

static void both(Pair *p, const char *s)
{
    text_puts(&p->ours, s);
    text_puts(&p->theirs, s);
}

static uint64_t roll(Pair *p, uint64_t sides)
{
    return p->depth <= 0 ? 0 : rng_below(&p->rng, sides);
}

static void make_number(Pair *p);
static void make_text(Pair *p);
static void make_truth(Pair *p);

static void call(Pair *p, const char *name, void (*first)(Pair *), void (*second)(Pair *))
{
    both(p, name);
    both(p, "(");
    first(p);
    if (second) {
        both(p, ", ");
        second(p);
    }
    both(p, ")");
}

static void infix(Pair *p, const char *sign, void (*side)(Pair *))
{
    both(p, "(");
    side(p);
    both(p, sign);
    side(p);
    both(p, ")");
}

static void small_number(Pair *p)
{
    static const char *const numbers[] = {"0", "1", "2", "3", "-1", "1.5", "-2.25", "10", "0.1"};
    both(p, numbers[rng_below(&p->rng, 9)]);
}

static void whole_number(Pair *p)
{
    static const char *const numbers[] = {"0", "1", "2", "-1", "-3", "4", "N"};
    both(p, numbers[rng_below(&p->rng, 7)]);
}

static void make_case(Pair *p, void (*result)(Pair *))
{
    both(p, "case when ");
    make_truth(p);
    both(p, " then ");
    result(p);
    if (rng_below(&p->rng, 2)) {
        both(p, " when ");
        make_truth(p);
        both(p, " then ");
        result(p);
    }
    if (rng_below(&p->rng, 2)) {
        both(p, " else ");
        result(p);
    }
    both(p, " end");
}

static void make_number(Pair *p)
{
    static const char *const columns[] = {"N", "X", "M"};
    p->depth--;
    switch (roll(p, 16)) {
    case 0:
    case 1:
    case 2:
        both(p, columns[rng_below(&p->rng, 3)]);
        break;
    case 3:
        small_number(p);
        break;
    case 4:
        infix(p, " + ", make_number);
        break;
    case 5:
        infix(p, " - ", make_number);
        break;
    case 6:
        infix(p, " * ", make_number);
        break;
    case 7:
        both(p, "(");
        make_number(p);
        text_puts(&p->ours, " / ");
        text_puts(&p->theirs, " * 1.0 / ");
        make_number(p);
        both(p, ")");
        break;
    case 8:
        both(p, "(");
        whole_number(p);
        both(p, " % ");
        whole_number(p);
        both(p, ")");
        break;
    case 9:
        call(p, "abs", make_number, NULL);
        break;
    case 10:
        call(p, "min", make_number, make_number);
        break;
    case 11:
        call(p, "max", make_number, make_number);
        break;
    case 12:
        call(p, "coalesce", make_number, make_number);
        break;
    case 13:
        call(p, "length", make_text, NULL);
        break;
    case 14:
        make_case(p, make_number);
        break;
    default:
        both(p, "(- ");
        make_number(p);
        both(p, ")");
    }
    p->depth++;
}

static void make_text(Pair *p)
{
    static const char *const words[] = {"'a'", "'Cash'", "''", "' b '", "'ca'", "'it''s'"};
    p->depth--;
    switch (roll(p, 13)) {
    case 0:
    case 1:
        both(p, "S");
        break;
    case 2:
        both(p, "P");
        break;
    case 3:
        both(p, words[rng_below(&p->rng, 6)]);
        break;
    case 4:
        call(p, "lower", make_text, NULL);
        break;
    case 5:
        call(p, "upper", make_text, NULL);
        break;
    case 6:
        call(p, "trim", make_text, NULL);
        break;
    case 7:
        both(p, "substr(");
        make_text(p);
        both(p, ", ");
        whole_number(p);
        both(p, ")");
        break;
    case 8:
        both(p, "substr(");
        make_text(p);
        both(p, ", ");
        whole_number(p);
        both(p, rng_below(&p->rng, 2) ? ", 2)" : ", 0)");
        break;
    case 9:
        both(p, "replace(");
        make_text(p);
        both(p, ", 'a', ");
        make_text(p);
        both(p, ")");
        break;
    case 10:
        infix(p, " || ", make_text);
        break;
    case 11:
        call(p, "coalesce", make_text, make_text);
        break;
    default:
        make_case(p, make_text);
    }
    p->depth++;
}

static void make_list(Pair *p, void (*item)(Pair *))
{
    both(p, rng_below(&p->rng, 2) ? " in (" : " not in (");
    item(p);
    for (uint64_t n = rng_below(&p->rng, 3); n > 0; n--) {
        both(p, ", ");
        rng_below(&p->rng, 8) ? item(p) : both(p, "null");
    }
    both(p, ")");
}

static void make_truth(Pair *p)
{
    static const char *const compare[] = {
        " = ", " <> ", " < ", " <= ", " > ", " >= ", " == ", " != "};
    static const char *const patterns[] = {"'%a%'", "'C_s%'", "'%h'", "'_'", "'%'", "'a%b'"};
    p->depth--;
    switch (roll(p, 15)) {
    case 0:
    case 1:
        infix(p, compare[rng_below(&p->rng, 8)], make_number);
        break;
    case 2:
        infix(p, compare[rng_below(&p->rng, 8)], make_text);
        break;
    case 3:
    case 4:
        infix(p, " and ", make_truth);
        break;
    case 5:
    case 6:
        infix(p, " or ", make_truth);
        break;
    case 7:
        both(p, "(not ");
        make_truth(p);
        both(p, ")");
        break;
    case 8:
        both(p, "(");
        rng_below(&p->rng, 2) ? make_number(p) : make_text(p);
        both(p, rng_below(&p->rng, 2) ? " is null)" : " is not null)");
        break;
    case 9:
        both(p, "(");
        make_number(p);
        both(p, rng_below(&p->rng, 2) ? " between " : " not between ");
        make_number(p);
        both(p, " and ");
        make_number(p);
        both(p, ")");
        break;
    case 10:
        both(p, "(");
        make_number(p);
        make_list(p, make_number);
        both(p, ")");
        break;
    case 11:
        both(p, "(");
        make_text(p);
        make_list(p, make_text);
        both(p, ")");
        break;
    case 12:
        both(p, "(");
        make_text(p);
        both(p, rng_below(&p->rng, 2) ? " like " : " not like ");
        both(p, patterns[rng_below(&p->rng, 6)]);
        both(p, ")");
        break;
    case 13:
        make_case(p, make_truth);
        break;
    default:
        both(p, "B");
    }
    p->depth++;
}

static int fill_database(void)
{
    Text sql = {0};
    if (sqlite3_open(":memory:", &db) != SQLITE_OK)
        return 1;
    text_puts(&sql, "pragma case_sensitive_like = on; create table t (N integer, X real, M real, "
                    "S text, P text, B integer);");
    for (size_t i = 0; i < ROWS; i++) {
        text_puts(&sql, "insert into t values (");
        for (size_t k = 0; k < 6; k++) {
            const Column *c = &table.column[k];
            text_puts(&sql, k > 0 ? ", " : "");
            if (!column_has(c, i))
                text_puts(&sql, "null");
            else if (c->type == COLUMN_BOOL)
                text_puts(&sql, bit_get(c->bit, i) ? "1" : "0");
            else {
                text_puts(&sql, c->type == COLUMN_TEXT ? "'" : "");
                column_print(c, i, &sql);
                text_puts(&sql, c->type == COLUMN_TEXT ? "'" : "");
            }
        }
        text_puts(&sql, ");");
    }
    bool ok = sqlite3_exec(db, text_str(&sql), NULL, NULL, NULL) == SQLITE_OK;
    text_release(&sql);
    return ok ? 0 : 1;
}

static int make(void **state)
{
    static const char *const words[] = {"Cash", "a", "b", "", " b ", "caa", "cash", "aXbXh"};
    (void)state;
    Rng rng;
    char has[7][ROWS + 1], truth[ROWS + 1];
    int64_t n[ROWS];
    double x[ROWS], m[ROWS];
    const char *s[ROWS], *p[ROWS];
    rng_seed(&rng, 3, 0);
    for (size_t i = 0; i < ROWS; i++) {
        for (int k = 0; k < 7; k++)
            has[k][i] = rng_below(&rng, 5) ? '1' : '0';
        n[i] = (int64_t)rng_below(&rng, 9) - 4;
        x[i] = (double)((int64_t)rng_below(&rng, 41) - 20) / 4;
        m[i] = rng_normal(&rng);
        s[i] = words[rng_below(&rng, 3)];
        p[i] = words[rng_below(&rng, 8)];
        truth[i] = (char)(rng_below(&rng, 5) == 0 ? '-' : '0' + (char)rng_below(&rng, 2));
    }
    table_begin(&table, ROWS);
    table_int(&table, "N", n, has[0]);
    table_real(&table, "X", x, has[1]);
    table_real(&table, "M", m, NULL);
    table_text(&table, "S", s, has[2]);
    table_text(&table, "P", p, has[3]);
    table_bool(&table, "B", truth);
    return fill_database();
}

static int unmake(void **state)
{
    (void)state;
    sqlite3_close(db);
    table_end(&table);
    return 0;
}

static bool close_enough(double a, double b)
{
    return fabs(a - b) <= 1e-9 * fmax(1.0, fmax(fabs(a), fabs(b)));
}

static bool agree(const Column *c, size_t i, sqlite3_stmt *q)
{
    bool null = sqlite3_column_type(q, 0) == SQLITE_NULL;
    if (null || !column_has(c, i))
        return null && !column_has(c, i);
    if (c->type != COLUMN_TEXT)
        return close_enough(column_real(c, i), sqlite3_column_double(q, 0));
    size_t n;
    const char *s = column_text(c, i, &n);
    return n == (size_t)sqlite3_column_bytes(q, 0) && memcmp(s, sqlite3_column_text(q, 0), n) == 0;
}

static void compare(const Pair *p)
{
    Error err = {0};
    Arena a = {0};
    Text sql = {0};
    Column out = {.name = "r"};
    sqlite3_stmt *q = NULL;
    Expr *e = expr_parse(text_str(&p->ours), &table.schema, &err);
    if (!e || !expr_eval(e, &table.chunk, &a, &out, &err))
        fail_msg("%s\n%s", text_str(&p->ours), err.text);
    text_printf(&sql, "select %s from t order by rowid", text_str(&p->theirs));
    if (sqlite3_prepare_v2(db, text_str(&sql), -1, &q, NULL) != SQLITE_OK)
        fail_msg("%s\n%s", text_str(&sql), sqlite3_errmsg(db));
    for (size_t i = 0; i < ROWS; i++) {
        assert_int_equal(sqlite3_step(q), SQLITE_ROW);
        if (!agree(&out, i, q)) {
            Text ours = {0};
            column_print(&out, i, &ours);
            fail_msg("row %zu of %s\n  ours '%s' (%s), SQLite '%s'", i, text_str(&p->ours),
                     text_str(&ours), column_has(&out, i) ? "a value" : "missing",
                     sqlite3_column_text(q, 0) ? (const char *)sqlite3_column_text(q, 0) : "null");
        }
    }
    sqlite3_finalize(q);
    expr_destroy(e);
    text_release(&sql);
    arena_release(&a);
}

static void test_random(void **state)
{
    (void)state;
    void (*const makers[])(Pair *) = {make_number, make_text, make_truth};
    for (uint64_t seed = 0; seed < EXPRESSIONS; seed++) {
        Pair p = {.depth = 2 + (int)(seed / 3 % 4)};
        rng_seed(&p.rng, seed, 9);
        makers[seed % 3](&p);
        if (p.ours.count < TEXT_MOST)
            compare(&p);
        text_release(&p.ours);
        text_release(&p.theirs);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, make, unmake);
}
