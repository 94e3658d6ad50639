/* impute.c -- fills in missing values: with a statistic of the training rows, or with a value.
 *
 * The type stays: mean and median of whole numbers, times and dates are rounded. */
#include "recipe_int.h"

#include <math.h>
#include <string.h>
#include <strings.h>

typedef enum How { HOW_MEAN, HOW_MEDIAN, HOW_MODE, HOW_VALUE } How;

typedef struct Impute {
    NameAt name;
    How how;
    Token value;
    Node *constant; /* VALUE: of the column's type */
    Need need;
} Impute;

static bool parse(Parser *p, void *self)
{
    static const char *const words[] = {"mean", "median", "mode"};
    Impute *m = self;
    if (!parser_name(p, &m->name))
        return false;
    parser_take(p, "with");
    for (size_t i = 0; i < 3; i++)
        if (parser_take(p, words[i])) {
            m->how = (How)i;
            return !p->failed;
        }
    m->how = HOW_VALUE;
    bool said = parser_take(p, "value");
    if (!said && p->now.kind == TOKEN_NAME && !parser_is(p, "true") && !parser_is(p, "false"))
        return parser_expected(p, "mean, median, mode or a value");
    if (!parser_value(p, &m->value))
        return false;
    return m->value.kind != TOKEN_END ||
           parser_fail(p, m->value.column, "null is what is there already: expected a value");
}

static bool bind_value(Impute *m, ColumnType type, Shape *s)
{
    if (type == COLUMN_TEXT && m->value.kind != TOKEN_STRING)
        m->value.kind = TOKEN_STRING;
    Node *n = node_constant(s->arena, &m->value);
    if (n->type == COLUMN_REAL && type == COLUMN_INT)
        return place_error(
            s->err, s->line, m->value.column,
            "%.80s holds whole numbers: cast it to float64 first, or use a whole number",
            m->name.name);
    m->constant = n->type == type ? n : node_cast(s->arena, n, type);
    if (!m->constant || m->constant->missing ||
        (n->type != type && n->type != COLUMN_TEXT &&
         !(n->type == COLUMN_INT && type == COLUMN_REAL)))
        return place_error(s->err, s->line, m->value.column, "%.80s is %s, '%.60s' is not",
                           m->name.name, column_type_name(type), m->value.text);
    return true;
}

static bool bind(void *self, Shape *s)
{
    Impute *m = self;
    size_t field = shape_need(s, &m->name);
    if (field == SIZE_MAX)
        return false;
    ColumnType type = s->field[field].type;
    m->name.field = field;
    shape_read(s, field);
    shape_write(s, m->name.name);
    if (m->how == HOW_VALUE)
        return bind_value(m, type, s);
    if (m->how != HOW_MODE && (type == COLUMN_TEXT || type == COLUMN_BOOL))
        return place_error(s->err, s->line, m->name.column,
                           "%.80s is %s and has no %s: use mode, a value, or cast it first",
                           m->name.name, column_type_name(type),
                           m->how == HOW_MEAN ? "mean" : "median");
    m->need = (Need){.kind = m->how == HOW_MEAN     ? NEED_MOMENTS
                             : m->how == HOW_MEDIAN ? NEED_QUARTILES
                                                    : NEED_MODE,
                     .name = m->name.name,
                     .field = field,
                     .type = type};
    return true;
}

static size_t needs(void *self, Need **first)
{
    Impute *m = self;
    *first = &m->need;
    return m->how == HOW_VALUE ? 0 : 1;
}

static Column fill_text(const Column *c, Span with, Arena *a, bool *ok, Error *err)
{
    Span *span = ARENA_NEW(a, Span, c->rows + 1);
    Column out = {.name = c->name};
    for (size_t i = 0; i < c->rows; i++) {
        span[i] = with;
        if (column_has(c, i))
            span[i].at = column_text(c, i, &span[i].size);
    }
    *ok = column_of_spans(span, NULL, c->rows, a, &out, err);
    return out;
}

