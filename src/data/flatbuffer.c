/* flatbuffer.c -- FlatBuffers by hand: enough to write Arrow's heads and to read anyone's.
 *
 * A buffer is built from its end to its start, so that every reference points forward. A table is
 * int32 (distance back to its list of fields), then the values; the list of fields is uint16 its
 * own size, uint16 the table's size, then for each field uint16 its place in the table, 0: absent.
 * Specification: flatbuffers.dev, "FlatBuffers internals". */
#include "arrow_int.h"

#include <assert.h>

/* ---- building ---------------------------------------------------------------------------------- */

static void push(FlatBuild *b, const void *bytes, size_t n)
{
    if (b->used + n > b->room) {
        size_t room = b->room ? b->room : 1024;
        while (room < b->used + n)
            room *= 2;
        uint8_t *at = mem_alloc(room);
        if (b->used)
            memcpy(at + room - b->used, b->at + b->room - b->used, b->used);
        mem_free(b->at);
        b->at = at;
        b->room = room;
    }
    b->used += n;
    if (n)
        memcpy(b->at + b->room - b->used, bytes, n);
}

/* Zeros until, after `more` further bytes, the front is a multiple of `size` from the end. */
static void align(FlatBuild *b, size_t size, size_t more)
{
    static const uint8_t zero[8];
    push(b, zero, (0 - (b->used + more)) & (size - 1));
}

static void push_u32(FlatBuild *b, uint32_t v)
{
    push(b, &v, 4);
}

FlatRef flat_text(FlatBuild *b, const char *s, size_t n)
{
    align(b, 4, n + 1);
    push(b, "", 1);
    push(b, s, n);
    push_u32(b, (uint32_t)n);
    return (FlatRef)b->used;
}

FlatRef flat_refs(FlatBuild *b, const FlatRef *refs, size_t n)
{
    align(b, 4, 0);
    for (size_t i = n; i-- > 0;)
        push_u32(b, (uint32_t)(b->used + 4 - refs[i]));
    push_u32(b, (uint32_t)n);
    return (FlatRef)b->used;
}

FlatRef flat_structs(FlatBuild *b, const void *structs, size_t size, size_t n)
{
    align(b, 8, 0);
    push(b, structs, size * n);
    push_u32(b, (uint32_t)n);
    return (FlatRef)b->used;
}

void flat_begin(FlatBuild *b)
{
    memset(b->field, 0, sizeof b->field);
    b->fields = 0;
    b->table = b->used;
}

static void field_here(FlatBuild *b, size_t field)
{
    assert(field < FLAT_FIELDS);
    b->field[field] = (FlatRef)b->used;
    if (field >= b->fields)
        b->fields = field + 1;
}

void flat_int(FlatBuild *b, size_t field, size_t size, int64_t v)
{
    align(b, size, 0);
    push(b, &v, size); /* little endian */
    field_here(b, field);
}

void flat_ref(FlatBuild *b, size_t field, FlatRef to)
{
    if (!to)
        return;
    align(b, 4, 0);
    push_u32(b, (uint32_t)(b->used + 4 - to));
    field_here(b, field);
}

FlatRef flat_end(FlatBuild *b)
{
    align(b, 4, 0);
    push_u32(b, 0); /* the distance to the list of fields, known below */
    size_t table = b->used;
    for (size_t i = b->fields; i-- > 0;) {
        uint16_t place = (uint16_t)(b->field[i] ? table - b->field[i] : 0);
        push(b, &place, 2);
    }
    uint16_t sizes[2] = {(uint16_t)(4 + 2 * b->fields), (uint16_t)(table - b->table)};
    push(b, sizes, 4);
    int32_t back = (int32_t)(b->used - table);
    memcpy(b->at + b->room - table, &back, 4);
    return (FlatRef)table;
}

