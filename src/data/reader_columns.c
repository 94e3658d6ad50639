/* reader_columns.c -- a part of a reader's source that holds columns already: Arrow or Parquet. What
 * sniffing would have guessed is known; plan and blocks are the same as of text. */
#include "columns_int.h"

static bool first_columns(Reader *r, const Schema *wanted, Error *err)
{
    columns_sniff(r->columns, &r->sniff);
    r->format = r->columns->format->name;
    if (!plan_make(&r->plan, &r->sniff, &r->options, wanted, source_name(r->source), &r->arena,
                   err))
        return false;
    r->misfit = ARENA_NEW(&r->arena, Misfit, r->plan.columns);
    r->misfit_line = ARENA_NEW(&r->arena, uint64_t, r->plan.columns);
    reader_take_fresh(r);
    return true;
}

static bool next_columns(Reader *r, Error *err)
{
    Sniff s;
    columns_sniff(r->columns, &s);
    bool ok = reader_next_columns(r, s.name, s.as, s.rules.columns, err);
    sniff_release(&s);
    return ok;
}

bool reader_open_columns(Reader *r, const ColumnFormat *format, const Sample *head,
                         const Schema *wanted, bool first, Error *err)
{
    if (!first && !r->format)
        return error_set(err, ERROR_PARSE, "%s: is %s, but %s is text; read them one after another",
                         source_name(r->source), format->name, r->parts.at[0]);
    r->columns = columns_open(format, r->source, head, r->setup.spool_dir, err);
    return r->columns && (first ? first_columns(r, wanted, err) : next_columns(r, err));
}

json_t *reader_columns_json(const Reader *r)
{
    json_t *out = json_object(), *list = json_array();
    json_object_set_new(out, "format", json_string(r->format));
    json_object_set_new(out, "files", json_integer((json_int_t)r->parts.count));
    for (size_t c = 0; c < r->plan.columns; c++) {
        const ColumnPlan *p = &r->plan.column[c];
        const char *type = column_type_name(read_type(p->as));
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:b}", "name", p->name, "type", type,
                                              "read_as", type, "forced", p->fixed));
    }
    json_object_set_new(out, "columns", list);
    json_object_set_new(out, "widened", json_array());
    if (r->parts.count > 1)
        json_object_set_new(out, "differences", reader_differences(r));
    return out;
}
