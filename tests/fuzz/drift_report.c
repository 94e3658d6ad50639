/* drift_report.c -- fuzz target: a stored drift report. What is taken must save and read back. */
#include <lathe/drift.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Error err = {0};
    json_t *from = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
    if (!from)
        return 0;
    DriftReport *r = drift_report_from_json(from, &err);
    json_decref(from);
    if (!r && !err.text[0])
        abort(); /* refused without a reason */
    if (r) {
        json_t *again = drift_report_to_json(r);
        DriftReport *second = again ? drift_report_from_json(again, &err) : NULL;
        if (!second || second->columns != r->columns)
            abort();
        json_decref(again);
        drift_report_destroy(second);
    }
    drift_report_destroy(r);
    return 0;
}