const uint8_t *flat_finish(FlatBuild *b, FlatRef root, size_t *n)
{
    align(b, 8, 4);
    push_u32(b, (uint32_t)(b->used + 4 - root));
    *n = b->used;
    return b->at + b->room - b->used;
}

void flat_release(FlatBuild *b)
{
    mem_free(b->at);
    *b = (FlatBuild){0};
}

/* ---- reading ----------------------------------------------------------------------------------- */

/* n bytes at `at`, or NULL: then the buffer is broken. */
static const uint8_t *bytes_at(Flat *f, size_t at, size_t n)
{
    if (f->broken || at > f->size || n > f->size - at) {
        f->broken = true;
        return NULL;
    }
    return f->at + at;
}

static int64_t int_at(Flat *f, size_t at, size_t size)
{
    const uint8_t *p = bytes_at(f, at, size);
    int64_t v = 0;
    if (!p)
        return 0;
    memcpy(&v, p, size);
    unsigned shift = (unsigned)(64 - 8 * size);
    return (int64_t)((uint64_t)v << shift) >> shift; /* with its sign */
}

static size_t follow(Flat *f, size_t at) /* where the reference at `at` leads */
{
    size_t step = (uint32_t)int_at(f, at, 4);
    if (step == 0 || step > f->size)
        f->broken = true;
    return at + step;
}

static FlatTable table_at(Flat *f, size_t at)
{
    int64_t list = (int64_t)at - int_at(f, at, 4);
    if (list < 0)
        f->broken = true;
    size_t size = f->broken ? 0 : (uint16_t)int_at(f, (size_t)list, 2);
    if (f->broken || size < 4 || !bytes_at(f, (size_t)list, size)) {
        f->broken = true;
        return (FlatTable){0};
    }
    return (FlatTable){f, at, (size_t)list, size};
}

FlatTable flat_root(Flat *f)
{
    size_t at = follow(f, 0);
    return f->broken ? (FlatTable){0} : table_at(f, at);
}

/* Where the field lies, 0: absent. */
static size_t field_at(const FlatTable *t, size_t field)
{
    if (!t->flat || t->flat->broken || 4 + 2 * field + 2 > t->fields_size)
        return 0;
    uint16_t place = (uint16_t)int_at(t->flat, t->fields + 4 + 2 * field, 2);
    return place ? t->at + place : 0;
}

int64_t flat_get(const FlatTable *t, size_t field, size_t size, int64_t otherwise)
{
    size_t at = field_at(t, field);
    return at ? int_at(t->flat, at, size) : otherwise;
}

FlatTable flat_table(const FlatTable *t, size_t field)
{
    size_t at = field_at(t, field);
    if (!at)
        return (FlatTable){0};
    at = follow(t->flat, at);
    return t->flat->broken ? (FlatTable){0} : table_at(t->flat, at);
}

FlatList flat_list(const FlatTable *t, size_t field, size_t item_size)
{
    size_t at = field_at(t, field);
    if (!at)
        return (FlatList){0};
    at = follow(t->flat, at);
    size_t count = (uint32_t)int_at(t->flat, at, 4);
    if (t->flat->broken || !bytes_at(t->flat, at + 4, count * item_size))
        return (FlatList){0};
    return (FlatList){t->flat, at + 4, count};
}

FlatTable flat_list_table(const FlatList *l, size_t i)
{
    assert(i < l->count);
    size_t at = follow(l->flat, l->at + 4 * i);
    return l->flat->broken ? (FlatTable){0} : table_at(l->flat, at);
}

int64_t flat_list_int(const FlatList *l, size_t i, size_t item_size, size_t offset, size_t size)
{
    assert(i < l->count);
    return int_at(l->flat, l->at + i * item_size + offset, size);
}

const char *flat_string(const FlatTable *t, size_t field, size_t *n)
{
    FlatList l = flat_list(t, field, 1);
    *n = l.count;
    return l.flat ? (const char *)l.flat->at + l.at : NULL;
}
