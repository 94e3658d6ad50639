/* series.c -- rows of a table as series: group after group, in the order of time.
 *
 *     rows    encoded as they came           place   steps of all series, one series after the other;
 *     [ r0 r1 r2 ... ]                       each names a row: | r4 r1 r1* r7 | r0 r2 r3 |
 *
 * r1* is a step without a row: it repeats the one before and has no target (FILLER). Windows are places, so
 * that nothing is copied before series_gather lays one out. */
#include "feature_int.h"

#include <stdlib.h>

#define FILLER    0x80000000u
#define ROWS_MOST 0x7fffffffu

struct Series {
    const Features *features;
    size_t wide;       /* floats of an encoded row */
    VEC(float) dense;  /* [rows][wide] */
    VEC(float) target; /* [rows] NaN: to come */
    VEC(double) time;
    VEC(uint32_t) group; /* in the lexicon */
    VEC(uint64_t) row;   /* chunk_origin; UINT64_MAX: made here */
    Lexicon groups;
    VEC(uint32_t) place;      /* row, or row | FILLER */
    VEC(uint32_t) begin, end; /* [places] of its series */
};

Series *series_create(const Features *f)
{
    Series *s = mem_alloc(sizeof *s);
    s->features = f;
    s->wide = f->shape.dense;
    return s;
}

void series_destroy(Series *s)
{
    if (!s)
        return;
    vec_release(&s->dense);
    vec_release(&s->target);
    vec_release(&s->time);
    vec_release(&s->group);
    vec_release(&s->row);
    vec_release(&s->place);
    vec_release(&s->begin);
    vec_release(&s->end);
    lexicon_release(&s->groups);
    mem_free(s);
}

/* ---- taking rows ------------------------------------------------------------------------------------ */

#define GROUPS_MOST 8 /* columns that name a group together */

static bool find_groups(const Series *s, const Chunk *c, const Column **out, size_t *n, Error *err)
{
    *n = 0;
    for (const char *at = s->features->series->group; *at;) {
        char name[256];
        size_t len = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)len, at);
        if (*n == GROUPS_MOST)
            return error_set(err, ERROR_USAGE, "group: at most %d columns", GROUPS_MOST);
        out[*n] = chunk_find(c, name);
        if (!out[(*n)++])
            return error_set(err, ERROR_SHAPE, "no column %s, which names the group, in the rows",
                             name);
        at += len + (at[len] == ',');
    }
    return true;
}

static uint32_t group_of(Series *s, const Column *const *column, size_t n, size_t row, Text *name)
{
    text_reset(name);
    for (size_t i = 0; i < n; i++) {
        text_puts(name, i ? ", " : "");
        column_print(column[i], row, name);
    }
    return (uint32_t)lexicon_add(&s->groups, text_str(name), name->count, 1);
}

static void add_floats(Series *s, const float *from)
{
    for (size_t k = 0; k < s->wide; k++)
        vec_add(&s->dense, from[k]);
}

static bool take_rows(Series *s, const Chunk *c, const Batch *b, Error *err)
{
    const Column *group[GROUPS_MOST], *time = chunk_find(c, s->features->series->time);
    Text name = {0};
    size_t n;
    if (!time)
        return error_set(err, ERROR_SHAPE, "no column %s, which orders the rows, in them",
                         s->features->series->time);
    if (!find_groups(s, c, group, &n, err))
        return false;
    if (s->row.count + c->rows > ROWS_MOST)
        return error_set(err, ERROR_SPACE, "a table of series has at most %u rows", ROWS_MOST);
    for (size_t i = 0; i < c->rows; i++) {
        double at = column_real(time, i);
        if (!isfinite(at))
            continue;
        add_floats(s, b->dense + i * s->wide);
        vec_add(&s->target, b->target ? b->target[i] : NAN);
        vec_add(&s->time, at);
        vec_add(&s->group, group_of(s, group, n, i, &name));
        vec_add(&s->row, chunk_origin(c, i));
    }
    text_release(&name);
    return true;
}

bool series_add(Series *s, const Chunk *c, Error *err)
{
    Arena a = {0};
    Batch b;
    bool target = chunk_find(c, s->features->target.name) != NULL;
    bool ok = features_encode(s->features, c, target, &a, &b, err) && take_rows(s, c, &b, err);
    arena_release(&a);
    return ok;
}

