/* table.c -- the whole table encoded, part by part, for training: in memory, or in scratch files.
 *
 * Chunks are encoded and packed by part in parallel, then appended in the order of the chunks, so
 * the rows of a part stand in the order of the table whatever the number of threads. */
#include "feature_int.h"

typedef struct Packed { /* one chunk's rows of one part */
    size_t rows;
    float *dense, *target;
    int32_t *code;
    uint64_t *row;
} Packed;

typedef struct Fill {
    const Features *features;
    const Split *split;
    FeatureTable *table;
    Packed *packed;    /* [slots][PART_COUNT] */
    uint64_t *dropped; /* [slots] rows without a target */
    uint64_t room[PART_COUNT];
    bool others;        /* parts beside the training rows are wanted */
    uint64_t from, end; /* training rows are wanted of these rows of the table */
} Fill;

static Part part_of(const Split *s, uint64_t row)
{
    return s ? split_part(s, row) : PART_TRAIN;
}

/* The part of a row that is wanted; PART_COUNT: it is not. */
static int wanted(const Fill *fill, uint64_t row)
{
    Part part = part_of(fill->split, row);
    bool wants = part == PART_TRAIN ? row >= fill->from && row < fill->end : fill->others;
    return wants ? (int)part : PART_COUNT;
}

static void packed_init(Packed *p, const ModelShape *s, bool target, size_t room, Arena *a)
{
    *p = (Packed){
        .dense = ARENA_NEW(a, float, room * s->dense + 1),
        .code = ARENA_NEW(a, int32_t, room * s->codes + 1),
        .target = target ? ARENA_NEW(a, float, room + 1) : NULL,
        .row = ARENA_NEW(a, uint64_t, room + 1),
    };
}

static void pack_row(Packed *p, const ModelShape *s, const Batch *b, size_t row, uint64_t number)
{
    memcpy(p->dense + p->rows * s->dense, b->dense + row * s->dense, s->dense * sizeof(float));
    memcpy(p->code + p->rows * s->codes, b->code + row * s->codes, s->codes * sizeof(int32_t));
    if (p->target)
        p->target[p->rows] = b->target[row];
    p->row[p->rows++] = number;
}

static bool work(void *job, size_t slot, const Chunk *c, Arena *a, Error *err)
{
    Fill *fill = job;
    const ModelShape *s = &fill->features->shape;
    bool target = fill->features->target.name != NULL;
    Batch b;
    Packed *packed = fill->packed + slot * PART_COUNT;
    size_t room[PART_COUNT + 1] = {0};
    for (size_t row = 0; row < c->rows; row++)
        room[wanted(fill, chunk_origin(c, row))]++;
    for (int p = 0; p < PART_COUNT; p++)
        packed_init(&packed[p], s, target, room[p], a);
    if (room[PART_COUNT] == c->rows)
        return true;
    if (!features_encode(fill->features, c, target, a, &b, err))
        return false;
    for (size_t row = 0; row < c->rows; row++) {
        uint64_t number = chunk_origin(c, row);
        int part = wanted(fill, number);
        if (part == PART_COUNT)
            continue;
        if (target && isnan(b.target[row]))
            fill->dropped[slot]++;
        else
            pack_row(&packed[part], s, &b, row, number);
    }
    return true;
}

static bool join(void *job, size_t slot, Error *err)
{
    Fill *fill = job;
    const ModelShape *s = &fill->features->shape;
    fill->table->dropped += fill->dropped[slot];
    fill->dropped[slot] = 0;
    for (int p = 0; p < PART_COUNT; p++) {
        const Packed *from = &fill->packed[slot * PART_COUNT + (size_t)p];
        Batch *to = &fill->table->part[p];
        if (to->rows + from->rows > fill->room[p])
            return error_set(err, ERROR_SHAPE, "the recipe made more rows than the table has");
        memcpy((float *)to->dense + to->rows * s->dense, from->dense,
               from->rows * s->dense * sizeof(float));
        memcpy((int32_t *)to->code + to->rows * s->codes, from->code,
               from->rows * s->codes * sizeof(int32_t));
        if (to->target)
            memcpy((float *)to->target + to->rows, from->target, from->rows * sizeof(float));
        memcpy(fill->table->row[p] + to->rows, from->row, from->rows * sizeof(uint64_t));
        to->rows += from->rows;
        scratch_touched(fill->table->scratch,
                        from->rows * (4 * (s->dense + s->codes + 1) + sizeof(uint64_t)));
    }
    return true;
}

