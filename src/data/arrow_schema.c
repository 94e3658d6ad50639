/* arrow_schema.c -- the columns an Arrow file says it has, and what each becomes here. */
#include "arrow_parse.h"

#define FIELDS_MOST 16384

static const char *const arrow_types[] = {
    /* by Type, for messages */
    "none",
    "null",
    "int",
    "float",
    "binary",
    "utf8",
    "bool",
    "decimal",
    "date",
    "time",
    "timestamp",
    "interval",
    "list",
    "struct",
    "union",
    "fixed-size binary",
    "fixed-size list",
    "map",
    "duration",
    "large binary",
    "large utf8",
    "large list",
    "run-end encoded",
    "binary view",
    "utf8 view",
    "list view",
    "large list view",
};

static bool unsupported(const ArrowParse *p, const char *name, const char *what)
{
    return error_set(
        p->err, ERROR_PARSE,
        "column %s: Arrow type %s is not supported yet; cast it in the tool that wrote "
        "it, or write CSV",
        name, what);
}

static bool int_layout(const FlatTable *type, ArrowLayout *out)
{
    bool has_sign = flat_get(type, 1, 1, 0) != 0;
    switch (flat_get(type, 0, 4, 0)) {
    case 8:
        *out = has_sign ? LAYOUT_I8 : LAYOUT_U8;
        return true;
    case 16:
        *out = has_sign ? LAYOUT_I16 : LAYOUT_U16;
        return true;
    case 32:
        *out = has_sign ? LAYOUT_I32 : LAYOUT_U32;
        return true;
    case 64:
        *out = has_sign ? LAYOUT_I64 : LAYOUT_U64;
        return true;
    default:
        return false;
    }
}

static bool time_scale(const FlatTable *type, ArrowField *f)
{
    static const int64_t times[] = {1000000, 1000, 1, 1}, over[] = {1, 1, 1, 1000};
    int64_t unit = flat_get(type, 0, 2, 0);
    if (unit < 0 || unit > 3)
        return false;
    f->times = times[unit];
    f->over = over[unit];
    return true;
}

/* What a column of this type becomes; false: nothing we know. */
static bool value_type(const FlatTable *type, int64_t tag, ArrowField *f)
{
    static const ArrowLayout floats[] = {LAYOUT_F16, LAYOUT_F32, LAYOUT_F64};
    int64_t precision;
    f->times = f->over = 1;
    switch (tag) {
    case ARROW_NULL: /* nothing is known but that all is missing */
        f->type = COLUMN_TEXT;
        f->layout = LAYOUT_NONE;
        return true;
    case ARROW_BOOL:
        f->type = COLUMN_BOOL;
        f->layout = LAYOUT_BIT;
        return true;
    case ARROW_INT:
        f->type = COLUMN_INT;
        return int_layout(type, &f->layout);
    case ARROW_FLOAT:
        precision = flat_get(type, 0, 2, 0);
        f->type = COLUMN_REAL;
        f->layout = precision >= 0 && precision <= 2 ? floats[precision] : LAYOUT_COUNT;
        return f->layout != LAYOUT_COUNT;
    case ARROW_TIMESTAMP:
        f->type = COLUMN_TIME;
        f->layout = LAYOUT_I64;
        return time_scale(type, f);
    case ARROW_DATE:
        f->type = COLUMN_DATE;
        f->layout = flat_get(type, 0, 2, 1) == 0 ? LAYOUT_I32 : LAYOUT_I64;
        f->over = f->layout == LAYOUT_I64 ? 86400000 : 1;
        return true;
    case ARROW_UTF8:
        f->type = COLUMN_TEXT;
        f->layout = LAYOUT_I32;
        return true;
    case ARROW_LARGE_UTF8:
        f->type = COLUMN_TEXT;
        f->layout = LAYOUT_I64;
        return true;
    case ARROW_UTF8_VIEW:
        f->type = COLUMN_TEXT;
        f->layout = LAYOUT_VIEW;
        return true;
    default:
        return false;
    }
}

