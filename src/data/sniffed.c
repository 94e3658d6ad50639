/* sniffed.c -- what was guessed, for people and for the store: each value as the option of that name
 * would be typed. */
#include "reader_int.h"

static json_t *one_char(char c)
{
    char text[2] = {c, 0};
    return json_string(text);
}

static json_t *words_json(const NullWords *words)
{
    json_t *list = json_array();
    for (size_t i = 0; i < words->word.count; i++)
        json_array_append_new(list, json_string(words->word.at[i]));
    return list;
}

static json_t *columns_json(const Plan *p)
{
    json_t *list = json_array();
    for (size_t c = 0; c < plan_shown(p); c++) {
        const ColumnPlan *column = &p->column[c];
        json_t *o = json_pack("{s:s, s:s, s:s, s:b}", "name", column->name, "type",
                              column_type_name(read_type(column->as)), "read_as",
                              read_name(column->as), "forced", column->fixed);
        if (column->percent && column->as == READ_AMOUNT)
            json_object_set_new(o, "unit", json_string("percent"));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *widenings_json(const Plan *p, const Widening *w, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:I}", "column",
                                        p->column[w[i].column].name, "from", read_name(w[i].from),
                                        "to", read_name(w[i].to), "line", (json_int_t)w[i].line));
    return list;
}

json_t *sniffed_json(const Sniff *s, const Plan *p, const Source *source, size_t files,
                     const Widening *widened, size_t widenings)
{
    const char *wide = source ? source_encoding(source) : NULL;
    const char *packing = source ? source_packing(source) : NULL;
    json_t *out = json_object();
    json_object_set_new(out, "delimiter", one_char(p->rules.delimiter));
    json_object_set_new(out, "quote", one_char(p->rules.quote));
    json_object_set_new(out, "header", json_string(s->header ? "yes" : "no"));
    json_object_set_new(out, "encoding",
                        json_string(wide        ? wide
                                    : s->latin1 ? "latin-1"
                                                : "utf-8"));
    json_object_set_new(out, "null", words_json(&s->text_null));
    json_object_set_new(out, "decimal", one_char(s->decimal));
    json_object_set_new(out, "skip", json_integer((json_int_t)s->skip));
    json_object_set_new(out, "files", json_integer((json_int_t)files));
    if (packing)
        json_object_set_new(out, "packing", json_string(packing));
    json_object_set_new(out, "columns", columns_json(p));
    if (plan_shown(p) < p->columns)
        json_object_set_new(
            out, "left_out",
            json_string("an empty column without a name: lines end in a delimiter"));
    json_object_set_new(out, "widened", widenings_json(p, widened, widenings));
    return out;
}
