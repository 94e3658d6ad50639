/* note.c -- a row as the log keeps it: {"MILES":1.5,"TIME":"day","NAME":"***"}.
 *
 * The columns that the model needs are all there, null where they were missing, so that the row can be
 * scored again; the others where they have a value. Times and dates are ISO text, as requests have them. */
#include "serve_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void put_json_text(const char *s, Text *into)
{
    const char *end = s + strlen(s);
    text_putc(into, '"');
    while (s < end) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\') {
            text_putc(into, '\\');
            text_putc(into, *s++);
        } else if (c < 0x20) {
            text_printf(into, "\\u%04x", c);
            s++;
        } else if (c < 0x80) {
            text_putc(into, *s++);
        } else {
            const char *from = s;
            if (utf8_next(&s, end) == 0xfffd)
                text_puts(into, "\xef\xbf\xbd");
            else
                text_add(into, from, (size_t)(s - from));
        }
    }
    text_putc(into, '"');
}

void put_json_number(double v, Text *into)
{
    size_t at = into->count;
    if (!isfinite(v)) {
        text_puts(into, "null");
        return;
    }
    text_add_real(into, v);
    size_t n = into->count - at;
    if (v == trunc(v) && !memchr(into->at + at, '.', n) && !memchr(into->at + at, 'e', n))
        text_add(into, ".0", 2); /* as JSON libraries tell a real from an integer */
}

static void note_time(int64_t micros, bool date, Text *into)
{
    text_putc(into, '"');
    if (date)
        date_format((int32_t)micros, into);
    else
        time_format(micros, into);
    text_putc(into, '"');
}

static void note_text(const Column *c, size_t row, Text *into)
{
    size_t n;
    char small[256];
    const char *s = column_text(c, row, &n);
    char *copy = n < sizeof small ? small : mem_alloc(n + 1);
    memcpy(copy, s, n);
    copy[n] = 0;
    put_json_text(copy, into);
    if (copy != small)
        mem_free(copy);
}

static void note_value(const Column *c, size_t row, Text *into)
{
    switch (c->type) {
    case COLUMN_BOOL:
        text_puts(into, bit_get(c->bit, row) ? "true" : "false");
        break;
    case COLUMN_INT:
        text_add_int(into, c->integer[row]);
        break;
    case COLUMN_REAL:
        put_json_number(c->real[row], into);
        break;
    case COLUMN_TIME:
        note_time(c->integer[row], false, into);
        break;
    case COLUMN_DATE:
        note_time(c->day[row], true, into);
        break;
    default:
        note_text(c, row, into);
    }
}

/* Chunks that intake_complete made have their columns in the schema's order. */
void note_inputs(const Intake *in, const bool *masked, const Chunk *rows, size_t row, Text *into)
{
    char mark = '{';
    size_t next = 0;
    for (size_t i = 0; i < in->schema->count; i++) {
        const Column *c = chunk_find_next(rows, in->name[i], &next);
        bool has = c && column_has(c, row);
        if (!c || (!has && !in->needed[i]))
            continue;
        text_putc(into, mark);
        mark = ',';
        size_t key = i ? in->key_end[i - 1] : 0;
        text_add(into, in->key.at + key, in->key_end[i] - key);
        if (masked && masked[i])
            text_puts(into, "\"***\"");
        else if (has)
            note_value(c, row, into);
        else
            text_puts(into, "null");
    }
    text_puts(into, mark == '{' ? "{}" : "}");
}