/* ---- order ------------------------------------------------------------------------------------------ */

typedef struct Key {
    uint32_t group, row;
    double time;
} Key;

static int in_order(const void *left, const void *right)
{
    const Key *a = left, *b = right;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

static Key *sorted_keys(const Series *s, Error *err)
{
    size_t n = s->row.count;
    Key *key = mem_try((n + 1) * sizeof *key, err);
    for (size_t i = 0; key && i < n; i++)
        key[i] = (Key){s->group.at[i], (uint32_t)i, s->time.at[i]};
    if (key)
        qsort(key, n, sizeof *key, in_order);
    return key;
}

static bool no_twins(const Series *s, const Key *key, size_t n, Error *err)
{
    for (size_t i = 1; i < n; i++)
        if (key[i].group == key[i - 1].group && key[i].time == key[i - 1].time)
            return error_set(
                err, ERROR_SHAPE,
                "two rows%s%s have the same %s; group=COLUMN says which rows are one series",
                *s->features->series->group ? " of " : "", s->groups.word.at[key[i].group].text,
                s->features->series->time);
    return true;
}

/* Rows without a target count only behind the last of their group that has one. */
static size_t drop_unknown(const Series *s, Key *key, size_t n)
{
    size_t kept = n;
    uint32_t group = UINT32_MAX;
    bool known = false;
    for (size_t i = n; i-- > 0;) {
        if (key[i].group != group)
            known = false;
        group = key[i].group;
        bool has = !isnan(s->target.at[key[i].row]);
        known |= has;
        if (has || !known)
            key[--kept] = key[i];
    }
    memmove(key, key + kept, (n - kept) * sizeof *key);
    return n - kept;
}

/* One more encoded row of the group of `from`: its time, and what is static. */
static bool make_row(Series *s, const Key *from, double time, Error *err)
{
    const Features *f = s->features;
    const SeriesShape *shape = &f->series->shape;
    Arena a = {0};
    float *dense = ARENA_NEW(&a, float, s->wide + 1);
    const float *last = s->dense.at + (size_t)from->row * s->wide;
    bool ok = true;
    for (size_t i = 0; i < shape->inputs; i++) {
        const SeriesInput *in = &shape->input[i];
        bool is_time = text_equal(in->name, f->series->time);
        if (in->kind == SERIES_STATIC)
            memcpy(dense + in->at, last + in->at, in->width * sizeof *dense);
        if (in->kind != SERIES_KNOWN)
            continue;
        Column c;
        ColumnBuild *b = column_build(&a, in->name, f->input[i].type, 1);
        if (!is_time)
            column_build_missing(b);
        else if (f->input[i].type == COLUMN_REAL)
            column_build_real(b, time);
        else
            column_build_int(b, (int64_t)llround(time));
        column_build_finish(b, &c);
        ok = ok && features_encode_input(f, i, &c, &a, dense + in->at, NULL, err);
    }
    add_floats(s, dense);
    vec_add(&s->target, NAN);
    vec_add(&s->time, time);
    vec_add(&s->group, from->group);
    vec_add(&s->row, UINT64_MAX);
    arena_release(&a);
    return ok;
}

/* Behind each group's last known row as many steps as are lacking. */
static bool look_ahead(Series *s, const Key *key, size_t n, Error *err)
{
    const SeriesPlan *plan = s->features->series;
    for (size_t i = 0; i < n; i++) {
        bool last = i + 1 == n || key[i + 1].group != key[i].group;
        if (!last)
            continue;
        size_t known = i;
        while (known > 0 && key[known - 1].group == key[i].group &&
               isnan(s->target.at[key[known].row]))
            known--;
        double since = (key[i].time - key[known].time) / plan->step;
        for (double h = floor(since + 0.5) + 1; h <= (double)plan->shape.horizon; h++)
            if (!make_row(s, &key[known], key[known].time + h * plan->step, err))
                return false;
    }
    return true;
}

static void end_series(Series *s, size_t begin)
{
    for (size_t i = begin; i < s->place.count; i++) {
        vec_add(&s->begin, (uint32_t)begin);
        vec_add(&s->end, (uint32_t)s->place.count);
    }
}

static void lay_places(Series *s, const Key *key, size_t n)
{
    const SeriesPlan *plan = s->features->series;
    size_t begin = 0;
    for (size_t i = 0; i < n; i++) {
        double steps = i > 0 ? floor((key[i].time - key[i - 1].time) / plan->step + 0.5) : 0;
        bool apart = i > 0 && key[i].group != key[i - 1].group;
        if (apart || steps > (double)plan->shape.window + 1) {
            end_series(s, begin);
            begin = s->place.count;
        } else
            for (double k = 1; k < steps; k++)
                vec_add(&s->place, key[i - 1].row | FILLER);
        vec_add(&s->place, key[i].row);
    }
    end_series(s, begin);
}

bool series_finish(Series *s, bool ahead, Error *err)
{
    Key *key = sorted_keys(s, err);
    size_t n = s->row.count;
    bool ok = key && no_twins(s, key, n, err);
    if (ok)
        n = drop_unknown(s, key, n);
    if (ok && ahead && n > 0) {
        ok = look_ahead(s, key, n, err);
        mem_free(key);
        key = ok ? sorted_keys(s, err) : NULL;
        ok = key != NULL;
        n = ok ? drop_unknown(s, key, s->row.count) : 0;
    }
    if (ok)
        lay_places(s, key, n);
    mem_free(key);
    return ok && (s->place.count <= ROWS_MOST ||
                  error_set(err, ERROR_SPACE, "more steps than a table of series may have"));
}

/* ---- looking ---------------------------------------------------------------------------------------- */

size_t series_places(const Series *s)
{
    return s->place.count;
}

SeriesPlace series_place(const Series *s, uint32_t place)
{
    uint32_t at = s->place.at[place], row = at & ~FILLER;
    bool filler = at & FILLER;
    return (SeriesPlace){
        .row = s->row.at[row],
        .has_row = !filler && s->row.at[row] != UINT64_MAX,
        .time = s->time.at[row],
        .target = filler ? NAN : s->target.at[row],
        .group = s->groups.word.at[s->group.at[row]].text,
        .begin = s->begin.at[place],
        .end = s->end.at[place],
    };
}

static void gather_step(const Series *s, const float *from, bool past, float **to)
{
    const SeriesShape *shape = &s->features->series->shape;
    for (size_t i = 0; i < shape->inputs; i++) {
        const SeriesInput *in = &shape->input[i];
        if (in->kind == SERIES_STATIC || (!past && in->kind != SERIES_KNOWN))
            continue;
        memcpy(*to, from + in->at, in->width * sizeof **to);
        *to += in->width;
    }
}

static void gather_one(const Series *s, uint32_t place, float *to, float *target)
{
    const SeriesShape *shape = &s->features->series->shape;
    const float *here = s->dense.at + (size_t)(s->place.at[place] & ~FILLER) * s->wide;
    for (size_t i = 0; i < shape->inputs; i++)
        if (shape->input[i].kind == SERIES_STATIC) {
            memcpy(to, here + shape->input[i].at, shape->input[i].width * sizeof *to);
            to += shape->input[i].width;
        }
    for (size_t t = 0; t < shape->window + shape->horizon; t++) {
        bool past = t < shape->window;
        int64_t at = (int64_t)place + 1 + (int64_t)t - (int64_t)shape->window;
        if (at < (int64_t)s->begin.at[place])
            at = s->begin.at[place];
        if (at >= (int64_t)s->end.at[place])
            at = (int64_t)s->end.at[place] - 1;
        uint32_t row = s->place.at[at] & ~FILLER;
        *to++ = (float)((double)t - (double)shape->window + 1) /
                (float)(shape->window + shape->horizon);
        if (past)
            *to++ = s->target.at[row];
        gather_step(s, s->dense.at + (size_t)row * s->wide, past, &to);
        if (!past && target)
            target[t - shape->window] = s->place.at[at] & FILLER ? NAN : s->target.at[row];
    }
}

void series_gather(const Series *s, const uint32_t *at, size_t n, float *dense, float *target)
{
    const SeriesShape *shape = &s->features->series->shape;
    for (size_t i = 0; i < n; i++)
        gather_one(s, at[i], dense + i * series_floats(shape),
                   target ? target + i * shape->horizon : NULL);
}
