/* group.c -- how often, how much, by keys. */
#include "group_int.h"

#define GROUPS_MOST  1000000
#define DIRECT_BYTES (UINT64_C(32) << 20)

#define AS_NAME(name, text, about) text,
static const char *const aggregate_names[] = {AGGREGATES(AS_NAME)};
#undef AS_NAME
#define AS_NAME(name, text) text,
static const char *const part_names[] = {GROUP_PARTS(AS_NAME)};
#undef AS_NAME

static bool find_name(const char *const *names, size_t n, const char *name, size_t *out)
{
    for (*out = 0; *out < n; ++*out)
        if (strcasecmp(names[*out], name) == 0)
            return true;
    return false;
}

const char *aggregate_name(Aggregate a)
{
    return aggregate_names[a];
}

bool aggregate_parse(const char *name, Aggregate *out)
{
    size_t at;
    bool ok = find_name(aggregate_names, COUNT_OF(aggregate_names), name, &at);
    if (ok)
        *out = (Aggregate)at;
    return ok;
}

const char *group_part_name(GroupPart p)
{
    return part_names[p];
}

bool group_part_parse(const char *name, GroupPart *out)
{
    size_t at;
    bool ok = find_name(part_names, COUNT_OF(part_names), name, &at);
    if (ok)
        *out = (GroupPart)at;
    return ok;
}

/* The columns of the view: the keys', then the measures' (any, where rows are counted). */
static void open_columns(Grouping *g, const GroupSpec *spec, Pool *pool)
{
    size_t column[KEYS_MOST + MEASURES_MOST], count = dataset_schema(g->d)->count;
    for (size_t i = 0; i < spec->keys + spec->measures; i++) {
        column[i] = i < spec->keys ? spec->key[i].column : spec->measure[i - spec->keys].column;
        if (column[i] >= count)
            column[i] = 0; /* counts rows, or is refused later on */
    }
    view_open(&g->view, g->d, column, count ? spec->keys + spec->measures : 0, pool);
}

static bool use_places(const Grouping *g)
{
    uint64_t rows = rows_of(&g->view, g->rows);
    return g->direct && g->direct <= 4 * rows + 4096 &&
           g->direct * g->cells * sizeof(Cell) <= DIRECT_BYTES;
}

static bool check_result(const Grouping *g, const Tuples *all, Error *err)
{
    if (scan_stopped(g->progress, err))
        return false;
    if (atomic_load(&g->wrong))
        return error_set(err, ERROR_PARSE,
                         "the dataset's profile does not fit its values; "
                         "make it again from its source");
    if (atomic_load(&g->many) || all->count > g->most)
        return error_set(err, ERROR_SPACE, "more than %llu groups; group by less or in bins",
                         (unsigned long long)g->most);
    return true;
}

bool scan_group(const Dataset *d, const GroupSpec *spec, const RowSet *rows, uint64_t most,
                Pool *pool, Progress *progress, Arena *a, Chunk *out, Error *err)
{
    Grouping g = {.d = d, .rows = rows, .most = most ? most : GROUPS_MOST, .progress = progress};
    if (spec->keys > KEYS_MOST || spec->measures > MEASURES_MOST)
        return error_set(err, ERROR_USAGE, "%zu keys and %zu measures; %zu and %zu are possible",
                         spec->keys, spec->measures, KEYS_MOST, MEASURES_MOST);
    if (g.most > UINT32_MAX - 2)
        g.most = UINT32_MAX - 2;
    open_columns(&g, spec, pool);
    Tuples all = {.width = spec->keys + 1};
    bool ok = group_keys_prepare(&g, spec, err) && group_measures_prepare(&g, spec, err);
    if (ok) {
        all.cells = g.cells;
        g.pieces = pieces_of(&g.view, rows);
        progress_begin(progress, "grouping", "rows", rows_of(&g.view, rows));
        ok = use_places(&g) ? group_direct(&g, pool, &all, err) : group_hashed(&g, pool, &all, err);
    }
    ok = ok && check_result(&g, &all, err) && group_output(&g, &all, a, out, err);
    tuples_release(&all);
    for (size_t i = 0; i < g.ranked; i++)
        mem_free(g.ranks[i]);
    view_release(&g.view);
    return ok;
}
