/* safetensors.c -- named tensors as bytes (safetensors 0.x, github.com/huggingface/safetensors).
 *
 *     offset  size
 *     0       8      length of the header, little-endian
 *     8       n      JSON: {"name": {"dtype": "F32", "shape": [2,3], "data_offsets": [0,24]}, ...,
 *                    "__metadata__": {"key": "text", ...}}, padded with spaces to a multiple of 8
 *     8 + n          the tensors; offsets count from here, without holes or overlap, to the end
 *
 * The header is at most 100 MB. Reading believes nothing: every shape, size and offset is held
 * against the bytes there are before it is used. */
#include "model_int.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_MOST 100000000u
#define RANK_MOST   8

/* ---- writing ---------------------------------------------------------------------------------------- */

static size_t tensor_bytes(const TensorRow *row)
{
    size_t n = sizeof(float);
    for (size_t i = 0; i < row->rank; i++)
        n *= row->shape[i];
    return n;
}

static json_t *header_of(const TensorRow *rows, size_t n, const json_t *metadata)
{
    json_t *header = json_object();
    if (metadata)
        json_object_set(header, "__metadata__", (json_t *)(uintptr_t)metadata);
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        json_t *shape = json_array();
        for (size_t k = 0; k < rows[i].rank; k++)
            json_array_append_new(shape, json_integer((json_int_t)rows[i].shape[k]));
        size_t end = at + tensor_bytes(&rows[i]);
        json_object_set_new(header, rows[i].name,
                            json_pack("{s:s, s:o, s:[I,I]}", "dtype", "F32", "shape", shape,
                                      "data_offsets", (json_int_t)at, (json_int_t)end));
        at = end;
    }
    return header;
}

bool safetensors_write(const TensorRow *rows, size_t n, const json_t *metadata, Text *into,
                       Error *err)
{
    json_t *header = header_of(rows, n, metadata);
    char *text = json_dumps(header, JSON_COMPACT);
    json_decref(header);
    if (!text)
        return error_set(err, ERROR_SPACE, "no memory for the names of %zu tensors", n);
    size_t used = strlen(text), padded = (used + 7) / 8 * 8;
    uint8_t length[8];
    for (size_t i = 0; i < 8; i++)
        length[i] = (uint8_t)((uint64_t)padded >> (8 * i));
    text_add(into, (const char *)length, sizeof length);
    text_add(into, text, used);
    for (size_t i = used; i < padded; i++)
        text_putc(into, ' ');
    free(text);
    for (size_t i = 0; i < n; i++)
        text_add(into, (const char *)rows[i].at, tensor_bytes(&rows[i]));
    return true;
}

/* ---- reading ----------------------------------------------------------------------------------------- */

