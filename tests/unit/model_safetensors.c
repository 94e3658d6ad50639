/* The safetensors reader and writer: round trip, and files that lie. */
#include "model/model_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static void round_trip(void **state)
{
    (void)state;
    float a[6] = {1, 2, 3, 4, 5, 6}, b[1] = {-7};
    TensorRow rows[] = {{"a.weight", 2, {2, 3}, a}, {"b", 1, {1}, b}};
    json_t *metadata = json_pack("{s:s}", "note", "two tensors");
    Text bytes = {0};
    Error err = {0};
    assert_true(safetensors_write(rows, 2, metadata, &bytes, &err));
    json_decref(metadata);
    uint64_t header = 0;
    memcpy(&header, bytes.at, 8);
    assert_int_equal(header % 8, 0);
    assert_int_equal(bytes.count, 8 + header + 7 * sizeof(float));
    SafeFile f;
    assert_true(safetensors_read(&f, bytes.at, bytes.count, &err));
    assert_int_equal(f.count, 2);
    const SafeTensor *t = safetensors_find(&f, "a.weight");
    assert_non_null(t);
    assert_string_equal(t->dtype, "F32");
    assert_int_equal(t->rank, 2);
    assert_int_equal(t->shape[1], 3);
    assert_memory_equal(t->at, a, sizeof a);
    assert_memory_equal(safetensors_find(&f, "b")->at, b, sizeof b);
    assert_string_equal(json_string_value(json_object_get(f.metadata, "note")), "two tensors");
    safetensors_release(&f);
    /* every way of cutting it is refused, and read without a byte out of bounds */
    for (size_t n = 0; n < bytes.count; n++) {
        char *part = mem_copy(bytes.at, n ? n : 1);
        err = (Error){0};
        assert_false(safetensors_read(&f, part, n, &err));
        assert_true(err.text[0] && f.count == 0);
        mem_free(part);
    }
    text_release(&bytes);
}

static bool reads(const char *header, size_t data, Error *err)
{
    Text bytes = {0};
    uint64_t length = strlen(header);
    text_add(&bytes, (const char *)&length, 8);
    text_puts(&bytes, header);
    for (size_t i = 0; i < data; i++)
        text_putc(&bytes, 1);
    SafeFile f;
    bool ok = safetensors_read(&f, bytes.at, bytes.count, err);
    if (ok)
        safetensors_release(&f);
    text_release(&bytes);
    return ok;
}

static void refuses_lies(void **state)
{
    (void)state;
    Error err = {0};
    assert_true(reads("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, &err));
    assert_true(reads("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, &err));
    static const struct {
        const char *header;
        size_t data;
    } lies[] = {
        {"[]", 0},
        {"{", 0},
        {"{\"a\":3}", 0},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 7}, /* too short */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 9}, /* a byte behind */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12}, /* a hole */
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8},   /* wrong size */
        {"{\"a\":{\"dtype\":\"F99\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", 8},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}", 0},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807,9223372036854775807],"
         "\"data_offsets\":[0,4]}}",
         4},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,1]}}", 1},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
         "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}",
         6}, /* an overlap */
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
         "\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}",
         8}, /* twice */
        {"{\"__metadata__\":3}", 0},
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        err = (Error){0};
        if (reads(lies[i].header, lies[i].data, &err)) {
            printf("believed: %s\n", lies[i].header);
            fail();
        }
        assert_int_equal(err.kind, ERROR_PARSE);
    }
    uint64_t huge = UINT64_MAX;
    char bytes[16] = {0};
    memcpy(bytes, &huge, 8);
    SafeFile f;
    assert_false(safetensors_read(&f, bytes, sizeof bytes, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(refuses_lies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
