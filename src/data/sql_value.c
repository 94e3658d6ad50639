/* sql_value.c -- values as SQL has them: bool is 0 or 1, time and date are ISO text, missing and not a
 * number are NULL; and functions of times, with the names and meanings of the expressions'. */
#include "sql_int.h"

static void put_digits(char *to, unsigned v, int digits)
{
    while (digits-- > 0) {
        to[digits] = (char)('0' + v % 10);
        v /= 10;
    }
}

/* 2026-11-21 into c->day_text, which rows of one day share; false: a year of other than 4 digits. */
static bool day_text(SqlCursor *c, int64_t days)
{
    int year, month, day;
    if (days == c->day && c->day_text[0])
        return true;
    date_civil(days, &year, &month, &day);
    if (year < 1000 || year > 9999)
        return false;
    put_digits(c->day_text, (unsigned)year, 4);
    put_digits(c->day_text + 5, (unsigned)month, 2);
    put_digits(c->day_text + 8, (unsigned)day, 2);
    c->day_text[4] = c->day_text[7] = '-';
    c->day = days;
    return true;
}

/* As date_format and time_format have it, but for the usual years and whole seconds without them. */
static void give_text(SqlCursor *c, const Column *col, size_t row, sqlite3_context *to)
{
    int64_t v = col->type == COLUMN_DATE ? col->day[row] : col->integer[row], rest = 0;
    int64_t days = v;
    if (col->type == COLUMN_TIME) {
        days = v / 86400000000 - (v % 86400000000 < 0);
        rest = v - days * 86400000000;
    }
    if (rest % 1000000 == 0 && day_text(c, days)) {
        char text[20];
        unsigned second = (unsigned)(rest / 1000000);
        memcpy(text, c->day_text, 10);
        memcpy(text + 10, " 00:00:00", 10);
        put_digits(text + 11, second / 3600, 2);
        put_digits(text + 14, second / 60 % 60, 2);
        put_digits(text + 17, second % 60, 2);
        sqlite3_result_text(to, text, col->type == COLUMN_DATE ? 10 : 19, SQLITE_TRANSIENT);
        return;
    }
    text_reset(&c->text);
    if (col->type == COLUMN_TIME)
        time_format(v, &c->text);
    else
        date_format((int32_t)v, &c->text);
    sqlite3_result_text64(to, text_str(&c->text), c->text.count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/* What was computed stays as long as the connection. */
static void give_made(const SqlMade *v, sqlite3_context *to)
{
    switch (v->kind) {
    case SQLITE_INTEGER:
        sqlite3_result_int64(to, v->integer);
        break;
    case SQLITE_FLOAT:
        sqlite3_result_double(to, v->real);
        break;
    case SQLITE_TEXT:
        sqlite3_result_text64(to, v->text, v->n, SQLITE_STATIC, SQLITE_UTF8);
        break;
    default:
        break; /* NULL */
    }
}

/* Texts lie in the mapping or with the dataset, which outlive the connection: nothing is copied. */
int sql_column(sqlite3_vtab_cursor *base, sqlite3_context *to, int i)
{
    SqlCursor *c = (SqlCursor *)base;
    size_t n, columns = dataset_schema(c->dataset)->count;
    const char *s;
    size_t group = 0;
    while (group < c->groups && c->group[group] != i)
        group++;
    if ((size_t)i >= columns) {
        SqlComputed *m = &c->table->source->computed[(size_t)i - columns];
        bool kept = group < c->groups && !m->mixed;
        const SqlMade *v = kept ? c->group_made[group] : NULL;
        if (!v)
            v = computed_value(m, computed_code(m, &c->column[m->column], c->row));
        if (kept)
            c->group_made[group] = v;
        give_made(v, to);
        return SQLITE_OK;
    }
    bool alike = group < c->groups; /* what is near already, instead of the row's own */
    const Column *col = alike ? &c->group_column[i] : &c->column[i];
    size_t row = alike ? c->group_row : c->row;
    if (!column_has(col, row))
        return SQLITE_OK; /* NULL */
    switch (col->type) {
    case COLUMN_BOOL:
        sqlite3_result_int(to, bit_get(col->bit, row));
        break;
    case COLUMN_INT:
        sqlite3_result_int64(to, col->integer[row]);
        break;
    case COLUMN_REAL:
        sqlite3_result_double(to, col->real[row]);
        break;
    case COLUMN_TIME:
    case COLUMN_DATE:
        give_text(c, col, row, to);
        break;
    default:
        s = column_text(col, row, &n);
        sqlite3_result_text64(to, s, n, SQLITE_STATIC, SQLITE_UTF8);
    }
    return SQLITE_OK;
}

/* ---- functions of times --------------------------------------------------------------------------------- */

/* hour, weekday, day, month, year of a text that begins as ours do; NULL for any other. */
static void time_part(sqlite3_context *to, int argc, sqlite3_value **argv)
{
    const char *part = sqlite3_user_data(to);
    const char *s = (const char *)sqlite3_value_text(argv[0]);
    int64_t micros;
    int year, month, day;
    (void)argc;
    if (!s || !time_parse(s, (size_t)sqlite3_value_bytes(argv[0]), &micros))
        return;
    int64_t days = micros / 86400000000 - (micros % 86400000000 < 0);
    date_civil(days, &year, &month, &day);
    int64_t weekday = ((days + 3) % 7 + 7) % 7; /* 1970-01-01 was a Thursday, number 3 */
    sqlite3_result_int64(to, part[0] == 'h'   ? (micros - days * 86400000000) / 3600000000
                             : part[0] == 'w' ? weekday
                             : part[0] == 'd' ? day
                             : part[0] == 'm' ? month
                                              : year);
}

bool sql_add_functions(sqlite3 *db)
{
    static const char *const names[] = {"hour", "weekday", "day", "month", "year"};
    bool ok = true;
    for (size_t i = 0; ok && i < COUNT_OF(names); i++)
        ok = sqlite3_create_function_v2(
                 db, names[i], 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
                 (void *)(uintptr_t)names[i], time_part, NULL, NULL, NULL) == SQLITE_OK;
    return ok;
}