static bool is_native(const ArrowField *f)
{
    static const ArrowLayout ours[COLUMN_TYPE_COUNT] = {
        [COLUMN_BOOL] = LAYOUT_BIT, [COLUMN_INT] = LAYOUT_I64,  [COLUMN_REAL] = LAYOUT_F64,
        [COLUMN_TIME] = LAYOUT_I64, [COLUMN_DATE] = LAYOUT_I32, [COLUMN_TEXT] = LAYOUT_I32,
    };
    return f->layout == ours[f->type] && f->times == 1 && f->over == 1;
}

static bool parse_field(ArrowParse *p, const FlatTable *t, ArrowField *f)
{
    size_t n;
    const char *name = flat_string(t, 0, &n);
    f->name = arena_printf(&p->file->arena, "%.*s", (int)(n < 1024 ? n : 1024), name ? name : "");
    int64_t tag = flat_get(t, 2, 1, 0);
    FlatTable type = flat_table(t, 3), dictionary = flat_table(t, 4);
    if (!value_type(&type, tag, f))
        return unsupported(p, f->name,
                           tag >= 0 && (size_t)tag < COUNT_OF(arrow_types) ? arrow_types[tag]
                                                                           : "(unknown)");
    if (dictionary.flat) {
        if (f->type != COLUMN_TEXT || f->layout == LAYOUT_NONE)
            return unsupported(p, f->name, "dictionary of values that are not text");
        FlatTable index = flat_table(&dictionary, 1);
        f->word_layout = f->layout;
        f->layout = LAYOUT_I32;
        if (index.flat && !int_layout(&index, &f->layout))
            return unsupported(p, f->name, "dictionary without whole indices");
        f->dictionary = true;
        f->id = flat_get(&dictionary, 0, 8, 0);
    }
    f->native = is_native(f);
    return true;
}

bool arrow_parse_schema(ArrowParse *p, const FlatTable *schema)
{
    ArrowFile *file = p->file;
    FlatList fields = flat_list(schema, 1, 4), metas = flat_list(schema, 2, 4);
    if (flat_get(schema, 0, 2, 0) != 0)
        return error_set(p->err, ERROR_PARSE, "big-endian Arrow data is not supported");
    if (fields.count == 0)
        return error_set(p->err, ERROR_PARSE, "the file has no columns");
    if (fields.count > FIELDS_MOST)
        return error_set(p->err, ERROR_PARSE, "%zu columns, %d are the most", fields.count,
                         FIELDS_MOST);
    file->field = ARENA_NEW(&file->arena, ArrowField, fields.count);
    file->fields = fields.count;
    for (size_t i = 0; i < fields.count; i++) {
        FlatTable t = flat_list_table(&fields, i);
        if (!t.flat || !parse_field(p, &t, &file->field[i]))
            return false;
        for (size_t k = 0; k < i; k++)
            if (strcmp(file->field[k].name, file->field[i].name) == 0)
                return error_set(p->err, ERROR_PARSE, "two columns are named %s",
                                 file->field[i].name);
    }
    file->meta = ARENA_NEW(&file->arena, ArrowMeta, metas.count + 1);
    for (size_t i = 0; i < metas.count; i++) {
        FlatTable t = flat_list_table(&metas, i);
        ArrowMeta *m = &file->meta[file->metas];
        size_t n;
        m->key = flat_string(&t, 0, &n);
        m->value = flat_string(&t, 1, &m->size);
        /* texts in a FlatBuffer end with a zero, or else this one is left out */
        if (m->key && m->value && memchr(m->key, 0, n + (m->key + n < m->value)) == m->key + n)
            file->metas++;
        else if (m->key && m->value)
            m->key = arena_printf(&file->arena, "%.*s", (int)(n < 1024 ? n : 1024), m->key),
            file->metas++;
    }
    size_t version;
    file->ours = arrow_meta(file, "lathe.hash", &version) != NULL;
    return true;
}
