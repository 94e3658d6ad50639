/* sniff.c -- the form of a table in text, from a sample: encoding, line ends, delimiter, quote,
 * lines before the table. What the columns hold: sniff_types.c.
 *
 * Every candidate delimiter is tried on the sample with libcsv; the one that cuts most rows into
 * the same number of fields, more than one, is taken. Each guess gives way to what the user said. */
#include "reader_int.h"

#include <string.h>

#define LOOK_BYTES ((size_t)128 << 10) /* of the sample, for delimiters */
#define LOOK_ROWS  500

/* ---- options ---- */

static const char *given(const char *option)
{
    return option ? option : "";
}

static bool one_byte(const char *name, const char *text, char *out, Error *err)
{
    static const struct {
        const char *word;
        char byte;
    } words[] = {{"\\t", '\t'},      {"tab", '\t'}, {"comma", ','},
                 {"semicolon", ';'}, {"pipe", '|'}, {"space", ' '}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(text, words[i].word))
            return *out = words[i].byte, true;
    if (!strcmp(text, "none") && !strcmp(name, "quote"))
        return *out = '\0', true;
    if (strlen(text) != 1 || text[0] == '\n' || text[0] == '\r')
        return error_set(err, ERROR_USAGE, "%s: expected one character (or \\t), found '%s'", name,
                         text);
    *out = text[0];
    return true;
}

static bool check_options(const IngestOptions *o, Error *err)
{
    char delimiter, quote;
    if (*given(o->delimiter) && !one_byte("delimiter", o->delimiter, &delimiter, err))
        return false;
    if (*given(o->quote) && !one_byte("quote", o->quote, &quote, err))
        return false;
    if (*given(o->delimiter) && *given(o->quote) && delimiter == quote)
        return error_set(err, ERROR_USAGE, "quote: is the same as the delimiter, '%s'", o->quote);
    const char *e = given(o->encoding), *d = given(o->decimal);
    if (*e && strcmp(e, "utf-8") && strcmp(e, "latin-1"))
        return error_set(err, ERROR_USAGE, "encoding: expected utf-8 or latin-1, found '%s'", e);
    if (*d && strcmp(d, ".") && strcmp(d, ","))
        return error_set(err, ERROR_USAGE, "decimal: expected . or , found '%s'", d);
    return true;
}

/* ---- the form ---- */

static bool check_text(const Sample *s, Error *err)
{
    size_t zeros = 0, even = 0;
    for (size_t i = 0; i < s->size; i++)
        if (!s->at[i]) {
            zeros++;
            even += !(i & 1);
        }
    if (!zeros)
        return true;
    if (s->size > 8 && zeros * 10 > s->size * 3 && (even == 0 || even == zeros))
        return error_set(err, ERROR_PARSE,
                         "is in UTF-16; save it as UTF-8 (iconv -f UTF-16 -t UTF-8)");
    if (zeros * 1000 < s->size)
        return true; /* a few broken rows are rejected one by one */
    return error_set(err, ERROR_PARSE, "is not a table in text: it holds NUL bytes");
}

/* Broken UTF-8 in more places than good multi-byte characters: then it is Latin-1. */
static bool guess_latin1(const Sample *s, bool whole)
{
    if (utf8_valid(s->at, s->size))
        return false;
    size_t good = 0, broken = 0;
    const char *at = s->at, *end = s->at + s->size;
    while (at < end) {
        const char *before = at;
        uint32_t c = utf8_next(&at, end);
        if (c == 0xfffd && at - before < 3)
            broken += whole || end - before > 4; /* else it may be cut off */
        else if (c >= 0x80)
            good++;
    }
    return broken > good;
}

typedef struct Counts { /* fields a row */
    size_t rows, fields, count[LOOK_ROWS];
} Counts;

static void count_field(void *bytes, size_t size, void *context)
{
    (void)bytes, (void)size;
    ((Counts *)context)->fields++;
}

static void count_row(int end, void *context)
{
    (void)end;
    Counts *c = context;
    if (c->rows < LOOK_ROWS)
        c->count[c->rows++] = c->fields;
    c->fields = 0;
}

static void count_rows(Counts *c, char delimiter, char quote, const char *bytes, size_t n)
{
    struct csv_parser csv;
    *c = (Counts){0};
    csv_init(&csv, 0);
    csv_set_delim(&csv, (unsigned char)delimiter);
    csv_set_quote(&csv, (unsigned char)quote);
    csv_parse(&csv, bytes, n, count_field, count_row, c);
    csv_fini(&csv, count_field, count_row, c);
    csv_free(&csv);
}

/* The most common number of fields (the larger of two equals), and how many rows have it. */
static size_t usual_count(const Counts *c, size_t *rows)
{
    size_t best = 0, best_rows = 0;
    for (size_t i = 0; i < c->rows; i++) {
        size_t same = 0;
        for (size_t j = 0; j < c->rows; j++)
            same += c->count[j] == c->count[i];
        if (same > best_rows || (same == best_rows && c->count[i] > best)) {
            best = c->count[i];
            best_rows = same;
        }
    }
    *rows = best_rows;
    return best;
}

static bool ends_field(char c)
{
    return c && strchr(",;|\t\n\r", c);
}

/* Single quotes, if there are no double ones around fields and they come in pairs around some. */
static char guess_quote(const char *bytes, size_t n)
{
    size_t doubles = 0, opens = 0, closes = 0, within = 0;
    for (size_t i = 0; i < n; i++) {
        bool begin = i == 0 || ends_field(bytes[i - 1]),
             end = i + 1 == n || ends_field(bytes[i + 1]);
        doubles += bytes[i] == '"' && (begin || end);
        if (bytes[i] == '\'') {
            opens += begin;
            closes += end && !begin;
            within += !begin && !end;
        }
    }
    bool pairs = opens > 1 && opens == closes && !within;
    return !doubles && (pairs || opens + closes > 8) ? '\'' : '"';
}

