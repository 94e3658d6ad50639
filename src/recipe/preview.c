/* preview.c -- the blast radius of one rule: rows touched, and the columns before and after.
 *
 * Two passes over the same rows: the first finds ranges, words and counts, the second fills the
 * bins. A sample is some slices of chunks spread over the dataset, so its cost does not grow. */
#include "recipe_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SLICES       16
#define COLUMNS_MOST 4
#define WORDS_MOST   100000 /* words counted of one column; later ones are not seen */

#define SOME_MOST    512    /* values of a chunk from which the range of the bins is chosen */
#define FAR          4      /* the ends lie so many widths of the middle 98 % apart: outliers would press all else into a bin */

typedef struct Side {
    uint64_t rows, missing;
    double sum, low, high;
    uint64_t values; /* finite */
    uint64_t bin[PREVIEW_BINS];
    double *some; /* evenly spread values; of a chunk only */
    size_t somes;
} Side;

/* What one chunk says. Its memory is the chunk's. */
typedef struct Seen {
    Watch watch;
    uint64_t rows_in, rows_out, touched, in_part[PART_COUNT], hit[PART_COUNT];
    Side side[COLUMNS_MOST][2];
    Together with[COLUMNS_MOST]; /* the target, after the rule */
    const Column *column[COLUMNS_MOST][2];
    uint8_t *alive[2];
} Seen;

typedef struct Look {
    const Plan *plan;
    size_t step;
    const Split *split;
    bool bins; /* the second pass */
    size_t columns;
    const char *name[COLUMNS_MOST];
    bool numeric[COLUMNS_MOST];
    double low[COLUMNS_MOST], high[COLUMNS_MOST];
    Seen *seen; /* [chunks] */
    Seen all;
    Counter words[COLUMNS_MOST];
    VEC(double) some[COLUMNS_MOST]; /* of both sides */
    bool tails[COLUMNS_MOST];       /* values beyond low and high are counted in the bins at the rims */
} Look;

/* ---- a sample of a dataset ----------------------------------------------------------------- */

typedef struct Sample {
    const Dataset *d;
    size_t slices;
    uint64_t rows; /* wanted of each slice */
} Sample;

static void sample_get(void *context, size_t i, Arena *a, Chunk *out)
{
    const Sample *s = context;
    size_t chunks = dataset_chunks(s->d);
    Chunk whole;
    /* the middle of the i-th of so many equal parts */
    dataset_chunk(s->d, (2 * i + 1) * chunks / (2 * s->slices), a, &whole);
    size_t rows = whole.rows < s->rows ? whole.rows : (size_t)s->rows;
    size_t from = (whole.rows - rows) / (s->slices + 1) * (i % s->slices + 1);
    chunk_slice(&whole, from, rows, a, out);
}

static ChunkSource sample_begin(Sample *s, const Dataset *d, uint64_t rows)
{
    size_t chunks = dataset_chunks(d);
    s->d = d;
    s->slices = chunks < SLICES ? chunks : SLICES;
    s->rows = (rows + s->slices - 1) / s->slices;
    return (ChunkSource){s->slices, s->rows * s->slices, sample_get, s};
}

/* ---- one chunk ----------------------------------------------------------------------------- */

static void look_at_numbers(Side *s, const Column *c, const uint8_t *alive, Arena *a)
{
    const double *x = column_reals(c, a);
    size_t step = c->rows / SOME_MOST + 1;
    s->low = INFINITY;
    s->high = -s->low;
    s->some = ARENA_NEW(a, double, SOME_MOST);
    for (size_t i = 0; i < c->rows; i += step)
        if (alive[i] && isfinite(x[i]))
            s->some[s->somes++] = x[i];
    for (size_t i = 0; i < c->rows; i++) {
        if (!alive[i])
            continue;
        s->rows++;
        if (!column_has(c, i)) {
            s->missing++;
        } else if (isfinite(x[i])) {
            s->sum += x[i];
            s->values++;
            s->low = x[i] < s->low ? x[i] : s->low;
            s->high = x[i] > s->high ? x[i] : s->high;
        }
    }
}

static void look_at_text(Side *s, const Column *c, const uint8_t *alive)
{
    for (size_t i = 0; i < c->rows; i++) {
        s->rows += alive[i];
        s->missing += alive[i] && !column_has(c, i);
    }
}

static void fill_bins(const Look *l, size_t k, Side *s, const Column *c, const uint8_t *alive,
                      Arena *a)
{
    const double *x = column_reals(c, a);
    double range = l->high[k] - l->low[k], scale = range > 0 ? PREVIEW_BINS / range : 0.0;
    for (size_t i = 0; i < c->rows; i++) {
        if (!alive[i] || !isfinite(x[i]))
            continue;
        double at = (x[i] - l->low[k]) * scale;
        s->bin[at < 0 ? 0 : at < PREVIEW_BINS ? (size_t)at : PREVIEW_BINS - 1]++;
    }
}