static bool allocate(Fill *fill, const Dataset *d, Error *err)
{
    const ModelShape *s = &fill->features->shape;
    Scratch *in = fill->table->scratch;
    for (uint64_t row = 0; row < dataset_rows(d); row++) {
        int part = wanted(fill, row);
        if (part < PART_COUNT)
            fill->room[part]++;
    }
    for (int p = 0; p < PART_COUNT; p++) {
        size_t room = (size_t)fill->room[p] + 1;
        Batch *b = &fill->table->part[p];
        b->dense = scratch_take(in, room * (s->dense ? s->dense : 1) * sizeof(float), err);
        b->code = b->dense
                      ? scratch_take(in, room * (s->codes ? s->codes : 1) * sizeof(int32_t), err)
                      : NULL;
        fill->table->row[p] = b->code ? scratch_take(in, room * sizeof(uint64_t), err) : NULL;
        if (!fill->table->row[p])
            return error_in(err, "encoding the table");
        if (fill->features->target.name &&
            !(b->target = scratch_take(in, room * sizeof(float), err)))
            return error_in(err, "encoding the table");
    }
    return true;
}

bool feature_table_create_share(FeatureTable *out, TableShare share, Scratch *scratch, const Features *f,
                                const Dataset *d, const Plan *plan, const Split *split, Pool *pool,
                                Progress *progress, Error *err)
{
    size_t slots = walk_slots(pool);
    uint64_t rows = dataset_rows(d);
    *out = (FeatureTable){.scratch = scratch};
    Fill fill = {.features = f,
                 .split = split,
                 .table = out,
                 .others = share.number == 0,
                 .from = rows * share.number / share.count,
                 .end = rows * (share.number + 1) / share.count};
    fill.packed = mem_alloc(slots * PART_COUNT * sizeof *fill.packed);
    fill.dropped = mem_alloc(slots * sizeof *fill.dropped);
    progress_begin(progress, "encoding", "rows", dataset_rows(d));
    Walk walk = {d, plan, pool, progress, work, join, &fill};
    bool ok = allocate(&fill, d, err) && walk_run(&walk, err);
    mem_free(fill.packed);
    mem_free(fill.dropped);
    if (!ok)
        feature_table_release(out);
    return ok;
}

bool feature_table_create_in(FeatureTable *out, Scratch *scratch, const Features *f,
                             const Dataset *d, const Plan *plan, const Split *split, Pool *pool,
                             Progress *progress, Error *err)
{
    return feature_table_create_share(out, (TableShare){0, 1}, scratch, f, d, plan, split, pool,
                                      progress, err);
}

bool feature_table_create(FeatureTable *out, const Features *f, const Dataset *d, const Plan *plan,
                          const Split *split, Pool *pool, Progress *progress, Error *err)
{
    return feature_table_create_in(out, NULL, f, d, plan, split, pool, progress, err);
}

Batch batch_slice(const Batch *b, const ModelShape *s, size_t from, size_t rows)
{
    return (Batch){
        .rows = rows,
        .dense = b->dense ? b->dense + from * s->dense : NULL,
        .code = b->code ? b->code + from * s->codes : NULL,
        .target = b->target ? b->target + from * shape_targets(s) : NULL,
        .weight = b->weight ? b->weight + from : NULL,
        .series = b->series,
        .at = b->at ? b->at + from : NULL,
    };
}

void feature_table_release(FeatureTable *t)
{
    for (int p = 0; p < PART_COUNT; p++) {
        scratch_give(t->scratch, (float *)t->part[p].dense);
        scratch_give(t->scratch, (int32_t *)t->part[p].code);
        scratch_give(t->scratch, (float *)t->part[p].target);
        scratch_give(t->scratch, t->row[p]);
        scratch_give(t->scratch, (uint32_t *)t->part[p].at);
    }
    series_destroy(t->series);
    *t = (FeatureTable){0};
}