/* Text with words: one word more, and its code where nothing was. */
static Column fill_words(const Column *c, Span with, Arena *a)
{
    const Words *old = c->words;
    size_t bytes = (size_t)old->start[old->count];
    Words *words = ARENA_NEW(a, Words, 1);
    int32_t *start = ARENA_NEW(a, int32_t, old->count + 2),
            *code = ARENA_NEW(a, int32_t, c->rows + 1);
    char *text = arena_alloc(a, bytes + with.size + 1);
    size_t w = 0;
    while (w < old->count && ((size_t)(old->start[w + 1] - old->start[w]) != with.size ||
                              memcmp(old->bytes + old->start[w], with.at, with.size) != 0))
        w++;
    memcpy(start, old->start, (old->count + 1) * sizeof *start);
    start[old->count + 1] = (int32_t)(bytes + with.size);
    if (bytes > 0)
        memcpy(text, old->bytes, bytes);
    if (with.size > 0)
        memcpy(text + bytes, with.at, with.size);
    *words = (Words){old->count + (w == old->count), start, text};
    for (size_t i = 0; i < c->rows; i++)
        code[i] = column_has(c, i) ? c->code[i] : (int32_t)w;
    return (Column){
        .name = c->name, .type = COLUMN_TEXT, .rows = c->rows, .code = code, .words = words};
}

static Column fill_number(const Column *c, double real, int64_t whole, Arena *a)
{
    Column out = {.name = c->name, .type = c->type, .rows = c->rows};
    void *values = arena_raw(a, (c->rows + 8) * 8);
    uint8_t *has = arena_raw(a, c->rows + 8);
    bits_unpack(c->valid, 0, c->rows, has);
    out.real = values;
    switch (c->type) {
    case COLUMN_REAL:
        for (size_t i = 0; i < c->rows; i++)
            ((double *)values)[i] = has[i] ? c->real[i] : real;
        break;
    case COLUMN_BOOL: {
        uint8_t *truth = arena_alloc(a, c->rows + 8);
        for (size_t i = 0; i < c->rows; i++)
            truth[i] = has[i] ? bit_get(c->bit, i) : whole != 0;
        bits_pack(truth, c->rows, values);
        break;
    }
    case COLUMN_DATE:
        for (size_t i = 0; i < c->rows; i++)
            ((int32_t *)values)[i] = has[i] ? c->day[i] : (int32_t)whole;
        break;
    default:
        for (size_t i = 0; i < c->rows; i++)
            ((int64_t *)values)[i] = has[i] ? c->integer[i] : whole;
    }
    return out;
}

static double statistic(const Impute *m)
{
    return m->how == HOW_MEAN ? m->need.mean : m->how == HOW_MEDIAN ? m->need.middle : m->need.number;
}

static bool apply(const void *self, Frame *f, Error *err)
{
    const Impute *m = self;
    Column *c = &f->column[m->name.field];
    if (!c->valid || (m->how != HOW_VALUE && m->need.count == 0))
        return true;
    if (c->type == COLUMN_TEXT) {
        Span with = m->how == HOW_VALUE ? m->constant->text : m->need.word;
        bool ok = true;
        if (c->words && c->words->count <= c->rows * 2 + 64)
            *c = fill_words(c, with, f->arena);
        else
            *c = fill_text(c, with, f->arena, &ok, err);
        return ok;
    }
    double real = statistic(m);
    int64_t whole = llround(fmax(-9e18, fmin(9e18, real)));
    if (m->how == HOW_VALUE) {
        real = m->constant->type == COLUMN_REAL ? m->constant->real : 0.0;
        whole = m->constant->type == COLUMN_REAL ? 0 : m->constant->integer;
    }
    *c = fill_number(c, real, whole, f->arena);
    return true;
}

static const char *say(const void *self, const OnnxAt *at)
{
    const Impute *m = self;
    bool said = m->how == HOW_VALUE;
    ColumnType type = said ? m->constant->type : m->need.type;
    double number = said && type == COLUMN_REAL ? m->constant->real
                    : said                      ? (double)m->constant->integer
                                                : statistic(m);
    if (!said && m->need.count == 0)
        return onnx_before(at, m->name.name);
    if (type == COLUMN_TEXT)
        return onnx_filled(at, m->name.name, type, 0.0, said ? m->constant->text.at : m->need.word.at);
    if (!said && type != COLUMN_REAL)
        number = (double)llround(number);
    return onnx_filled(at, m->name.name, type, type == COLUMN_TIME ? number / 1e6 : number, "");
}

const Rule impute_rule = {
    .kind = {"impute", "impute COLUMN mean|median|mode|VALUE",
             "fills in missing values, with a statistic of the training rows or a value",
             "impute MILES median"},
    .size = sizeof(Impute),
    .parse = parse,
    .bind = bind,
    .apply = apply,
    .needs = needs,
    .onnx = say,
};