/* Later candidates must do clearly better: in "1,5;2,5" the comma divides as evenly. */
static size_t guess_delimiter(Sniff *s, bool fixed, const char *bytes, size_t n)
{
    const char only[] = {s->rules.delimiter, 0};
    Counts *c = mem_alloc(sizeof *c);
    double best = 0;
    size_t columns = 1;
    for (const char *d = fixed ? only : ";\t|,"; *d; d++) {
        size_t same;
        count_rows(c, *d, s->rules.quote, bytes, n);
        size_t common = usual_count(c, &same);
        double score = c->rows && common > 1 ? (double)same / (double)c->rows : 0;
        if (c->rows && c->count[0] != common)
            score *= 0.7; /* most tables begin with a header of the same width */
        bool wider = common >= 2 * columns && columns > 1 && score > best - 0.3 && score > 0.5;
        if (score > best + 0.05 || wider || (fixed && common > 1)) {
            best = score;
            s->rules.delimiter = *d;
            columns = common;
        }
    }
    mem_free(c);
    return columns;
}

static bool is_blank(const char *bytes, size_t at, size_t end)
{
    while (at < end &&
           (bytes[at] == ' ' || bytes[at] == '\t' || bytes[at] == '\r' || bytes[at] == '\n'))
        at++;
    return at == end;
}

/* Lines before the table: comments, a title; anything of one field where the table has more. */
static size_t guess_skip(const Sniff *s, const char *bytes, size_t at, size_t n)
{
    Arena scratch = {0};
    size_t lines = 0, found = 0;
    for (; lines < 20 && at < n; lines++) {
        const char **field;
        size_t fields;
        size_t line_end = sniff_skip_lines(bytes, at, n, 1, s->cut);
        if (is_blank(bytes, at, line_end)) { /* skipped anyway */
            at = line_end;
            continue;
        }
        size_t row_end = sniff_row(&s->rules, bytes, at, n, &scratch, &field, &fields);
        bool comment = bytes[at] == '#' && fields != s->rules.columns;
        if (!comment && (fields > 1 || s->rules.columns < 2 || row_end > line_end))
            break;
        found = lines + 1;
        at = line_end;
    }
    arena_release(&scratch);
    return found;
}

/* ---- all of it ---- */

static size_t begin_of_table(const Sniff *s, const Sample *head, size_t at)
{
    return sniff_skip_lines(head->at, at, head->size, s->skip, s->cut);
}

bool sniff(Sniff *s, const IngestOptions *options, const Sample *piece, size_t pieces, bool whole,
           Error *err)
{
    static const IngestOptions nothing = {.skip = -1};
    const IngestOptions *o = options ? options : &nothing;
    const Sample *head = &piece[0];
    *s = (Sniff){.cut = '\n', .rules = {.delimiter = ',', .quote = '"', .columns = 1}};
    if (!check_options(o, err) || !check_text(head, err))
        return false;
    if (!memchr(head->at, '\n', head->size) && memchr(head->at, '\r', head->size))
        s->cut = '\r';
    size_t at = head->size >= 3 && !memcmp(head->at, "\xef\xbb\xbf", 3) ? 3 : 0;
    s->latin1 = *given(o->encoding) ? !strcmp(o->encoding, "latin-1")
                                    : at == 0 && guess_latin1(head, whole);
    s->skip = o->skip > 0 ? (size_t)o->skip : 0;
    size_t top = sniff_skip_lines(head->at, at, head->size, s->skip, s->cut);
    size_t n = head->size - top;
    if (n > LOOK_BYTES || !whole) { /* whole lines */
        n = n > LOOK_BYTES ? LOOK_BYTES : n;
        const char *end = memrchr(head->at + top, s->cut, n);
        n = end ? (size_t)(end - head->at) - top + 1 : n;
    }
    if (*given(o->quote))
        one_byte("quote", o->quote, &s->rules.quote, err);
    else
        s->rules.quote = guess_quote(head->at + top, n);
    if (*given(o->delimiter))
        one_byte("delimiter", o->delimiter, &s->rules.delimiter, err);
    s->rules.columns = guess_delimiter(s, *given(o->delimiter), head->at + top, n);
    if (s->rules.columns > COLUMNS_MOST)
        return error_set(err, ERROR_PARSE, "has %zu columns, more than %d; is the delimiter right?",
                         s->rules.columns, COLUMNS_MOST);
    if (o->skip < 0) {
        s->skip = guess_skip(s, head->at, top, top + n);
        top = sniff_skip_lines(head->at, top, head->size, s->skip, s->cut);
    }
    if (is_blank(head->at, top, head->size))
        return error_set(err, ERROR_PARSE, "holds no table, only blank%s lines",
                         s->skip ? " or skipped" : "");
    top = begin_of_table(s, head, at);
    s->header = o->header == 1;
    sniff_types(s, o, piece, pieces, whole, top);
    size_t columns;
    bool named = false;
    if (!sniff_head(s, head, &s->arena, &s->name, &columns, &named, &s->body, &s->line, err))
        return false;
    s->hollow = columns > 1 && !named && s->as[columns - 1] == READ_NONE;
    return true;
}

void sniff_release(Sniff *s)
{
    nullwords_release(&s->null);
    nullwords_release(&s->text_null);
    arena_release(&s->arena);
    *s = (Sniff){0};
}