static void look_at_side(Look *l, Seen *seen, int side, const Frame *f)
{
    for (size_t k = 0; k < l->columns; k++) {
        const Column *c =
            side == 0 ? watch_before(&seen->watch, l->name[k]) : frame_column(f, l->name[k]);
        if (!c || (l->numeric[k] && c->type == COLUMN_TEXT))
            continue;
        seen->column[k][side] = c;
        Side *s = &seen->side[k][side];
        if (!l->numeric[k])
            look_at_text(s, c, seen->alive[side]);
        else if (l->bins)
            fill_bins(l, k, s, c, seen->alive[side], f->arena);
        else
            look_at_numbers(s, c, seen->alive[side], f->arena);
    }
}

static void count_hits(const Look *l, Seen *seen, const Frame *f)
{
    const uint8_t *changed =
        f->fails ? f->fails : watch_changed(&seen->watch, f, &l->plan->step[l->step]);
    for (size_t i = 0; i < f->rows; i++) {
        if (!seen->alive[0][i])
            continue;
        bool hit = changed[i] || !f->alive[i];
        Part part = l->split ? split_part(l->split, chunk_origin(f->in, i)) : PART_TRAIN;
        seen->in_part[part]++;
        seen->hit[part] += hit;
        seen->touched += changed[i];
    }
    seen->rows_in = seen->watch.living;
    seen->rows_out = f->living;
}

static void look_at_target(const Look *l, Seen *seen, const Frame *f)
{
    const char *target = leak_target(l->plan);
    const Column *y = target ? frame_column(f, target) : NULL;
    for (size_t k = 0; y && y->type != COLUMN_TEXT && k < l->columns; k++) {
        const Column *x = seen->column[k][1];
        if (x && l->numeric[k] && x != y)
            together_add(&seen->with[k], column_reals(x, f->arena), column_reals(y, f->arena), f->alive, f->rows);
    }
}

static uint8_t *copy_alive(const Frame *f)
{
    uint8_t *copy = arena_alloc(f->arena, f->rows + 8);
    memcpy(copy, f->alive, f->rows);
    return copy;
}

static bool look_each(void *context, size_t i, size_t step, Frame *f, Error *err)
{
    Look *l = context;
    Seen *seen = &l->seen[i];
    if (step == l->step) {
        *seen = (Seen){.alive = {copy_alive(f)}};
        watch_begin(&seen->watch, f);
    } else if (step == l->step + 1) {
        seen->alive[1] = f->alive;
        if (!l->bins)
            count_hits(l, seen, f);
        look_at_side(l, seen, 0, f);
        look_at_side(l, seen, 1, f);
        if (!l->bins)
            look_at_target(l, seen, f);
    }
    (void)err;
    return true;
}

/* ---- all chunks, in their order ------------------------------------------------------------ */

/* The side of a cast to text that is no text: its values are counted as the words they print as. */
static void merge_printed(Counter *counter, int side, const Column *c, const uint8_t *alive)
{
    Text text = {0};
    for (size_t i = 0; i < c->rows && counter->list.count < WORDS_MOST; i++) {
        if (!alive[i] || !column_has(c, i))
            continue;
        text_reset(&text);
        column_print(c, i, &text);
        counter_add(counter, (Span){text_str(&text), text.count}, (size_t)side, 1);
    }
    text_release(&text);
}

static void merge_words(Look *l, size_t k, int side, const Seen *seen)
{
    const Column *c = seen->column[k][side];
    Counter *counter = &l->words[k];
    if (c->type != COLUMN_TEXT) {
        merge_printed(counter, side, c, seen->alive[side]);
        return;
    }
    size_t words = c->words ? c->words->count : c->rows;
    uint64_t *times = mem_alloc((words + 1) * sizeof *times);
    Span *word = mem_alloc((words + 1) * sizeof *word);
    for (size_t i = 0; i < c->rows; i++) {
        size_t w = c->words ? (size_t)c->code[i] : i;
        if (seen->alive[side][i] && column_has(c, i) && times[w]++ == 0)
            word[w].at = column_text(c, i, &word[w].size);
    }
    for (size_t w = 0; w < words; w++)
        if (times[w] > 0 && counter->list.count < WORDS_MOST)
            counter_add(counter, word[w], (size_t)side, times[w]);
    mem_free(times);
    mem_free(word);
}

