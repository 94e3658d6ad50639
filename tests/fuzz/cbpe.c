/* cbpe.c -- fuzz target: a stored estimate of performance. What is taken must save and read back, and say the
 * same of some rows. */
#include <lathe/drift.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const double share[] = {0.9, 0.1, 0.4, 0.5, 0.2, 0.3};
    Error err = {0};
    json_t *from = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);
    if (!from)
        return 0;
    Cbpe *c = cbpe_from_json(from, &err);
    json_int_t classes = json_integer_value(json_object_get(from, "classes"));
    json_decref(from);
    if (!c && !err.text[0])
        abort(); /* refused without a reason */
    if (c) {
        json_t *again = cbpe_to_json(c);
        Cbpe *second = again ? cbpe_from_json(again, &err) : NULL;
        if (!second)
            abort();
        if (classes <= 3) {
            size_t n = classes == 2 ? 6 : 2;
            CbpeOut a = cbpe_estimate(c, share, NULL, n), b = cbpe_estimate(second, share, NULL, n);
            if (memcmp(&a, &b, sizeof a) != 0)
                abort();
        }
        json_decref(again);
        cbpe_destroy(second);
    }
    cbpe_destroy(c);
    return 0;
}
