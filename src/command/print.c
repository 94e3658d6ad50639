/* print.c -- a result as text: objects as "key  value" lines, arrays of objects as tables. */
#include "command_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void print_number(double v, Text *into)
{
    char digits[40];
    double size = fabs(v);
    if (v == 0.0 || (size >= 1e-3 && size < 1e7))
        snprintf(digits, sizeof digits, size >= 1000 ? "%.1f" : "%.5g", v);
    else
        snprintf(digits, sizeof digits, "%.4g", v);
    text_puts(into, digits);
}

/* One value in one line. */
static void print_value(const json_t *v, Text *into)
{
    switch (json_typeof(v)) {
    case JSON_STRING:
        text_puts(into, json_string_value(v));
        return;
    case JSON_INTEGER:
        text_printf(into, "%lld", (long long)json_integer_value(v));
        return;
    case JSON_REAL:
        print_number(json_real_value(v), into);
        return;
    case JSON_TRUE:
        text_puts(into, "yes");
        return;
    case JSON_FALSE:
        text_puts(into, "no");
        return;
    case JSON_NULL:
        text_puts(into, "-");
        return;
    default: {
        char *compact = json_dumps(v, JSON_COMPACT | JSON_REAL_PRECISION(6));
        text_puts(into, compact ? compact : "");
        free(compact);
    }
    }
}

void print_columns_add(PrintColumns *c, const char *key)
{
    if (c->count >= PRINT_COLUMNS)
        return;
    c->key[c->count] = key;
    c->width[c->count] = utf8_width(key, strlen(key));
    c->number[c->count++] = true;
}

void print_columns_see(PrintColumns *c, size_t i, const char *value, bool number)
{
    if (i >= c->count)
        return;
    size_t width = utf8_width(value, strlen(value));
    c->width[i] = width > c->width[i] ? width : c->width[i];
    c->number[i] &= number;
}

static size_t find_key(PrintColumns *c, const char *key)
{
    size_t i = 0;
    while (i < c->count && strcmp(c->key[i], key) != 0)
        i++;
    if (i == c->count)
        print_columns_add(c, key);
    return i;
}

static void measure(PrintColumns *c, const json_t *rows)
{
    size_t i;
    json_t *row, *v;
    const char *key;
    Text text = {0};
    json_array_foreach(rows, i, row) {
        json_object_foreach(row, key, v) {
            text_reset(&text);
            print_value(v, &text);
            print_columns_see(c, find_key(c, key), text_str(&text), json_is_number(v) || json_is_null(v));
        }
    }
    text_release(&text);
}

/* Takes columns from the widest until the line fits; no column goes below eight. */
void print_columns_fit(PrintColumns *c, size_t width)
{
    for (;;) {
        size_t total = 0, widest = 0;
        for (size_t i = 0; i < c->count; i++) {
            total += c->width[i] + 2;
            if (c->width[i] > c->width[widest])
                widest = i;
        }
        if (total <= width + 2 || c->count == 0 || c->width[widest] <= 8)
            return;
        c->width[widest]--;
    }
}

void print_columns_cell(const PrintColumns *c, size_t i, const char *s, Text *into)
{
    if (i >= c->count)
        return;
    size_t width = c->width[i], n = strlen(s), have = utf8_width(s, n);
    bool cut = have > width, right = c->number[i], last = i + 1 == c->count;
    size_t bytes = cut ? utf8_fit(s, n, width - 1) : n;
    size_t shown = cut ? utf8_width(s, bytes) + 1 : have;
    size_t pad = width > shown ? width - shown : 0;
    for (size_t k = 0; right && k < pad; k++)
        text_putc(into, ' ');
    text_add(into, s, bytes);
    if (cut)
        text_puts(into, "\u2026");
    for (size_t k = 0; !right && !last && k < pad; k++)
        text_putc(into, ' ');
    text_puts(into, last ? "\n" : "  ");
}

void print_columns_head(const PrintColumns *c, Text *into)
{
    for (size_t i = 0; i < c->count; i++)
        print_columns_cell(c, i, c->key[i], into);
}

static void print_table(const json_t *rows, size_t width, Text *into)
{
    PrintColumns c = {0};
    measure(&c, rows);
    print_columns_fit(&c, width);
    print_columns_head(&c, into);
    size_t at;
    json_t *row;
    Text text = {0};
    json_array_foreach(rows, at, row) {
        for (size_t i = 0; i < c.count; i++) {
            const json_t *v = json_object_get(row, c.key[i]);
            text_reset(&text);
            if (v)
                print_value(v, &text);
            print_columns_cell(&c, i, text_str(&text), into);
        }
    }
    text_release(&text);
}

static bool is_table(const json_t *v)
{
    return json_is_array(v) && json_array_size(v) && json_is_object(json_array_get(v, 0));
}

static size_t key_width(const json_t *object)
{
    size_t widest = 0;
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)object, key, v) {
        size_t n = strlen(key);
        if (!is_table(v) && !json_is_object(v) && n > widest)
            widest = n;
    }
    return widest;
}

static void print_list(const json_t *list, size_t indent, Text *into)
{
    size_t i;
    json_t *v;
    json_array_foreach(list, i, v) {
        if (i)
            text_printf(into, "\n%*s", (int)indent, "");
        print_value(v, into);
    }
    if (json_array_size(list) == 0)
        text_puts(into, "-");
}

static void print_object(const json_t *object, size_t width, size_t indent, Text *into)
{
    size_t keys = key_width(object);
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)object, key, v) {
        if (is_table(v)) {
            text_printf(into, "%s%s\n", into->count ? "\n" : "", key);
            print_table(v, width, into);
        } else if (json_is_object(v) && json_object_size(v)) {
            text_printf(into, "%*s%s\n", (int)indent, "", key);
            print_object(v, width, indent + 2, into);
        } else {
            text_printf(into, "%*s%-*s  ", (int)indent, "", (int)keys, key);
            if (json_is_array(v))
                print_list(v, indent + keys + 2, into);
            else
                print_value(v, into);
            text_putc(into, '\n');
        }
    }
}

void command_print(const Command *c, const json_t *result, size_t width, Text *into)
{
    const char *help = json_string_value(json_object_get(result, "help"));
    if (help && json_object_size(result) == 1)
        text_puts(into, help);
    else if (c && c->print)
        c->print(result, width, into);
    else if (is_table(result))
        print_table(result, width, into);
    else if (json_is_object(result))
        print_object(result, width, 0, into);
    else if (result)
        print_value(result, into);
    if (into->count && into->at[into->count - 1] != '\n')
        text_putc(into, '\n');
}