static void merge_side(Side *into, const Side *s)
{
    if (s->values > 0) {
        into->low = into->values == 0 || s->low < into->low ? s->low : into->low;
        into->high = into->values == 0 || s->high > into->high ? s->high : into->high;
    }
    into->rows += s->rows;
    into->missing += s->missing;
    into->sum += s->sum;
    into->values += s->values;
    for (size_t b = 0; b < PREVIEW_BINS; b++)
        into->bin[b] += s->bin[b];
}

static bool look_merge(void *context, size_t i, Frame *f, Error *err)
{
    Look *l = context;
    const Seen *seen = &l->seen[i];
    Seen *all = &l->all;
    all->rows_in += seen->rows_in;
    all->rows_out += seen->rows_out;
    all->touched += seen->touched;
    for (size_t p = 0; p < PART_COUNT; p++) {
        all->in_part[p] += seen->in_part[p];
        all->hit[p] += seen->hit[p];
    }
    for (size_t k = 0; k < l->columns; k++) {
        together_merge(&all->with[k], &seen->with[k]);
        for (int side = 0; side < 2; side++) {
            if (!seen->column[k][side])
                continue;
            merge_side(&all->side[k][side], &seen->side[k][side]);
            for (size_t v = 0; v < seen->side[k][side].somes; v++)
                vec_add(&l->some[k], seen->side[k][side].some[v]);
            if (!l->numeric[k] && !l->bins)
                merge_words(l, k, side, seen);
        }
    }
    (void)f;
    (void)err;
    return true;
}

/* ---- which columns, and the result --------------------------------------------------------- */

static void add_column(Look *l, const char *name)
{
    for (size_t i = 0; i < l->columns; i++)
        if (strcmp(l->name[i], name) == 0)
            return;
    if (l->columns == COLUMNS_MOST)
        return;
    ColumnType type = COLUMN_TEXT;
    const Step *step = &l->plan->step[l->step];
    for (size_t i = 0; i < step->fields; i++)
        if (strcmp(step->field[i].name, name) == 0)
            type = step->field[i].type;
    size_t after = schema_find(&l->plan->out, name);
    if (after != SIZE_MAX)
        type = l->plan->out.field[after].type;
    l->numeric[l->columns] = type != COLUMN_TEXT;
    l->name[l->columns++] = name;
}

/* Columns it writes; of a rule that only looks, those it looks at. */
static void choose_columns(Look *l)
{
    const Step *step = &l->plan->step[l->step];
    for (size_t i = 0; i < step->writes; i++)
        add_column(l, step->write[i]);
    for (size_t i = 0; step->writes == 0 && i < step->reads; i++)
        add_column(l, step->field[step->read[i]].name);
}

static int rising(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void choose_middle(Look *l, size_t k)
{
    size_t n = l->some[k].count;
    if (n < 2)
        return;
    qsort(l->some[k].at, n, sizeof(double), rising);
    double low = l->some[k].at[n / 100], high = l->some[k].at[n - 1 - n / 100];
    l->tails[k] = high > low && l->high[k] - l->low[k] > FAR * (high - low);
    if (l->tails[k]) {
        l->low[k] = low;
        l->high[k] = high;
    }
}

static void choose_range(Look *l)
{
    for (size_t k = 0; k < l->columns; k++) {
        const Side *a = &l->all.side[k][0], *b = &l->all.side[k][1];
        const Side *any = a->values > 0 ? a : b;
        l->low[k] = any->low;
        l->high[k] = any->high;
        if (b->values > 0) {
            l->low[k] = b->low < l->low[k] ? b->low : l->low[k];
            l->high[k] = b->high > l->high[k] ? b->high : l->high[k];
        }
        choose_middle(l, k);
    }
}

static int by_count(const void *x, const void *y)
{
    const Tally *a = x, *b = y;
    uint64_t n = a->count[0] + a->count[1], m = b->count[0] + b->count[1];
    if (n != m)
        return n < m ? 1 : -1;
    size_t size = a->word.size < b->word.size ? a->word.size : b->word.size;
    int order = size > 0 ? memcmp(a->word.at, b->word.at, size) : 0;
    return order != 0 ? order : (a->word.size > b->word.size) - (a->word.size < b->word.size);
}

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0.0;
}

static void tell_words(PreviewColumn *out, Counter *c, const Side *before, const Side *after)
{
    if (c->list.count > 0)
        qsort(c->list.at, c->list.count, sizeof *c->list.at, by_count);
    out->bins = c->list.count < PREVIEW_BINS ? c->list.count : PREVIEW_BINS;
    for (size_t b = 0; b < out->bins; b++) {
        const Tally *t = &c->list.at[b];
        size_t fit = t->word.size;
        if (fit >= sizeof out->word[b]) /* whole characters only */
            for (fit = sizeof out->word[b] - 1;
                 fit > 0 && ((unsigned char)t->word.at[fit] & 0xC0) == 0x80;)
                fit--;
        memcpy(out->word[b], t->word.at, fit);
        out->before[b] = share(t->count[0], before->rows - before->missing);
        out->after[b] = share(t->count[1], after->rows - after->missing);
    }
}

