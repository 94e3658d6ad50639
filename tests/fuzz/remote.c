/* remote.c -- fuzz target: what a remote may answer: lists and refusals of S3 in XML, manifests of
 * datasets and models. */
#include "command/exchange_int.h"
#include "remote/remote_int.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void read_xml(const Text *xml)
{
    Arena a = {0};
    S3Objects objects = {0};
    S3Page page = {0};
    Text word = {0};
    size_t length = 0;
    s3_read_page(xml, &a, &objects, &page);
    for (size_t i = 0; i < objects.at.count; i++)
        length += strlen(objects.at.at[i].key) + strlen(objects.at.at[i].tag);
    if (s3_read_word(xml, "Code", &word) && length == SIZE_MAX)
        abort();
    vec_release(&objects.at);
    text_release(&page.token), text_release(&word);
    arena_release(&a);
}

/* Sealed or not: what stands in the body is read with the same distrust. */
static void read_manifest(const uint8_t *bytes, size_t size)
{
    Error err = {0};
    Arena a = {0};
    json_t *whole = json_loadb((const char *)bytes, size, 0, NULL);
    json_t *body = manifest_read(MANIFEST_DATASET, (const char *)bytes, size, &err);
    if (!body && !err.text[0])
        abort(); /* refused without a reason */
    json_decref(body);
    body = json_is_object(json_object_get(whole, "body")) ? json_object_get(whole, "body") : whole;
    DatasetRow row;
    ColumnRow *columns;
    RejectRow *rejects;
    PulledRun run;
    size_t n, bad;
    err = (Error){0};
    if (!manifest_to_dataset(body, &a, &row, &columns, &n, &rejects, &bad, &err) && !err.text[0])
        abort();
    err = (Error){0};
    if (manifest_to_run(body, &a, &run, &err)) {
        for (size_t i = 0; i < run.files; i++)
            if (strchr(run.file[i].name, '/') || run.file[i].name[0] == '.')
                abort();
    } else if (!err.text[0]) {
        abort();
    }
    json_decref(whole);
    arena_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Text xml = {0};
    text_add(&xml, (const char *)bytes, size);
    read_xml(&xml);
    read_manifest(bytes, size);
    text_release(&xml);
    return 0;
}