static size_t dtype_size(const char *dtype)
{
    static const struct {
        const char *name;
        size_t size;
    } sizes[] = {{"F64", 8}, {"I64", 8}, {"U64", 8},  {"F32", 4},     {"I32", 4},
                 {"U32", 4}, {"F16", 2}, {"BF16", 2}, {"I16", 2},     {"U16", 2},
                 {"I8", 1},  {"U8", 1},  {"BOOL", 1}, {"F8_E4M3", 1}, {"F8_E5M2", 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (text_equal(sizes[i].name, dtype))
            return sizes[i].size;
    return 0;
}

static bool read_shape(SafeTensor *t, const json_t *shape, size_t *bytes)
{
    if (!json_is_array(shape) || json_array_size(shape) > RANK_MOST)
        return false;
    t->rank = json_array_size(shape);
    for (size_t i = 0; i < t->rank; i++) {
        const json_t *side = json_array_get(shape, i);
        if (!json_is_integer(side) || json_integer_value(side) < 0)
            return false;
        t->shape[i] = (size_t)json_integer_value(side);
        if (__builtin_mul_overflow(*bytes, t->shape[i], bytes))
            return false;
    }
    return true;
}

static bool read_tensor(SafeTensor *t, const char *name, const json_t *row, const uint8_t *data,
                        size_t size, Error *err)
{
    const json_t *offsets = json_object_get(row, "data_offsets");
    t->name = name;
    t->dtype = json_string_value(json_object_get(row, "dtype"));
    size_t bytes = t->dtype ? dtype_size(t->dtype) : 0;
    if (bytes == 0)
        return error_set(err, ERROR_PARSE, "tensor %.80s: unknown number type %.20s", name,
                         t->dtype ? t->dtype : "(none)");
    if (!read_shape(t, json_object_get(row, "shape"), &bytes))
        return error_set(err, ERROR_PARSE, "tensor %.80s: its shape makes no sense", name);
    const json_t *from = json_array_get(offsets, 0), *to = json_array_get(offsets, 1);
    if (!json_is_array(offsets) || json_array_size(offsets) != 2 || !json_is_integer(from) ||
        !json_is_integer(to) || json_integer_value(from) < 0 ||
        json_integer_value(to) < json_integer_value(from) ||
        (uint64_t)json_integer_value(to) > size)
        return error_set(err, ERROR_PARSE,
                         "tensor %.80s: its place is not inside the %zu bytes of data", name, size);
    t->at = data + json_integer_value(from);
    t->size = (size_t)(json_integer_value(to) - json_integer_value(from));
    if (t->size != bytes)
        return error_set(err, ERROR_PARSE, "tensor %.80s: %zu bytes, but its shape needs %zu", name,
                         t->size, bytes);
    return true;
}

static int by_place(const void *a, const void *b)
{
    const SafeTensor *x = *(const SafeTensor *const *)a, *y = *(const SafeTensor *const *)b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->size < y->size ? -1 : x->size > y->size; /* empty tensors share a place */
}

/* Every byte of the data belongs to one tensor. */
static bool check_cover(const SafeFile *f, const uint8_t *data, size_t size, Error *err)
{
    const SafeTensor **order = mem_alloc(sizeof *order * (f->count + 1));
    for (size_t i = 0; i < f->count; i++)
        order[i] = &f->tensor[i];
    qsort(order, f->count, sizeof *order, by_place);
    const uint8_t *at = data;
    bool ok = true;
    for (size_t i = 0; i < f->count && ok; i++) {
        if (order[i]->at != at)
            ok = error_set(err, ERROR_PARSE, "tensor %.80s: a hole or an overlap before it",
                           order[i]->name);
        at = order[i]->at + order[i]->size;
    }
    if (ok && at != data + size)
        ok = error_set(err, ERROR_PARSE, "%zu bytes behind the last tensor",
                       (size_t)(data + size - at));
    mem_free(order);
    return ok;
}

static bool read_rows(SafeFile *f, const uint8_t *data, size_t size, Error *err)
{
    f->tensor = mem_alloc(sizeof *f->tensor * (json_object_size(f->header) + 1));
    const char *name;
    json_t *row;
    json_object_foreach(f->header, name, row)
    {
        if (text_equal(name, "__metadata__")) {
            f->metadata = row;
            if (!json_is_object(row))
                return error_set(err, ERROR_PARSE, "__metadata__ is not an object");
            continue;
        }
        if (!read_tensor(&f->tensor[f->count], name, row, data, size, err))
            return false;
        f->count++;
    }
    return check_cover(f, data, size, err);
}

bool safetensors_read(SafeFile *into, const void *bytes, size_t n, Error *err)
{
    const uint8_t *at = bytes;
    *into = (SafeFile){0};
    if (n < 8)
        return error_set(err, ERROR_PARSE, "no safetensors file: only %zu bytes", n);
    uint64_t length = 0;
    for (size_t i = 0; i < 8; i++)
        length |= (uint64_t)at[i] << (8 * i);
    if (length > HEADER_MOST || length > n - 8)
        return error_set(err, ERROR_PARSE,
                         "no safetensors file, or cut off: a header of %llu bytes in a file of %zu",
                         (unsigned long long)length, n);
    json_error_t why;
    into->header = json_loadb((const char *)at + 8, (size_t)length, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(into->header)) {
        safetensors_release(into);
        return error_set(err, ERROR_PARSE, "the header is not a JSON object: %.80s", why.text);
    }
    if (read_rows(into, at + 8 + length, n - 8 - (size_t)length, err))
        return true;
    safetensors_release(into);
    return false;
}

void safetensors_release(SafeFile *f)
{
    json_decref(f->header);
    mem_free(f->tensor);
    *f = (SafeFile){0};
}

const SafeTensor *safetensors_find(const SafeFile *f, const char *name)
{
    for (size_t i = 0; i < f->count; i++)
        if (text_equal(f->tensor[i].name, name))
            return &f->tensor[i];
    return NULL;
}