static void tell_column(Look *l, size_t k, PreviewColumn *out)
{
    const Side *before = &l->all.side[k][0], *after = &l->all.side[k][1];
    size_t length = strlen(l->name[k]);
    memcpy(out->name, l->name[k], length < sizeof out->name ? length : sizeof out->name - 1);
    out->numeric = l->numeric[k];
    out->missing_before = share(before->missing, before->rows);
    out->missing_after = share(after->missing, after->rows);
    if (!out->numeric) {
        tell_words(out, &l->words[k], before, after);
        return;
    }
    out->low = l->low[k];
    out->high = l->high[k];
    out->tails = l->tails[k];
    out->bins = PREVIEW_BINS;
    out->mean_before = before->values > 0 ? before->sum / (double)before->values : 0.0;
    out->mean_after = after->values > 0 ? after->sum / (double)after->values : 0.0;
    for (size_t b = 0; b < PREVIEW_BINS; b++) {
        out->before[b] = share(before->bin[b], before->values);
        out->after[b] = share(after->bin[b], after->values);
    }
}

static void tell(Look *l, Preview *out)
{
    out->rows_in = l->all.rows_in;
    out->rows_out = l->all.rows_out;
    out->touched = l->all.touched;
    for (size_t p = 0; p < PART_COUNT; p++)
        out->part_share[p] = share(l->all.hit[p], l->all.in_part[p]);
    out->columns_in = l->plan->step[l->step].fields;
    out->columns_out = l->plan->out.count;
    leak_tell(l->plan, &l->plan->step[l->step], l->name, l->all.with, l->columns, out);
    out->columns = l->columns;
    for (size_t k = 0; k < l->columns; k++)
        tell_column(l, k, &out->column[k]);
}

static bool any_numeric(const Look *l)
{
    for (size_t k = 0; k < l->columns; k++)
        if (l->numeric[k])
            return true;
    return false;
}

static bool look(Plan *p, const ChunkSource *from, const Split *split, Pool *pool, Progress *progress,
                 Preview *out, Error *err)
{
    Look l = {.plan = p,
              .step = p->steps - 1,
              .split = split,
              .seen = mem_alloc((from->count + 1) * sizeof *l.seen)};
    Pass pass = {.plan = p,
                 .until = p->steps,
                 .pool = pool,
                 .progress = progress,
                 .each = look_each,
                 .merge = look_merge,
                 .context = &l};
    choose_columns(&l);
    progress_begin(progress, "looking", "rows", from->rows * (any_numeric(&l) ? 2 : 1));
    bool ok = pass_run(&pass, from, err);
    if (ok && any_numeric(&l)) {
        choose_range(&l);
        l.bins = true;
        ok = pass_run(&pass, from, err);
    }
    if (ok)
        tell(&l, out);
    for (size_t k = 0; k < COLUMNS_MOST; k++) {
        counter_release(&l.words[k]);
        vec_release(&l.some[k]);
    }
    mem_free(l.seen);
    return ok;
}

/* The rules up to `at`, which counts as switched on. */
static Plan *plan_up_to(const Recipe *r, size_t at, const Schema *in, Error *err)
{
    if (recipe_is_on(r, at))
        return plan_create_until(r, at + 1, in, err);
    Recipe *copy = recipe_copy(r);
    recipe_toggle(copy, at);
    Plan *p = plan_create_until(copy, at + 1, in, err);
    recipe_destroy(copy);
    return p;
}

bool recipe_preview(const Recipe *r, size_t at, const Dataset *d, const Schema *in, const Split *split,
                    uint64_t sample, Pool *pool, Progress *progress, Preview *out, Error *err)
{
    memset(out, 0, sizeof *out);
    if (at >= recipe_count(r))
        return error_set(err, ERROR_USAGE, "there is no rule %zu", at + 1);
    Plan *p = plan_up_to(r, at, in ? in : dataset_schema(d), err);
    if (!p)
        return false;
    Sample some;
    out->rows_total = dataset_rows(d);
    out->exact = sample == 0 || sample >= out->rows_total;
    ChunkSource from = out->exact ? source_of_dataset(d) : sample_begin(&some, d, sample);
    bool ok = plan_fit_source(p, &from, split, pool, progress, NULL, err) &&
              look(p, &from, split, pool, progress, out, err);
    out->rows_seen = from.rows < out->rows_total ? from.rows : out->rows_total;
    plan_destroy(p);
    return ok;
}
